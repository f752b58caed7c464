/**
 * One POST and its answer. Whether that is a JSON body or an event stream is decided by what comes first: the answer, a
 * notification that belongs before it, or so much silence that a keep-alive is due (basic/transports, "Sending Messages").
 */

import type { FaceContext } from "../../clients/face.ts";
import type { Session } from "../../clients/session.ts";
import type { NetworkPeer } from "../../core/call.ts";
import type { Caller } from "../../core/caller.ts";
import { CancelledError } from "../../core/errors.ts";
import { type Cancellation, type CancelSignal, neverCancelled } from "../../lib/cancellation.ts";
import type { SharedTimer, Wait, Waiting } from "../../lib/shared-timer.ts";
import { type RequestId, resultHead } from "../../mcp/json-rpc.ts";
import { partsBody } from "../../runtime/parts-body.ts";
import type { Accepted } from "./accept.ts";
import { EventStream, type StreamPace } from "./event-stream.ts";
import { RequestCredentials } from "./request-credentials.ts";
import { send, sendEmpty, sendJson } from "./respond.ts";
import type { ResumableStream, SessionStreams } from "./session-streams.ts";
import type { Visit } from "./visit.ts";

/** JSON text of the response, with its status where that is not 200; several of a batch; `undefined` when none is due. */
export type Outcome = string | { readonly text: string; readonly status: number } | readonly string[] | undefined;

export const eventStreamHeaders = { "x-accel-buffering": "no" };

export interface ExchangePace extends StreamPace {
  /** For `keepAliveMs`, shared by all exchanges. */
  readonly silence: SharedTimer;
  streamsOf(session: Session): SessionStreams;
}

type AnswerStream = Pick<ResumableStream, "send" | "comment" | "end">;

export class Exchange implements FaceContext, Waiting {
  readonly caller: Caller;
  readonly session: Session | undefined;
  readonly backend: string | undefined;
  readonly requestId: string;
  readonly signal: CancelSignal;
  readonly #visit: Visit;
  readonly #accepted: Accepted;
  readonly #pace: ExchangePace;
  readonly #gone: Cancellation | undefined;
  #stream: AnswerStream | undefined;
  /** Of the stream, where that was opened before anybody waited for a response. */
  #response: Response | undefined;
  #decide: ((response: Response) => void) | undefined;
  /** Runs until something is sent. */
  #silence: Wait | undefined;
  /** Long answers, each as the parts of its text. */
  readonly #long: (readonly string[])[] = [];
  #ended = false;

  /**
   * @param gone aborted when the client hangs up, and where that cancels. A legacy client has not cancelled then; it
   *   says so by `notifications/cancelled`, and can fetch the rest of a stream of its session
   */
  constructor(
    visit: Visit,
    session: Session | undefined,
    accepted: Accepted,
    pace: ExchangePace,
    gone?: Cancellation | undefined,
  ) {
    this.caller = visit.caller;
    this.session = session;
    this.backend = session?.backend;
    this.signal = gone ?? neverCancelled;
    this.#gone = gone;
    this.requestId = visit.requestId;
    this.#visit = visit;
    this.#accepted = accepted;
    this.#pace = pace;
  }

  get address(): string {
    return this.#visit.request.url;
  }

  get credentials(): RequestCredentials {
    return new RequestCredentials(this.#visit.request.headers, this.caller, this.backend);
  }

  get peer(): NetworkPeer {
    return this.#visit.peer;
  }

  get traceparent(): string | undefined {
    return this.#visit.request.headers.get("traceparent") ?? undefined;
  }

  emit(messageText: string): boolean {
    if (!this.#accepted.events || this.#ended) return false;
    this.#open().send(messageText);
    return true;
  }

  answerLong(id: RequestId, resultText: string): boolean {
    // An event is one text.
    if (this.#stream !== undefined || !this.#accepted.json) return false;
    this.#long.push([resultHead(id), resultText, "}"]);
    return true;
  }

  /** @param work what the face does for this request */
  respond(work: Promise<Outcome>): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#decide = resolve;
      if (this.#response !== undefined) resolve(this.#response);
      else this.#silence = this.#pace.silence.start(this, this.#pace.clock.now());
      void this.#answer(work, reject);
    });
  }

  /** It has been silent for long. */
  onTime(): void {
    if (this.#accepted.events) this.#open().comment();
    else this.#visit.peer.keepOpen();
  }

  async #answer(work: Promise<Outcome>, reject: (error: unknown) => void): Promise<void> {
    try {
      this.#finish(await work);
    } catch (error) {
      this.#end();
      this.#stream?.end();
      reject(error);
    }
  }

  #finish(outcome: Outcome): void {
    this.#end();
    const inStream = this.#stream !== undefined || !this.#accepted.json;
    const [long] = this.#long;
    // Nothing is due for notifications, nor for a request that its client has cancelled.
    if (long === undefined && (outcome === undefined || (Array.isArray(outcome) && outcome.length === 0))) {
      if (this.#stream === undefined) this.#decide?.(sendEmpty(this.#visit, 202));
      else this.#stream.end();
    } else if (inStream) {
      const stream = this.#open();
      for (const text of this.#textsOf(outcome)) stream.send(text);
      stream.end();
    } else if (typeof outcome === "string") this.#decide?.(sendJson(this.#visit, 200, outcome));
    else if (outcome === undefined) this.#decide?.(sendJson(this.#visit, 200, partsBody(long as readonly string[])));
    else if ("status" in outcome) this.#decide?.(sendJson(this.#visit, outcome.status, outcome.text));
    else this.#decide?.(sendJson(this.#visit, 200, `[${this.#textsOf(outcome).join(",")}]`));
  }

  #textsOf(outcome: Outcome): readonly string[] {
    const long = this.#long.map((parts) => parts.join(""));
    if (outcome === undefined) return long;
    if (typeof outcome === "string") return [outcome];
    return "status" in outcome ? [outcome.text] : [...outcome, ...long];
  }

  #end(): void {
    this.#ended = true;
    this.#silence?.cancel();
  }

  #open(): AnswerStream {
    if (this.#stream === undefined) {
      this.#silence?.cancel();
      const out = new EventStream(this.#pace, () => this.#gone?.abort(new CancelledError("The client disconnected")));
      this.#stream = this.session === undefined ? out : this.#pace.streamsOf(this.session).open(out, false);
      this.#response = send(this.#visit, 200, "text/event-stream", out.body, eventStreamHeaders);
      this.#decide?.(this.#response);
    }
    return this.#stream;
  }
}
