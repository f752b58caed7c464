/**
 * One POST and its answer. Whether that is a JSON body or an event stream is decided by what comes first: the answer, a
 * notification that belongs before it, or so much silence that a keep-alive is due (basic/transports, "Sending Messages").
 */

import type { FaceContext } from "../../clients/face.ts";
import type { Session } from "../../clients/session.ts";
import type { Caller } from "../../core/caller.ts";
import { neverCancelled } from "../../lib/cancellation.ts";
import type { SharedTimer, Wait, Waiting } from "../../lib/shared-timer.ts";
import type { Accepted } from "./accept.ts";
import { EventStream, type StreamPace } from "./event-stream.ts";
import { send, sendEmpty, sendJson } from "./respond.ts";
import type { ResumableStream, SessionStreams } from "./session-streams.ts";
import type { Visit } from "./visit.ts";

/** JSON text of the response; several of a batch; `undefined` when none is due. */
export type Outcome = string | readonly string[] | undefined;

export const eventStreamHeaders = { "x-accel-buffering": "no" };

export interface ExchangePace extends StreamPace {
  /** For `keepAliveMs`, shared by all exchanges. */
  readonly silence: SharedTimer;
  streamsOf(session: Session): SessionStreams;
}

export class Exchange implements FaceContext, Waiting {
  readonly caller: Caller;
  readonly session: Session;
  readonly backend: string | undefined;
  readonly requestId: string;
  /** A legacy client that goes away has not cancelled; it says so by `notifications/cancelled`. */
  readonly signal = neverCancelled;
  readonly #visit: Visit;
  readonly #accepted: Accepted;
  readonly #pace: ExchangePace;
  #stream: ResumableStream | undefined;
  /** Of the stream, where that was opened before anybody waited for a response. */
  #response: Response | undefined;
  #decide: ((response: Response) => void) | undefined;
  /** Runs until something is sent. */
  #silence: Wait | undefined;
  #ended = false;

  constructor(visit: Visit, session: Session, accepted: Accepted, pace: ExchangePace) {
    this.caller = visit.caller;
    this.session = session;
    this.backend = session.backend;
    this.requestId = visit.requestId;
    this.#visit = visit;
    this.#accepted = accepted;
    this.#pace = pace;
  }

  emit(messageText: string): boolean {
    if (!this.#accepted.events || this.#ended) return false;
    this.#open().send(messageText);
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
    // Nothing is due for notifications, nor for a request that its client has cancelled.
    if (outcome === undefined || outcome.length === 0) {
      if (this.#stream === undefined) this.#decide?.(sendEmpty(this.#visit, 202));
      else this.#stream.end();
    } else if (inStream) {
      const stream = this.#open();
      if (typeof outcome === "string") stream.send(outcome);
      else for (const text of outcome) stream.send(text);
      stream.end();
    } else this.#decide?.(sendJson(this.#visit, 200, typeof outcome === "string" ? outcome : `[${outcome.join(",")}]`));
  }

  #end(): void {
    this.#ended = true;
    this.#silence?.cancel();
  }

  #open(): ResumableStream {
    if (this.#stream === undefined) {
      this.#silence?.cancel();
      const out = new EventStream(this.#pace);
      this.#stream = this.#pace.streamsOf(this.session).open(out, false);
      this.#response = send(this.#visit, 200, "text/event-stream", out.body, eventStreamHeaders);
      this.#decide?.(this.#response);
    }
    return this.#stream;
  }
}
