/**
 * The stream a server may offer for what belongs to no request (basic/transports, "Listening for Messages from the
 * Server"). Offering none is normal. One that was offered is opened again when it ends.
 */

import type { Logger } from "../../core/log.ts";
import { Cancellation, type CancelSignal } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";
import { sleep } from "../../lib/sleep.ts";
import type { SseReader } from "../../mcp/sse.ts";
import { isEventStream, messageReader, readEvents, reconnectMs } from "./event-messages.ts";
import type { BodySink, HttpExchange } from "./http-exchange.ts";
import { isHeaderValue, type RequestHead } from "./request-head.ts";

export interface ListenOptions {
  readonly http: HttpExchange;
  readonly server: string;
  readonly maxEventBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the GET; with the id of the last event where there was one, so that the server can send what was missed. */
  head(lastEventId: string | undefined): RequestHead;
  onData(data: string): void;
}

const longestDelayMs = 60_000;
/** A stream that lived this long was sound: its end starts the back-off anew. */
const soundAfterMs = 10_000;

export class ListenStream implements BodySink {
  readonly #options: ListenOptions;
  readonly #stopping = new Cancellation();
  /** Of the last stream there was. */
  #reader: SseReader | undefined;
  #lastEventId: string | undefined;
  #retryMs = reconnectMs();
  /** Ends since the stream last carried something or held for a while. */
  #failures = 0;

  constructor(options: ListenOptions) {
    this.#options = options;
    void this.#run();
  }

  stop(): void {
    this.#stopping.abort();
  }

  push(bytes: Uint8Array): boolean {
    const { server, maxEventBytes } = this.#options;
    readEvents(this.#reader as SseReader, bytes, server, maxEventBytes);
    return false;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    const signal = this.#stopping;
    while (!signal.aborted) {
      const startedMs = clock.now();
      try {
        if (!(await this.#listen(signal))) return;
      } catch (error) {
        if (signal.aborted || this.#reader === undefined) return;
        log.debug("The stream for notifications broke", { error: String(error) });
      }
      if (clock.now() - startedMs > soundAfterMs) this.#failures = 0;
      this.#remember();
      const delayMs = Math.min(this.#retryMs * 2 ** this.#failures++, longestDelayMs);
      await sleep(delayMs, signal, clock).catch(() => {});
    }
  }

  /** Resolves when the stream ends; false when there is none. */
  async #listen(signal: CancelSignal): Promise<boolean> {
    const { http, head, maxEventBytes, onData } = this.#options;
    let offered = false;
    await http.send({
      head: head(this.#lastEventId),
      body: undefined,
      signal,
      stream: (response) => {
        offered = isEventStream(response);
        if (!offered) return undefined;
        this.#reader = messageReader(maxEventBytes, (data) => {
          this.#failures = 0;
          onData(data);
        });
        return this;
      },
    });
    return offered;
  }

  #remember(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    if (reader.lastEventId !== "" && isHeaderValue(reader.lastEventId)) this.#lastEventId = reader.lastEventId;
    if (reader.retryMs !== undefined) this.#retryMs = reconnectMs(reader.retryMs);
  }
}
