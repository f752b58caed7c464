/** Tokens that refill evenly up to a burst: a rate limit that costs two numbers, whatever the rate. */
import type { Clock } from "./clock.ts";

export class TokenBucket {
  readonly #clock: Pick<Clock, "now">;
  #ratePerSecond: number;
  #burst: number;
  #tokens: number;
  #refilledAtMs: number;

  /** Starts full. `burst` is the most that can be taken at once. */
  constructor(ratePerSecond: number, burst: number, clock: Pick<Clock, "now">) {
    this.#clock = clock;
    this.#ratePerSecond = ratePerSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#refilledAtMs = clock.now();
  }

  get ratePerSecond(): number {
    return this.#ratePerSecond;
  }

  get burst(): number {
    return this.#burst;
  }

  /** Takes one token if there is one. */
  take(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Whole milliseconds until {@link take} can succeed; 0 when it can now. */
  get waitMs(): number {
    this.#refill();
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.#ratePerSecond) * 1_000);
  }

  /** Changes the limit; what was taken stays taken. */
  configure(ratePerSecond: number, burst: number): void {
    this.#refill();
    this.#tokens = Math.min(Math.max(this.#tokens + burst - this.#burst, 0), burst);
    this.#ratePerSecond = ratePerSecond;
    this.#burst = burst;
  }

  #refill(): void {
    const nowMs = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#refilledAtMs) / 1_000) * this.#ratePerSecond);
    this.#refilledAtMs = nowMs;
  }
}
