/** One socket to an HTTP/1.1 server and the one exchange that runs on it. It belongs to a pool and goes back there between exchanges. */
import { abortError } from "../../core/abort-error.ts";
import { GatewayError } from "../../core/errors.ts";
import { ByteCollector } from "../../lib/byte-collector.ts";
import { beginSurvey, decodeSurveyed, type Surveyor } from "../../lib/text-survey/text-survey.ts";
import { connectSocket, type Socket, type SocketAddress, type SocketHandlers } from "../../runtime/socket.ts";
import { answerTooLarge, cannotReach, HttpFault, hungUp, protocolError } from "./http-errors.ts";
import type { BodySink, HttpExchangeOptions, HttpRequest, HttpResponse, ResponseHead } from "./http-exchange.ts";
import { ResponseParser, type ResponseReceiver } from "./response-parser.ts";

/** Bytes that may still follow an answer of which no more is wanted. */
const maxUnwantedBytes = 65_536;
/** A stale connection shows itself within a round trip; a server that hangs up later than this had the request. */
const staleWithinMs = 500;

export interface ConnectionOwner {
  /** The exchange is over and the connection can carry another. */
  release(connection: HttpConnection): void;
  closed(connection: HttpConnection): void;
  /** The server had closed the idle connection before the exchange reached it: it is to be sent again, on a new one. */
  resend(exchange: Exchange): void;
}

/** A request and the promise of its response. It is its own abort listener, so that a call needs no closure for it. */
export class Exchange implements EventListenerObject {
  readonly request: HttpRequest;
  readonly wire: string;
  readonly promise: Promise<HttpResponse>;
  connection: HttpConnection | undefined;
  settled = false;
  #resolve!: (response: HttpResponse) => void;
  #reject!: (error: unknown) => void;

  constructor(request: HttpRequest) {
    this.request = request;
    const { head, body } = request;
    this.wire =
      body === undefined ? `${head.wire}\r\n` : `${head.wire}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    request.signal.addEventListener("abort", this);
  }

  resolve(response: HttpResponse): void {
    this.settled = true;
    this.request.signal.removeEventListener("abort", this);
    this.#resolve(response);
  }

  reject(error: unknown): void {
    this.settled = true;
    this.request.signal.removeEventListener("abort", this);
    this.#reject(error);
  }

  handleEvent(): void {
    this.reject(abortError(this.request.signal));
    this.connection?.destroy();
  }
}

export class HttpConnection implements SocketHandlers, ResponseReceiver {
  /** Set by the pool on release. Monotonic milliseconds. */
  idleSinceMs = 0;
  /** Since when the rest of an answer is awaited that nobody wants any more; the pool limits that. */
  lingersSinceMs: number | undefined;
  readonly #options: HttpExchangeOptions;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  readonly #body = new ByteCollector();
  #exchange: Exchange | undefined;
  #head: ResponseHead | undefined;
  #sink: BodySink | undefined;
  /** Of a body that is copied as it comes, and looked through meanwhile. */
  #isCopied = false;
  #surveyor: Surveyor | undefined;
  #unwantedBytes = 0;
  #reused = false;
  #received = false;
  #sentAtMs = 0;
  #closed = false;

  constructor(address: SocketAddress, options: HttpExchangeOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#socket = connectSocket(address, this);
  }

  get keepAliveMs(): number | undefined {
    return this.#parser.keepAliveMs;
  }

  start(exchange: Exchange, nowMs: number): void {
    exchange.connection = this;
    this.#exchange = exchange;
    this.#received = false;
    this.#sentAtMs = nowMs;
    this.#socket.write(exchange.wire);
  }

  /** Ends it; an exchange under way gets `error`. */
  destroy(error?: GatewayError): void {
    this.#close(error);
  }

  onData(bytes: Buffer): boolean {
    this.#received = true;
    // To its end there is nothing but such a body.
    const isCopied = this.#isCopied;
    try {
      // Bytes nobody asked for would be taken for the next answer.
      if (this.#exchange === undefined) throw new HttpFault("an answer without a request");
      this.#parser.push(bytes);
    } catch (error) {
      this.#close(this.#explain(error));
    }
    return isCopied;
  }

  onClose(error: Error | undefined): void {
    if (this.#closed) return;
    this.#close(this.#endedWith(error));
  }

  onHead(head: ResponseHead): void {
    this.#head = head;
    const { request, settled } = this.#exchange as Exchange;
    this.#sink = settled ? undefined : request.stream?.(head);
    if (this.#sink !== undefined || settled) return;
    const length = Number(head.headers.get("content-length"));
    if (length > this.#options.maxBodyBytes) throw answerTooLarge(this.#options.server, this.#options.maxBodyBytes);
    this.#isCopied = this.#body.expect(length);
    this.#surveyor = this.#isCopied ? beginSurvey(length) : undefined;
  }

  onBody(bytes: Uint8Array): void {
    const exchange = this.#exchange as Exchange;
    if (exchange.settled) {
      this.#unwantedBytes += bytes.byteLength;
      if (this.#unwantedBytes > maxUnwantedBytes) throw new HttpFault("much more after its answer");
    } else if (this.#sink !== undefined) {
      if (!this.#sink.push(bytes)) return;
      this.lingersSinceMs = this.#options.clock.now();
      exchange.resolve(this.#response({ text: "" }));
    } else {
      const { server, maxBodyBytes } = this.#options;
      if (this.#body.byteLength + bytes.byteLength > maxBodyBytes) throw answerTooLarge(server, maxBodyBytes);
      this.#body.append(bytes);
      this.#surveyor?.push(bytes);
    }
  }

  onEnd(): void {
    const exchange = this.#exchange as Exchange;
    const response = exchange.settled ? undefined : this.#response(decodeSurveyed(this.#body.take(), this.#surveyor));
    this.#exchange = undefined;
    this.#head = undefined;
    this.#sink = undefined;
    this.#isCopied = false;
    this.#surveyor = undefined;
    this.#unwantedBytes = 0;
    this.lingersSinceMs = undefined;
    this.#reused = true;
    if (this.#parser.keepAlive && !this.#closed) {
      this.#parser.reset();
      this.#owner.release(this);
    } else this.#close(undefined);
    if (response !== undefined) exchange.resolve(response);
  }

  #response({ text, survey }: Pick<HttpResponse, "text" | "survey">): HttpResponse {
    const { status, headers } = this.#head as ResponseHead;
    return { status, headers, text, survey };
  }

  /** What the end of the socket means for the exchange; nothing where it completes the response. */
  #endedWith(error: Error | undefined): GatewayError | undefined {
    const { server } = this.#options;
    if (!this.#socket.opened) return cannotReach(server, error ?? "the connection was closed");
    try {
      if (error === undefined && this.#parser.finish()) return undefined;
    } catch (fault) {
      return this.#explain(fault);
    }
    return hungUp(server, this.#received ? "in the middle of its answer" : "before it answered", error);
  }

  #explain(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error;
    const { server } = this.#options;
    if (error instanceof HttpFault)
      return protocolError(server, `broke the rules of HTTP/1.1 with ${error.message}`, { cause: error });
    // The decoders throw a TypeError.
    return protocolError(server, "answered with bytes that are not UTF-8", { cause: error });
  }

  #close(error: GatewayError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.closed(this);
    this.#socket.destroy();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange === undefined || exchange.settled) return;
    const stale =
      error?.code === "UPSTREAM_CLOSED" &&
      this.#reused &&
      !this.#received &&
      !exchange.request.sendOnce &&
      this.#options.clock.now() - this.#sentAtMs < staleWithinMs;
    if (stale) this.#owner.resend(exchange);
    else exchange.reject(error ?? hungUp(this.#options.server, "before it answered"));
  }
}
