/** Whether one backend and its tools may be called: an operator's word, and the error budgets. Outlives reloads. */
import type { Clock } from "../../lib/clock.ts";
import { ErrorBudget } from "./error-budget.ts";
import type { ErrorBudgetSettings } from "./schema.ts";

export interface KillSwitchSettings {
  readonly error_budget: ErrorBudgetSettings;
  readonly tool_error_budget: ErrorBudgetSettings;
}

/** What used up its budget: the backend, or one tool of it. */
export type Trip = { readonly tool: string | undefined; readonly errorRate: number };

/** Clients can call tools by made-up names; a server has fewer. */
const maxTools = 1_000;

const sameLossMs = 1_000;

export class KillSwitch {
  readonly #clock: Pick<Clock, "now">;
  #settings: KillSwitchSettings;
  readonly #budget: ErrorBudget;
  readonly #tools = new Map<string, ErrorBudget>();
  #isKilled = false;
  #lostAtMs = Number.NEGATIVE_INFINITY;
  /** Told when a budget is used up. */
  onTrip: ((trip: Trip) => void) | undefined;

  constructor(settings: KillSwitchSettings, clock: Pick<Clock, "now">) {
    this.#settings = settings;
    this.#clock = clock;
    this.#budget = new ErrorBudget(settings.error_budget, clock);
  }

  set settings(next: KillSwitchSettings) {
    this.#settings = next;
    this.#budget.settings = next.error_budget;
    for (const budget of this.#tools.values()) budget.settings = next.tool_error_budget;
  }

  /** Whether an operator switched the backend off. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Milliseconds until the backend is tried again, `Infinity` when only an operator can; 0 while it may be called. */
  get restMs(): number {
    return this.#isKilled ? Number.POSITIVE_INFINITY : this.#budget.restMs;
  }

  get errorRate(): number {
    return this.#budget.errorRate;
  }

  get window(): { readonly successes: number; readonly failures: number } {
    return this.#budget.window;
  }

  toolRestMs(tool: string): number {
    return this.#tools.get(tool)?.restMs ?? 0;
  }

  /** Tools that are left alone now. */
  *restingTools(): Generator<{ tool: string; errorRate: number; restMs: number }> {
    for (const [tool, budget] of this.#tools) {
      const { errorRate, restMs } = budget;
      if (restMs > 0) yield { tool, errorRate, restMs };
    }
  }

  kill(): void {
    this.#isKilled = true;
  }

  /** Undoes {@link kill}, and forgives everything that was counted. */
  revive(): void {
    this.#isKilled = false;
    this.#budget.refill();
    this.#tools.clear();
  }

  succeeded(tool: string | undefined): void {
    this.#count(tool, false, false);
  }

  /** The backend did not answer this call, but may well answer others. */
  failed(tool: string | undefined): void {
    this.#count(tool, true, true);
  }

  /** The backend answered that something in it is broken. */
  failedInside(tool: string | undefined): void {
    this.#count(tool, false, true);
  }

  /** The backend was lost or could not be started: that is one failure, however many calls it took along, and of no tool. */
  lost(): void {
    const nowMs = this.#clock.now();
    if (nowMs - this.#lostAtMs < sameLossMs) return;
    this.#lostAtMs = nowMs;
    this.#count(undefined, true, false);
  }

  #count(tool: string | undefined, failed: boolean, toolFailed: boolean): void {
    if (this.#budget.count(failed)) this.onTrip?.({ tool: undefined, errorRate: this.#budget.errorRate });
    if (tool === undefined || !this.#settings.tool_error_budget.enabled) return;
    let budget = this.#tools.get(tool);
    // A tool that never failed has nothing to be counted for.
    if (budget === undefined) {
      if (!toolFailed || this.#tools.size >= maxTools) return;
      budget = new ErrorBudget(this.#settings.tool_error_budget, this.#clock);
      this.#tools.set(tool, budget);
    }
    if (budget.count(toolFailed)) this.onTrip?.({ tool, errorRate: budget.errorRate });
  }
}
