/**
 * Redirects within the origin, which frameworks send for a missing or a needless slash at the end. Leaving the origin
 * would take the configured credentials along, so that is refused (T9, T11).
 */
import { protocolError } from "./http-errors.ts";
import type { HttpExchange, HttpRequest, HttpResponse } from "./http-exchange.ts";
import { RequestHead } from "./request-head.ts";

const maxRedirects = 5;

interface Redirectable extends HttpRequest {
  head: RequestHead;
}

/** Sends, and sends again where the server says so; `request.head` is then the one that was answered. */
export function sendFollowing(http: HttpExchange, request: Redirectable, server: string): Promise<HttpResponse> {
  return http
    .send(request)
    .then((response) => (isRedirect(response) ? follow(http, request, server, response) : response));
}

async function follow(
  http: HttpExchange,
  request: Redirectable,
  server: string,
  redirect: HttpResponse,
): Promise<HttpResponse> {
  let response = redirect;
  for (let followed = 0; isRedirect(response); followed++) {
    const { method, url, headers } = request.head;
    const location = response.headers.get("location");
    const target = URL.parse(location ?? "", url);
    if (location === null || location === undefined || target === null) return response;
    if (target.origin !== url.origin)
      throw protocolError(server, `redirects to another origin: "${target.href}"`, {
        hint: `Set the URL of the backend to that address if it is the right one`,
      });
    if (followed === maxRedirects) throw protocolError(server, `redirects more than ${maxRedirects} times`);
    request.head = new RequestHead(method, target, headers);
    response = await http.send(request);
  }
  return response;
}

function isRedirect({ status }: HttpResponse): boolean {
  return status === 307 || status === 308;
}
