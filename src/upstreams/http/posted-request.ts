/**
 * One JSON-RPC request as one POST, and its answer, which comes as JSON or at the end of an event stream
 * (basic/transports, "Sending Messages to the Server"). The stream may carry other messages first.
 */

import type { Answer } from "../../core/answer.ts";
import type { Attachment, RpcRequest } from "../../core/call.ts";
import { UpstreamRpcError } from "../../core/errors.ts";
import type { CancelSignal } from "../../lib/cancellation.ts";
import type { TextSurvey } from "../../lib/text-survey/text-survey.ts";
import type { DecodedMessage } from "../../mcp/decode-answer.ts";
import {
  encodeRequest,
  type RequestId,
  type RpcNotificationMessage,
  type RpcRequestMessage,
} from "../../mcp/json-rpc.ts";
import { withProgressToken } from "../../mcp/progress-token.ts";
import type { SseReader } from "../../mcp/sse.ts";
import {
  contentType,
  decodeMessages,
  isEventStream,
  isSuccess,
  messageReader,
  readEvents,
  reconnectMs,
} from "./event-messages.ts";
import { hungUp, protocolError, statusError, wrongContentType } from "./http-errors.ts";
import type { BodySink, HttpRequest, HttpResponse, ResponseHead } from "./http-exchange.ts";
import { isHeaderValue, type RequestHead } from "./request-head.ts";

/** What a server says besides answers. */
export type ServerMessage = RpcRequestMessage | RpcNotificationMessage;

export interface PostingSession {
  readonly server: string;
  readonly maxResultBytes: number;
  onMessage(message: ServerMessage, request: RpcRequest): void;
}

type Outcome = Extract<DecodedMessage, { kind: "answer" | "error" }>;

export class PostedRequest implements HttpRequest, BodySink {
  readonly id: number;
  /** Replaced when the server redirects. */
  head: RequestHead;
  readonly body: string;
  readonly #request: RpcRequest;
  readonly #session: PostingSession;
  #reader: SseReader | undefined;
  #outcome: Outcome | undefined;
  /** Of the last event that had one, over all streams of this request. */
  #lastEventId = "";
  #retryMs: number | undefined;
  #isRefused = false;

  constructor(id: number, request: RpcRequest, head: RequestHead, session: PostingSession) {
    this.id = id;
    this.head = head;
    this.body = encodeRequest(id, request.method, withProgressToken(request, id));
    this.#request = request;
    this.#session = session;
  }

  get sendOnce(): boolean {
    return this.#request.safe === false;
  }

  get attached(): Attachment | undefined {
    return this.#request.attached;
  }

  get signal(): CancelSignal {
    return this.#request.signal;
  }

  stream(head: ResponseHead): BodySink | undefined {
    if (!isEventStream(head)) return undefined;
    this.#remember();
    this.#reader = messageReader(this.#session.maxResultBytes, (data) => this.#take(data));
    return this;
  }

  /** Where the answer can be gone on with, and after what pause; `undefined` when it cannot. */
  get resumePoint(): { readonly lastEventId: string; readonly delayMs: number } | undefined {
    this.#remember();
    if (this.#outcome !== undefined || this.#isRefused || this.#lastEventId === "") return undefined;
    return { lastEventId: this.#lastEventId, delayMs: reconnectMs(this.#retryMs) };
  }

  /** The GET for the rest; its stream is one more of this request. */
  continuedBy(head: RequestHead): HttpRequest {
    const stream = (response: ResponseHead) => {
      const sink = this.stream(response);
      this.#isRefused = sink === undefined;
      return sink;
    };
    return { head, body: undefined, signal: this.signal, attached: this.attached, stream };
  }

  #remember(): void {
    const { lastEventId = "", retryMs } = this.#reader ?? {};
    if (lastEventId !== "" && isHeaderValue(lastEventId)) this.#lastEventId = lastEventId;
    this.#retryMs = retryMs ?? this.#retryMs;
  }

  push(bytes: Uint8Array): boolean {
    const { server, maxResultBytes } = this.#session;
    readEvents(this.#reader as SseReader, bytes, server, maxResultBytes);
    return this.#outcome !== undefined;
  }

  /**
   * The answer, once the response is there.
   * @throws UpstreamRpcError when it is an error; UpstreamError when it is none
   */
  answer(response: HttpResponse): Answer {
    if (this.#reader === undefined) this.#takeBody(response);
    const outcome = this.#outcome;
    if (outcome?.kind === "answer") return outcome.answer;
    if (outcome?.kind === "error") throw new UpstreamRpcError(outcome.error, this.#session.server);
    const whole = this.#reader?.end() ?? true;
    throw hungUp(this.#session.server, whole ? "before it answered" : "in the middle of an event");
  }

  #takeBody(response: HttpResponse): void {
    const { server } = this.#session;
    const isJson = contentType(response) === "application/json";
    if (isSuccess(response)) {
      if (response.text === "") throw protocolError(server, `answered with HTTP ${response.status} and nothing else`);
      if (!isJson) throw wrongContentType(server, response, response.text);
      this.#take(response.text, response.survey);
      return;
    }
    // Some errors of JSON-RPC come with a status to match; the error says more than the status.
    if (isJson) this.#takeErrorOf(response.text);
    if (this.#outcome === undefined) throw statusError(server, response, response.text);
  }

  #takeErrorOf(text: string): void {
    try {
      const message = decodeMessages(this.#session.server, text)[0];
      if (message?.kind === "error" && message.id === this.id) this.#outcome = message;
    } catch {
      // Not JSON-RPC: the status tells all there is.
    }
  }

  #take(text: string, survey?: TextSurvey): void {
    for (const message of decodeMessages(this.#session.server, text, survey))
      if (message.kind === "request" || message.kind === "notification")
        this.#session.onMessage(message, this.#request);
      else if (message.id === this.id) this.#outcome ??= message;
      else throw protocolError(this.#session.server, this.#wrongId(message.id, message));
  }

  #wrongId(id: RequestId | null, message: Outcome): string {
    if (message.kind === "error" && id === null) return `answered with an error: ${message.error.message}`;
    return `answered request ${JSON.stringify(id)} where the answer to ${this.id} was due`;
  }
}
