/** What calls cost, by UTC day: in all, by tool and by caller. Amounts are in the currency of the configuration. */

export interface Spending {
  calls: number;
  cost: number;
}

export interface LedgerDay {
  /** `2026-01-31` */
  readonly day: string;
  readonly total: Spending;
  /** By `server:tool`. */
  readonly tools: Readonly<Record<string, Spending>>;
  /** By the caller's name. */
  readonly callers: Readonly<Record<string, Spending>>;
}

const maxDays = 31;
/** Clients can call tools by made-up names; what is beyond counts in all and for the caller only. */
const maxNames = 10_000;

interface Day {
  readonly day: string;
  readonly total: Spending;
  readonly tools: Map<string, Spending>;
  readonly callers: Map<string, Spending>;
}

export class CostLedger {
  readonly #now: () => number;
  /** Oldest first. */
  #days: Day[];
  /** Called after every change. */
  onChange: (() => void) | undefined;

  /** @param now calendar time in milliseconds */
  constructor(now: () => number, days: readonly LedgerDay[] = []) {
    this.#now = now;
    this.#days = days.map(({ day, total, tools, callers }) => ({
      day,
      total: { ...total },
      tools: new Map(Object.entries(tools)),
      callers: new Map(Object.entries(callers)),
    }));
  }

  /** Of today: an amount below zero takes a call back. */
  charge(tool: string, caller: string, cost: number): void {
    const { total, tools, callers } = this.#today();
    const calls = cost < 0 ? -1 : 1;
    for (const spending of [total, entryOf(tools, tool), entryOf(callers, caller)])
      if (spending !== undefined) {
        spending.calls += calls;
        // Cents add up to what they are, not to 0.30000000000000004.
        spending.cost = Math.round((spending.cost + cost) * 1e9) / 1e9;
      }
    this.onChange?.();
  }

  get spentToday(): number {
    return this.#today().total.cost;
  }

  spentByCaller(caller: string): number {
    return this.#today().callers.get(caller)?.cost ?? 0;
  }

  /** Sum over the tools that match. */
  spentByTools(matches: (tool: string) => boolean): number {
    let sum = 0;
    for (const [tool, { cost }] of this.#today().tools) if (matches(tool)) sum += cost;
    return sum;
  }

  /** Until the day ends, and its budgets begin anew. */
  get restOfDayMs(): number {
    return dayMs - (this.#now() % dayMs);
  }

  days(): LedgerDay[] {
    this.#today();
    return this.#days.map(({ day, total, tools, callers }) => ({
      day,
      total,
      tools: Object.fromEntries(tools),
      callers: Object.fromEntries(callers),
    }));
  }

  #today(): Day {
    const day = new Date(this.#now()).toISOString().slice(0, 10);
    const last = this.#days.at(-1);
    // A clock that was set back goes on in the day that was begun.
    if (last !== undefined && last.day >= day) return last;
    const fresh = { day, total: { calls: 0, cost: 0 }, tools: new Map(), callers: new Map() };
    this.#days = [...this.#days, fresh].slice(-maxDays);
    return fresh;
  }
}

const dayMs = 86_400_000;

function entryOf(entries: Map<string, Spending>, name: string): Spending | undefined {
  const found = entries.get(name);
  if (found !== undefined || entries.size >= maxNames) return found;
  const fresh = { calls: 0, cost: 0 };
  entries.set(name, fresh);
  return fresh;
}
