import * as v from "valibot";
import { maybe, setting } from "../../core/kinds.ts";

const amount = v.pipe(v.number(), v.minValue(0));
const amounts = v.record(v.string(), amount);
const percent = v.pipe(v.number(), v.minValue(0), v.maxValue(100));

const defaultAlerts = [
  { at_percent: 50, action: "log" },
  { at_percent: 80, action: "notify" },
  { at_percent: 100, action: "block" },
] as const;

export const costGovernanceSchema = v.object({
  enabled: setting(v.boolean(), false, "Count what calls cost and keep to budgets"),
  currency: setting(v.string(), "USD", "Currency of all amounts"),
  default_cost: setting(amount, 0, "Cost of a call of a tool that has no cost of its own"),
  tool_costs: setting(amounts, {}, "Cost of one call by tool: `server:tool` or `tool`, also as a glob"),
  alternatives: maybe(v.record(v.string(), v.array(v.string())), "Tools that can stand in for each other, by category"),
  budgets: setting(
    v.object({
      daily: maybe(amount, "Budget of a day (UTC) in all"),
      per_tool: setting(
        amounts,
        {},
        "Budget of a day (UTC) by tool: `server:tool` or `tool`, also as a glob over all its tools",
      ),
      per_key: setting(amounts, {}, "Budget of a day by the name of an API key"),
    }),
    {},
    "Budgets",
  ),
  alerts: setting(
    v.array(
      v.object({
        at_percent: v.pipe(percent, v.description("Share of a budget that is used")),
        action: v.pipe(
          v.picklist(["log", "notify", "block"]),
          v.description("A warning in the log, a warning in the result, or refusal of what goes beyond"),
        ),
      }),
    ),
    [...defaultAlerts],
    "What happens at which share of a budget",
  ),
});
export type CostGovernanceSettings = v.InferOutput<typeof costGovernanceSchema>;
