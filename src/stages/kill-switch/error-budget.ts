/** The share of failed calls one backend or tool may have; used up, it is left alone for a while. */
import type { Clock } from "../../lib/clock.ts";
import { OutcomeWindow } from "../../lib/outcome-window.ts";
import type { ErrorBudgetSettings } from "./schema.ts";

export class ErrorBudget {
  readonly #clock: Pick<Clock, "now">;
  #settings: ErrorBudgetSettings;
  #window: OutcomeWindow;
  #usedUpAtMs: number | undefined;

  constructor(settings: ErrorBudgetSettings, clock: Pick<Clock, "now">) {
    this.#settings = settings;
    this.#clock = clock;
    this.#window = new OutcomeWindow(settings.max_calls, settings.window, clock);
  }

  /** Takes effect at once; what was counted stays while the window is the same. */
  set settings(next: ErrorBudgetSettings) {
    const { max_calls, window } = this.#settings;
    this.#settings = next;
    if (next.max_calls !== max_calls || next.window !== window)
      this.#window = new OutcomeWindow(next.max_calls, next.window, this.#clock);
  }

  /** Milliseconds until it is tried again, `Infinity` when only an operator can; 0 while it may be called. */
  get restMs(): number {
    const { enabled, cool_down } = this.#settings;
    if (this.#usedUpAtMs === undefined || !enabled) return 0;
    if (cool_down === 0) return Number.POSITIVE_INFINITY;
    const restMs = this.#usedUpAtMs + cool_down - this.#clock.now();
    if (restMs > 0) return restMs;
    this.refill();
    return 0;
  }

  get window(): { readonly successes: number; readonly failures: number } {
    return this.#window;
  }

  /** In [0, 1]; 0 while nothing was counted. */
  get errorRate(): number {
    const { successes, failures } = this.#window;
    return failures === 0 ? 0 : failures / (successes + failures);
  }

  /** Returns whether this call used the budget up. */
  count(failed: boolean): boolean {
    const { enabled, min_calls, failure_rate } = this.#settings;
    if (!enabled) return false;
    this.#window.add(failed);
    if (!failed || this.#usedUpAtMs !== undefined) return false;
    const { successes, failures } = this.#window;
    if (successes + failures < min_calls || this.errorRate < failure_rate) return false;
    this.#usedUpAtMs = this.#clock.now();
    return true;
  }

  /** Forgets what was counted. */
  refill(): void {
    this.#usedUpAtMs = undefined;
    this.#window.clear();
  }
}
