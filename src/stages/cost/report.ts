/** What was spent and what is left, for whoever asks. */
import { type Budget, matchesTool } from "./budgets.ts";
import type { CostLedger, LedgerDay, Spending } from "./ledger.ts";
import type { CostGovernanceSettings } from "./schema.ts";

export type CostReport = {
  readonly enabled: boolean;
  readonly currency: string;
  /** UTC */
  readonly day: string | null;
  readonly total_calls: number;
  readonly total_cost: number;
  readonly budgets: readonly (Budget & { readonly percent: number })[];
  /** Dearest first. */
  readonly by_tool: readonly { readonly tool_key: string; readonly call_count: number; readonly cost: number }[];
  readonly by_key: readonly { readonly key: string; readonly call_count: number; readonly cost: number }[];
  /** Newest first, today included. */
  readonly days: readonly { readonly day: string; readonly call_count: number; readonly cost: number }[];
};

export function costReport(settings: CostGovernanceSettings, ledger: CostLedger): CostReport {
  const days = ledger.days();
  const today = days.at(-1) as LedgerDay;
  const { daily, per_tool, per_key } = settings.budgets;
  const budgets: Budget[] = [
    ...(daily === undefined ? [] : [{ scope: "daily" as const, name: "", limit: daily, spent: ledger.spentToday }]),
    ...Object.entries(per_tool).map(([name, limit]) => ({
      scope: "tool" as const,
      name,
      limit,
      spent: ledger.spentByTools((tool) => matchesTool(name, tool)),
    })),
    ...Object.entries(per_key).map(([name, limit]) => ({
      scope: "key" as const,
      name,
      limit,
      spent: ledger.spentByCaller(name),
    })),
  ];
  return {
    enabled: settings.enabled,
    currency: settings.currency,
    day: today.day,
    total_calls: today.total.calls,
    total_cost: today.total.cost,
    budgets: budgets.map((budget) => ({
      ...budget,
      percent: budget.limit === 0 ? 100 : Math.round((budget.spent / budget.limit) * 1_000) / 10,
    })),
    by_tool: dearestFirst(today.tools).map(([tool_key, { calls, cost }]) => ({ tool_key, call_count: calls, cost })),
    by_key: dearestFirst(today.callers).map(([key, { calls, cost }]) => ({ key, call_count: calls, cost })),
    days: days.toReversed().map(({ day, total }) => ({ day, call_count: total.calls, cost: total.cost })),
  };
}

function dearestFirst(entries: Readonly<Record<string, Spending>>): [string, Spending][] {
  return Object.entries(entries).sort(([, a], [, b]) => b.cost - a.cost || b.calls - a.calls);
}
