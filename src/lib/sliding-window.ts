/** A count of what happened lately, in a ring of slots: constant memory and constant time, exact to one slot. */
import type { Clock } from "./clock.ts";

const slotCount = 10;

export class SlidingWindow {
  readonly #clock: Pick<Clock, "now">;
  readonly #slotMs: number;
  readonly #slots = new Array<number>(slotCount).fill(0);
  /** Number of the newest slot, counted from the clock's zero. */
  #newest: number;
  #total = 0;

  constructor(windowMs: number, clock: Pick<Clock, "now">) {
    this.#clock = clock;
    this.#slotMs = windowMs / slotCount;
    this.#newest = Math.floor(clock.now() / this.#slotMs);
  }

  add(count = 1): void {
    this.#advance();
    const slot = this.#newest % slotCount;
    this.#slots[slot] = (this.#slots[slot] as number) + count;
    this.#total += count;
  }

  /** What was added within the window; the oldest slot leaves it as a whole. */
  get total(): number {
    this.#advance();
    return this.#total;
  }

  #advance(): void {
    const current = Math.floor(this.#clock.now() / this.#slotMs);
    // Beyond a full turn every slot is stale, so clearing each once is enough.
    const first = Math.max(this.#newest + 1, current - slotCount + 1);
    for (let slot = first; slot <= current; slot++) {
      this.#total -= this.#slots[slot % slotCount] as number;
      this.#slots[slot % slotCount] = 0;
    }
    this.#newest = current;
  }
}
