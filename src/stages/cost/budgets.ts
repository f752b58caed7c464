/** Which budgets a call touches, what is left of them, and what that means for the call. */
import { globMatches } from "../../lib/glob.ts";
import type { CostLedger } from "./ledger.ts";
import type { CostGovernanceSettings } from "./schema.ts";

export type Budget = {
  readonly scope: "daily" | "tool" | "key";
  /** Of the tool or key; empty for the daily one. */
  readonly name: string;
  readonly limit: number;
  readonly spent: number;
};

export interface Alert {
  readonly budget: Budget;
  /** The share that is used after the call. */
  readonly percent: number;
  readonly atPercent: number;
  readonly action: "log" | "notify" | "block";
}

/** Cost of one call: `server:tool` before `tool`, names before globs. */
export function costOf({ tool_costs, default_cost }: CostGovernanceSettings, server: string, tool: string): number {
  const key = matchingKey(Object.keys(tool_costs), server, tool);
  return key === undefined ? default_cost : (tool_costs[key] as number);
}

function matchingKey(keys: readonly string[], server: string, tool: string): string | undefined {
  const qualified = `${server}:${tool}`;
  return (
    keys.find((key) => key === qualified) ??
    keys.find((key) => key === tool) ??
    keys.find((key) => globMatches(key, qualified) || globMatches(key, tool))
  );
}

/** Whether a key of the settings means the tool, given as `server:tool`. */
export function matchesTool(key: string, qualified: string): boolean {
  return globMatches(key, qualified) || globMatches(key, qualified.slice(qualified.indexOf(":") + 1));
}

/** The budgets this call counts against. */
export function budgetsOf(
  { budgets }: CostGovernanceSettings,
  ledger: CostLedger,
  call: { readonly server: string; readonly tool: string; readonly caller: string },
): Budget[] {
  const found: Budget[] = [];
  if (budgets.daily !== undefined)
    found.push({ scope: "daily", name: "", limit: budgets.daily, spent: ledger.spentToday });
  for (const [name, limit] of Object.entries(budgets.per_tool))
    if (matchesTool(name, `${call.server}:${call.tool}`))
      found.push({ scope: "tool", name, limit, spent: ledger.spentByTools((tool) => matchesTool(name, tool)) });
  const ofKey = Object.hasOwn(budgets.per_key, call.caller) ? budgets.per_key[call.caller] : undefined;
  if (ofKey !== undefined)
    found.push({ scope: "key", name: call.caller, limit: ofKey, spent: ledger.spentByCaller(call.caller) });
  return found;
}

/** The alerts a call of this cost reaches, hardest first. Reaching a limit exactly is not going beyond it. */
export function alertsOf({ alerts }: CostGovernanceSettings, budgets: readonly Budget[], cost: number): Alert[] {
  const hardness = { block: 0, notify: 1, log: 2 };
  const found = budgets.flatMap((budget) => {
    const after = budget.spent + cost;
    const percent = budget.limit === 0 ? Number.POSITIVE_INFINITY : (after / budget.limit) * 100;
    return alerts
      .filter(({ at_percent, action }) => (action === "block" ? percent > at_percent + 1e-9 : percent >= at_percent))
      .map(({ at_percent, action }): Alert => ({ budget, percent, atPercent: at_percent, action }));
  });
  return found.sort((a, b) => hardness[a.action] - hardness[b.action]);
}

/** Tools that can stand in for this one and cost less, cheapest first. */
export function cheaperTools(settings: CostGovernanceSettings, server: string, tool: string, cost: number): string[] {
  const others = new Set<string>();
  for (const tools of Object.values(settings.alternatives ?? {}))
    if (tools.some((name) => name === tool || name === `${server}:${tool}`))
      for (const name of tools) if (name !== tool && name !== `${server}:${tool}`) others.add(name);
  const priced = [...others].map((name) => {
    const colon = name.indexOf(":");
    return {
      name,
      cost: colon < 0 ? costOf(settings, "", name) : costOf(settings, name.slice(0, colon), name.slice(colon + 1)),
    };
  });
  return priced
    .filter((other) => other.cost < cost)
    .sort((a, b) => a.cost - b.cost)
    .map(({ name }) => name);
}

/** `the daily budget`, `the budget of tool "web:search"`, `the budget of key "ci"` */
export function budgetName({ scope, name }: Budget): string {
  return scope === "daily" ? "the daily budget" : `the budget of ${scope} "${name}"`;
}
