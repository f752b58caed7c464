/** Requests with the headers and parameters that secrets and identities travel in, whatever of a session sends them. */
import { untilAborted } from "../../core/abort-error.ts";
import type { Attachment } from "../../core/call.ts";
import type { HttpExchange, HttpRequest, HttpResponse } from "./http-exchange.ts";
import { RequestHead } from "./request-head.ts";

/** Asked for each request, with what that has of its own: an identity does not last, and is not made in vain. */
export type AlwaysAttached = (own: Attachment | undefined) => Promise<Attachment>;

export class AttachingExchange implements HttpExchange {
  readonly #inner: HttpExchange;
  readonly #always: AlwaysAttached;

  /** @param always goes along with every request, below what a request has of its own */
  constructor(inner: HttpExchange, always: AlwaysAttached) {
    this.#inner = inner;
    this.#always = always;
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    const { head, body, signal, sendOnce = false, attached } = request;
    const { method, url, headers } = head;
    const always = await untilAborted(this.#always(attached), signal);
    const added = { ...always.headers, ...attached?.headers };
    const target = withQuery(url, { ...always.query, ...attached?.query });
    return this.#inner.send({
      head: new RequestHead(method, target, { ...headers, ...added }),
      body,
      signal,
      sendOnce,
      attached,
      stream: (response) => request.stream?.(response),
    });
  }

  close(): void {
    this.#inner.close();
  }
}

/** The address with these parameters in place of its own of the same names; the others stay as they are written. */
export function withQuery(url: URL, query: Attachment["query"]): URL {
  const target = new URL(url);
  for (const [name, value] of Object.entries(query)) {
    if (target.searchParams.has(name)) target.searchParams.delete(name);
    const pair = [name, value].map((text) => encodeURIComponent(text.toWellFormed())).join("=");
    target.search = target.search === "" ? pair : `${target.search}&${pair}`;
  }
  return target;
}
