/**
 * What HTTP upstreams need of HTTP, whatever carries it: our own sockets for `http://`, the runtime's `fetch` for TLS.
 * A body is either text, held whole up to a limit, or goes to a sink as it comes.
 */
import type { Attachment } from "../../core/call.ts";
import type { CancelSignal } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";
import type { TextSurvey } from "../../lib/text-survey/text-survey.ts";
import { FetchExchange } from "./fetch-exchange.ts";
import { PinnedExchange } from "./pinned-exchange.ts";
import type { FindAddresses } from "./public-addresses.ts";
import type { RequestHead } from "./request-head.ts";
import { SocketExchange } from "./socket-exchange.ts";

export interface ResponseHead {
  readonly status: number;
  readonly headers: { get(name: string): string | null | undefined };
}

export interface HttpResponse extends ResponseHead {
  /** The whole body, or empty where it went to a sink. */
  readonly text: string;
  /** Of the text, where it was surveyed while it was decoded. */
  readonly survey?: TextSurvey | undefined;
}

export interface BodySink {
  /** True when no more is wanted: the request is then done, and what follows is thrown away. May throw to end it. */
  push(bytes: Uint8Array): boolean;
}

/** For a body that is of no interest. */
export const wantNothing: BodySink = { push: () => true };

export interface HttpRequest {
  readonly head: RequestHead;
  readonly body: string | undefined;
  readonly signal: CancelSignal;
  /**
   * The server must not get it twice: it is then not sent again when a kept connection closes under it, even though
   * the server most likely never saw it.
   */
  readonly sendOnce?: boolean;
  /** As of the request in it, for an {@link AttachingExchange}. */
  readonly attached?: Attachment | undefined;
  /** Called once, when the head is there. Without a sink the body becomes text. */
  stream?(head: ResponseHead): BodySink | undefined;
}

export interface HttpExchange {
  /**
   * Sends one request. Redirects are answers like others.
   * @throws UpstreamError UPSTREAM_START_FAILED when there is no connection, UPSTREAM_CLOSED when it broke,
   *   UPSTREAM_PROTOCOL when what came is not HTTP, RESULT_TOO_LARGE
   * @throws GatewayError as `abortError` makes it, when the signal aborts; or what the sink threw
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Ends all connections; requests under way reject with UPSTREAM_CLOSED. */
  close(): void;
}

export interface HttpExchangeOptions {
  /** Name of the backend, for errors. */
  readonly server: string;
  /** Largest body held as text; `max_result_size` of the backend. */
  readonly maxBodyBytes: number;
  readonly clock: Clock;
  /** Unix socket the server listens on; what the address says of host and port then counts for nothing. */
  readonly socketPath?: string | undefined;
  /** Literal address that stands for the host of every request; the name is for the server and its certificate. */
  readonly address?: string | undefined;
}

export interface OpenOptions extends HttpExchangeOptions {
  /** Where the origin may lead, and so what its requests are sent to; left out, anywhere. */
  readonly findAddresses?: FindAddresses | undefined;
}

export function openExchange(origin: URL, { findAddresses, ...options }: OpenOptions): HttpExchange {
  const open = (address?: string) => openPlain(origin, { ...options, address });
  return findAddresses === undefined ? open() : new PinnedExchange(() => findAddresses(origin), open, options);
}

function openPlain(origin: URL, options: HttpExchangeOptions): HttpExchange {
  return origin.protocol === "http:" ? new SocketExchange(origin, options) : new FetchExchange(options);
}
