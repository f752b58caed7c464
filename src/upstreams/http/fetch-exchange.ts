/** HTTP by the runtime's `fetch`, for `https://`: TLS, certificates and connection pool are the runtime's. */
import { abortError } from "../../core/abort-error.ts";
import { GatewayError } from "../../core/errors.ts";
import { ByteCollector } from "../../lib/byte-collector.ts";
import { decodeUtf8 } from "../../lib/utf8.ts";
import { fetchFrom } from "../../runtime/pinned-fetch.ts";
import { answerTooLarge, cannotReach, closedHere, hungUp, protocolError, reasonOf } from "./http-errors.ts";
import type { BodySink, HttpExchange, HttpExchangeOptions, HttpRequest, HttpResponse } from "./http-exchange.ts";

/** How long the end of an answer may take of which no more is wanted; reading it keeps the connection for the next. */
const lingerMs = 1_000;

type Body = ReadableStreamDefaultReader<Uint8Array>;

export class FetchExchange implements HttpExchange {
  readonly #options: HttpExchangeOptions;
  readonly #running = new Set<AbortController>();
  #closed = false;

  constructor(options: HttpExchangeOptions) {
    this.#options = options;
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    const { head, signal } = request;
    const { server } = this.#options;
    const controller = new AbortController();
    const abort = () => controller.abort();
    if (signal.aborted || this.#closed) abort();
    signal.addEventListener("abort", abort);
    this.#running.add(controller);
    let response: Response | undefined;
    let lingers = false;
    try {
      response = await fetchFrom(head.url, this.#options.address, {
        method: head.method,
        headers: head.headers,
        body: request.body ?? null,
        redirect: "manual",
        // How long to wait is for the signal to say.
        timeout: false,
        signal: controller.signal,
      });
      const { status, headers } = response;
      const sink = request.stream?.(response);
      if (sink === undefined) return { status, headers, text: await this.#text(response) };
      const body = response.body?.getReader();
      if (body !== undefined && !(await pour(body, sink))) {
        lingers = true;
        void this.#linger(body, controller);
      }
      return { status, headers, text: "" };
    } catch (error) {
      // Whatever ended it early, the rest of the body must not stay in memory.
      controller.abort();
      if (signal.aborted) throw abortError(signal);
      if (this.#closed) throw closedHere(server);
      if (error instanceof GatewayError) throw error;
      if (response !== undefined) throw hungUp(server, "in the middle of its answer", error);
      throw isLost(error)
        ? hungUp(server, "before it answered", error)
        : cannotReach(server, error, !wasRefused(error));
    } finally {
      signal.removeEventListener("abort", abort);
      if (!lingers) this.#running.delete(controller);
    }
  }

  close(): void {
    this.#closed = true;
    for (const controller of this.#running) controller.abort();
  }

  async #text(response: Response): Promise<string> {
    const { server } = this.#options;
    const bytes = await this.#bytes(response);
    try {
      return decodeUtf8(bytes);
    } catch (cause) {
      throw protocolError(server, "answered with bytes that are not UTF-8", { cause });
    }
  }

  async #bytes({ headers, body }: Response): Promise<Uint8Array> {
    const { server, maxBodyBytes } = this.#options;
    const bytes = new ByteCollector();
    if (Number(headers.get("content-length")) > maxBodyBytes) throw answerTooLarge(server, maxBodyBytes);
    const reader = body?.getReader();
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      if (bytes.byteLength + part.value.byteLength > maxBodyBytes) throw answerTooLarge(server, maxBodyBytes);
      bytes.append(part.value);
    }
    return bytes.take();
  }

  async #linger(body: Body, controller: AbortController): Promise<void> {
    const cancel = this.#options.clock.after(lingerMs, () => controller.abort());
    try {
      while (!(await body.read()).done);
    } catch {
      // Its end is of no interest: the answer was complete.
    } finally {
      cancel();
      this.#running.delete(controller);
    }
  }
}

/** Gives the sink the body. False when it wanted no more before the end. */
async function pour(body: Body, sink: BodySink): Promise<boolean> {
  for (let part = await body.read(); !part.done; part = await body.read()) if (sink.push(part.value)) return false;
  return true;
}

/** The names Bun and Deno have for a connection that was there and broke. */
function isLost(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return /ECONNRESET|ConnectionClosed|EPIPE|closed|reset/i.test(`${String(code)} ${String(message)}`);
}

/** What is certain to happen before anything is sent: nobody listens there, or the host is not known. */
function wasRefused(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return /ECONNREFUSED|ConnectionRefused|connection refused|ENOTFOUND|EHOSTUNREACH|dns error/i.test(
    `${String(code)} ${reasonOf(error)}`,
  );
}
