/**
 * One timer for many waits of the same length that nearly all end before their time: a wait costs an entry in a map,
 * not a timer of the runtime. They are due in the order they began, so that only the first needs watching.
 */
import type { Clock } from "./clock.ts";

export interface Waiting {
  /** Its time is over; it does not wait any more. Must not throw. */
  onTime(): void;
}

export class SharedTimer {
  readonly ms: number;
  readonly #clock: Clock;
  readonly #dueAtMs = new Map<Waiting, number>();
  #cancelTimer: (() => void) | undefined;

  constructor(ms: number, clock: Clock) {
    this.ms = ms;
    this.#clock = clock;
  }

  /** @param nowMs what {@link Clock.now} gave just now */
  start(waiting: Waiting, nowMs: number): void {
    this.#dueAtMs.set(waiting, nowMs + this.ms);
    if (this.#cancelTimer === undefined) this.#arm(this.ms);
  }

  /** Does nothing for one that does not wait. */
  cancel(waiting: Waiting): void {
    if (this.#dueAtMs.delete(waiting) && this.#dueAtMs.size === 0) this.#disarm();
  }

  #arm(ms: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(ms, () => this.#onTimer());
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #onTimer(): void {
    const nowMs = this.#clock.now();
    for (const [waiting, dueAtMs] of this.#dueAtMs) {
      if (dueAtMs > nowMs) {
        this.#arm(dueAtMs - nowMs);
        return;
      }
      this.#dueAtMs.delete(waiting);
      waiting.onTime();
    }
    this.#disarm();
  }
}
