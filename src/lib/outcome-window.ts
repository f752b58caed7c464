/** How the newest calls ended: at most so many, none older than so long. Constant memory, constant time for each. */
import type { Clock } from "./clock.ts";

export class OutcomeWindow {
  readonly #clock: Pick<Clock, "now">;
  readonly #maxCount: number;
  readonly #maxAgeMs: number;
  /** Oldest first, from {@link #first} on, round and round. */
  readonly #atMs: number[] = [];
  readonly #failed: boolean[] = [];
  #first = 0;
  #count = 0;
  #failures = 0;

  constructor(maxCount: number, maxAgeMs: number, clock: Pick<Clock, "now">) {
    this.#maxCount = maxCount;
    this.#maxAgeMs = maxAgeMs;
    this.#clock = clock;
  }

  add(failed: boolean): void {
    if (this.#count === this.#maxCount) this.#dropOldest();
    const at = (this.#first + this.#count) % this.#maxCount;
    this.#atMs[at] = this.#clock.now();
    this.#failed[at] = failed;
    this.#count++;
    if (failed) this.#failures++;
  }

  get failures(): number {
    this.#forget();
    return this.#failures;
  }

  get successes(): number {
    this.#forget();
    return this.#count - this.#failures;
  }

  clear(): void {
    this.#count = 0;
    this.#failures = 0;
  }

  #forget(): void {
    const limitMs = this.#clock.now() - this.#maxAgeMs;
    while (this.#count > 0 && (this.#atMs[this.#first] as number) < limitMs) this.#dropOldest();
  }

  #dropOldest(): void {
    if (this.#failed[this.#first]) this.#failures--;
    this.#first = (this.#first + 1) % this.#maxCount;
    this.#count--;
  }
}
