/** Which deliveries were told already: services send again what they think got lost, and so does who has recorded one. */
import type { Clock } from "../../lib/clock.ts";

/** The one that was seen first is forgotten first. */
const maxSeen = 10_000;

export class SeenDeliveries {
  readonly #clock: Pick<Clock, "now">;
  /** When each is forgotten, in monotonic milliseconds. */
  readonly #seen = new Map<string, number>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Whether one of the marks was seen. */
  has(marks: readonly string[]): boolean {
    const nowMs = this.#clock.now();
    return marks.some((mark) => (this.#seen.get(mark) ?? Number.NEGATIVE_INFINITY) > nowMs);
  }

  add(marks: readonly string[], forMs: number): void {
    for (const mark of marks) {
      this.#seen.delete(mark);
      this.#seen.set(mark, this.#clock.now() + forMs);
    }
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= maxSeen) return;
      this.#seen.delete(oldest);
    }
  }

  /** It was not told after all. */
  remove(marks: readonly string[]): void {
    for (const mark of marks) this.#seen.delete(mark);
  }
}
