/**
 * Requests with the `Authorization` of a login, which is renewed when the server refuses it. Those that have an
 * `Authorization` of their own are somebody else's: the login is not for them, nor are they a reason to ask for one.
 */
import type { HttpExchange, HttpRequest, HttpResponse } from "./http-exchange.ts";
import { RequestHead } from "./request-head.ts";

export interface Access {
  /** Value of `Authorization`; `undefined` while nobody has logged in. */
  header(): Promise<string | undefined>;
  /**
   * Told that the server refused a request, with what it says about that (`WWW-Authenticate`).
   * Resolves with whether the same request is worth sending again.
   * @throws GatewayError LOGIN_REQUIRED
   */
  refused(status: number, challenge: string | undefined, sent: string | undefined): Promise<boolean>;
}

const refusals: ReadonlySet<number> = new Set([401, 403]);

export class AuthorizedExchange implements HttpExchange {
  readonly #inner: HttpExchange;
  readonly #access: Access;

  constructor(inner: HttpExchange, access: Access) {
    this.#inner = inner;
    this.#access = access;
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    if (request.attached?.headers["authorization"] !== undefined) return this.#inner.send(request);
    const sent = await this.#access.header();
    const response = await this.#inner.send(withAuthorization(request, sent));
    if (!refusals.has(response.status)) return response;
    const challenge = response.headers.get("www-authenticate") ?? undefined;
    if (!(await this.#access.refused(response.status, challenge, sent))) return response;
    return this.#inner.send(withAuthorization(request, await this.#access.header()));
  }

  close(): void {
    this.#inner.close();
  }
}

function withAuthorization(request: HttpRequest, authorization: string | undefined): HttpRequest {
  const { head, body, signal, sendOnce = false } = request;
  const { method, url, headers } = head;
  return {
    head: authorization === undefined ? head : new RequestHead(method, url, { ...headers, authorization }),
    body,
    signal,
    sendOnce,
    // What is refused is not what was asked for, and must not end up where that goes.
    stream: (response) => (refusals.has(response.status) ? undefined : request.stream?.(response)),
  };
}
