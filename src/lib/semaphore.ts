/**
 * A number of places and a bounded queue for them, first come first served. The queue is a linked list, because
 * a waiter may leave from the middle at any time and ten thousand of them must not make that slow.
 */
import type { CancelSignal } from "./cancellation.ts";
import type { Clock } from "./clock.ts";

/** `full`: the queue has no room; `timeout`: no place became free in time. */
export type Place = "acquired" | "full" | "timeout";

interface Waiter {
  readonly untilMs: number;
  settle(place: Place): void;
  before: Waiter | undefined;
  after: Waiter | undefined;
}

export class Semaphore {
  readonly #clock: Clock;
  #places: number;
  #maxWaiting: number;
  #running = 0;
  #waiting = 0;
  #first: Waiter | undefined;
  #last: Waiter | undefined;

  constructor(places: number, maxWaiting: number, clock: Clock) {
    this.#places = places;
    this.#maxWaiting = maxWaiting;
    this.#clock = clock;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a place if one is free. It cannot overtake: a free place and a waiter never exist together. */
  tryAcquire(): boolean {
    if (this.#running >= this.#places) return false;
    this.#running++;
    return true;
  }

  /** Waits at most `waitMs` for a place. Rejects with the signal's reason when aborted meanwhile. */
  acquire(waitMs: number, signal: CancelSignal): Promise<Place> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.tryAcquire()) return Promise.resolve("acquired");
    if (this.#waiting >= this.#maxWaiting) return Promise.resolve("full");
    if (waitMs <= 0) return Promise.resolve("timeout");
    return new Promise((resolve, reject) => {
      const end = () => {
        cancelTimer();
        signal.removeEventListener("abort", onAbort);
        this.#remove(waiter);
      };
      const waiter: Waiter = {
        untilMs: this.#clock.now() + waitMs,
        settle(place) {
          end();
          resolve(place);
        },
        before: this.#last,
        after: undefined,
      };
      const onAbort = () => {
        end();
        reject(signal.reason);
      };
      const cancelTimer = this.#clock.after(waitMs, () => waiter.settle("timeout"));
      signal.addEventListener("abort", onAbort);
      if (this.#last) this.#last.after = waiter;
      else this.#first = waiter;
      this.#last = waiter;
      this.#waiting++;
    });
  }

  /** Gives a place back; call it exactly once for every place acquired. */
  release(): void {
    this.#running--;
    this.#admit();
  }

  /** Changes the limits; what runs or waits already stays. */
  configure(places: number, maxWaiting: number): void {
    this.#places = places;
    this.#maxWaiting = maxWaiting;
    this.#admit();
  }

  #admit(): void {
    while (this.#first && this.#running < this.#places) {
      const waiter = this.#first;
      // The timer of a waiter may be late when the event loop was busy; its time is over all the same.
      const late = this.#clock.now() >= waiter.untilMs;
      if (!late) this.#running++;
      waiter.settle(late ? "timeout" : "acquired");
    }
  }

  #remove(waiter: Waiter): void {
    if (waiter.before) waiter.before.after = waiter.after;
    else this.#first = waiter.after;
    if (waiter.after) waiter.after.before = waiter.before;
    else this.#last = waiter.before;
    this.#waiting--;
  }
}
