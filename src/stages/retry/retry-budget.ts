/**
 * Keeps retries a small share of the calls, so that a failing backend gets little extra load just when it needs less.
 * One budget per backend, counted over the last ten seconds.
 */
import type { Clock } from "../../lib/clock.ts";
import { SlidingWindow } from "../../lib/sliding-window.ts";
import type { RetrySettings } from "./schema.ts";

const windowMs = 10_000;

export class RetryBudget {
  settings: RetrySettings;
  readonly #calls: SlidingWindow;
  readonly #retries: SlidingWindow;

  constructor(settings: RetrySettings, clock: Pick<Clock, "now">) {
    this.settings = settings;
    this.#calls = new SlidingWindow(windowMs, clock);
    this.#retries = new SlidingWindow(windowMs, clock);
  }

  /** Every call counts, once, whether it may be repeated or not. */
  countCall(): void {
    this.#calls.add();
  }

  /** Takes one retry out of the budget if one is left. */
  take(): boolean {
    const { budget_ratio, budget_per_second } = this.settings;
    const allowed = budget_ratio * this.#calls.total + (budget_per_second * windowMs) / 1_000;
    if (this.#retries.total + 1 > allowed) return false;
    this.#retries.add();
    return true;
  }
}
