/**
 * A response body of server-sent events. The reader sets the pace: what it has not taken waits here, and a reader that
 * falls behind for good is cut off, so that no producer waits and no memory grows (F9).
 */
import type { Caller } from "../../core/caller.ts";
import type { Clock } from "../../lib/clock.ts";
import { encodeSseEvent, sseComment } from "../../mcp/sse.ts";

/** Time a reader has to come back below the limit: a burst within one turn of the event loop is not slowness. */
const graceMs = 1_000;
/** Times the limit at which a stream is cut without grace. */
const hardFactor = 10;
const keepAliveComment = sseComment("keep-alive");
const encoder = new TextEncoder();

/** How streams behave; one for all streams of a door, and live: read anew each time. */
export interface StreamPace {
  readonly clock: Clock;
  /** Messages that may wait for the reader (`streaming.buffer_size`). */
  readonly maxWaiting: number;
  /** Milliseconds of silence after which a comment is due. */
  readonly keepAliveMs: number;
}

/** Calls `end` when the credential ends by itself; the returned function cancels it. */
export function whenExpired({ validUntil }: Caller, clock: Clock, end: () => void): () => void {
  return validUntil === undefined ? () => {} : clock.after(validUntil - Date.now(), end);
}

export class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #pace: StreamPace;
  readonly #onClosed: (() => void) | undefined;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #waiting: string[] = [];
  /** The reader asked and got nothing yet. */
  #hungry = false;
  /** `ending` sends what waits and then closes. */
  #state: "open" | "ending" | "closed" = "open";
  /** A message was sent since a comment was last due. */
  #spoke = false;
  #cancelKeepAlive: () => void;
  #cancelCut: (() => void) | undefined;

  /** @param onClosed called once, however the stream ended: by us, by the client, or because the reader was too slow */
  constructor(pace: StreamPace, onClosed?: () => void) {
    this.#pace = pace;
    this.#onClosed = onClosed;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#close(),
      },
      { highWaterMark: 0 },
    );
    this.#cancelKeepAlive = this.#armKeepAlive();
  }

  /** Sends one JSON-RPC message; does nothing once the stream has ended. */
  send(messageText: string, id?: string): void {
    this.sendAs("message", messageText, id);
  }

  sendAs(event: string, data: string, id?: string): void {
    if (this.#state !== "open") return;
    this.#spoke = true;
    this.#write(encodeSseEvent({ event, data, id }));
  }

  /** An event with an id and no data. */
  prime(id: string): void {
    if (this.#state === "open") this.#write(encodeSseEvent({ data: "", id }));
  }

  comment(): void {
    if (this.#state === "open") this.#write(keepAliveComment);
  }

  /** Lets the reader have what waits, then closes. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#cancelKeepAlive();
    if (this.#waiting.length === 0) this.#finish();
    else this.#cancelCut ??= this.#pace.clock.after(this.#pace.keepAliveMs, () => this.#finish());
  }

  #write(eventText: string): void {
    if (this.#hungry) {
      this.#hungry = false;
      this.#enqueue(eventText);
      return;
    }
    this.#waiting.push(eventText);
    const { maxWaiting, clock } = this.#pace;
    if (this.#waiting.length > maxWaiting * hardFactor) this.#finish();
    else if (this.#waiting.length > maxWaiting) this.#cancelCut ??= clock.after(graceMs, () => this.#finish());
  }

  #pull(): void {
    if (this.#waiting.length === 0) {
      this.#hungry = true;
      return;
    }
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#cancelCut?.();
    this.#cancelCut = undefined;
    this.#enqueue(text);
    if (this.#state === "ending") this.#finish();
  }

  #enqueue(text: string): void {
    try {
      this.#controller.enqueue(encoder.encode(text));
    } catch {
      // The runtime gave the stream up without telling; timers of ours must not fail for it.
      this.#close();
    }
  }

  #finish(): void {
    if (this.#state === "closed") return;
    this.#close();
    try {
      this.#controller.close();
    } catch {
      // As above.
    }
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#waiting = [];
    this.#cancelKeepAlive();
    this.#cancelCut?.();
    this.#onClosed?.();
  }

  #armKeepAlive(): () => void {
    return this.#pace.clock.after(this.#pace.keepAliveMs, () => {
      // To a reader that does not take what waits already, a comment says nothing.
      if (!this.#spoke && this.#waiting.length === 0) this.comment();
      this.#spoke = false;
      this.#cancelKeepAlive = this.#armKeepAlive();
    });
  }
}
