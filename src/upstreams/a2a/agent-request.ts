/** One JSON-RPC request to an agent, and its result, or the several that come on an event stream. */
import { UpstreamRpcError } from "../../core/errors.ts";
import type { CancelSignal } from "../../lib/cancellation.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { TextSurvey } from "../../lib/text-survey/text-survey.ts";
import type { DecodedMessage } from "../../mcp/decode-answer.ts";
import { encodeRequest } from "../../mcp/json-rpc.ts";
import type { SseReader } from "../../mcp/sse.ts";
import {
  contentType,
  decodeMessages,
  isEventStream,
  isSuccess,
  messageReader,
  readEvents,
} from "../http/event-messages.ts";
import { hungUp, protocolError, statusError, wrongContentType } from "../http/http-errors.ts";
import type { BodySink, HttpRequest, HttpResponse, ResponseHead } from "../http/http-exchange.ts";
import type { RequestHead } from "../http/request-head.ts";

export interface AgentRequestOptions {
  readonly server: string;
  readonly maxResultBytes: number;
  readonly id: number;
  readonly method: string;
  readonly params: JsonObject;
  readonly head: RequestHead;
  readonly signal: CancelSignal;
  /** The agent must not get it twice. */
  readonly sendOnce: boolean;
  /** Told each result and the length of its text; true when no more is wanted. */
  onResult(result: JsonObject, chars: number): boolean;
}

export class AgentRequest implements HttpRequest, BodySink {
  /** Replaced when the agent redirects. */
  head: RequestHead;
  readonly body: string;
  readonly signal: CancelSignal;
  readonly sendOnce: boolean;
  readonly #options: AgentRequestOptions;
  #reader: SseReader | undefined;
  #isAnswered = false;
  #isDone = false;

  constructor(options: AgentRequestOptions) {
    const { id, method, params, head, signal, sendOnce } = options;
    this.head = head;
    this.body = encodeRequest(id, method, params);
    this.signal = signal;
    this.sendOnce = sendOnce;
    this.#options = options;
  }

  stream(head: ResponseHead): BodySink | undefined {
    if (!isEventStream(head)) return undefined;
    this.#reader = messageReader(this.#options.maxResultBytes, (data) => this.#take(data));
    return this;
  }

  push(bytes: Uint8Array): boolean {
    const { server, maxResultBytes } = this.#options;
    readEvents(this.#reader as SseReader, bytes, server, maxResultBytes);
    return this.#isDone;
  }

  /**
   * Once the response is there.
   * @throws UpstreamRpcError when it is an error; UpstreamError when there was no result in it
   */
  end(response: HttpResponse): void {
    if (this.#reader === undefined) this.#takeBody(response);
    const isWhole = this.#reader?.end() ?? true;
    if (this.#isDone || (this.#isAnswered && isWhole)) return;
    throw hungUp(this.#options.server, isWhole ? "before it answered" : "in the middle of an event");
  }

  #takeBody(response: HttpResponse): void {
    const { server } = this.#options;
    const isJson = contentType(response) === "application/json";
    // Some errors of JSON-RPC come with a status to match; the error says more than the status.
    if (!isSuccess(response)) {
      const error = isJson ? this.#errorIn(response.text) : undefined;
      throw error ?? statusError(server, response, response.text);
    }
    if (!isJson) throw wrongContentType(server, response, response.text);
    this.#take(response.text, response.survey);
  }

  #errorIn(text: string): UpstreamRpcError | undefined {
    const { server, id } = this.#options;
    try {
      const message = decodeMessages(server, text)[0];
      return message?.kind === "error" && message.id === id ? new UpstreamRpcError(message.error, server) : undefined;
    } catch {
      // Not JSON-RPC: the status tells all there is.
      return undefined;
    }
  }

  #take(text: string, survey?: TextSurvey): void {
    for (const message of decodeMessages(this.#options.server, text, survey))
      if (!this.#isDone) this.#takeMessage(message, text);
  }

  #takeMessage(message: DecodedMessage, text: string): void {
    const { server, id, onResult } = this.#options;
    if (message.kind === "request" || message.kind === "notification")
      throw protocolError(server, `sent "${message.method}" where the answer to ${id} was due`);
    if (message.kind === "error" && (message.id === id || message.id === null))
      throw new UpstreamRpcError(message.error, server);
    if (message.kind === "error" || message.id !== id)
      throw protocolError(server, `answered request ${JSON.stringify(message.id)} where the answer to ${id} was due`);
    this.#isAnswered = true;
    this.#isDone = onResult(message.answer.exactValue, text.length);
  }
}
