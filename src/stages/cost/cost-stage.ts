/** Counts what calls cost and keeps to budgets. Below the cache: what needs no server costs nothing. */
import type { Answer } from "../../core/answer.ts";
import type { Call, Next, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import { toolName } from "../tool-name.ts";
import { type Alert, alertsOf, type Budget, budgetName, budgetsOf, cheaperTools, costOf } from "./budgets.ts";
import type { CostLedger } from "./ledger.ts";
import type { CostGovernanceSettings } from "./schema.ts";
import type { Charge, SharedLedger } from "./shared-ledger.ts";

export interface CostBook {
  /** Resolves at once but for the first time. */
  ledger(): CostLedger | Promise<CostLedger>;
  /** What all gateways spend together; left out, this one is alone. */
  shared?(): Promise<SharedLedger> | undefined;
  /** Told of every alert but those that only the caller gets to see; the same one may come again and again. */
  onAlert(alert: Alert): void;
}

const metaKey = "mcp-gateway/cost";

export function costStage(settings: CostGovernanceSettings, book: CostBook | undefined): Stage | undefined {
  if (!settings.enabled || book === undefined) return undefined;
  const blockAtPercent = Math.min(
    ...settings.alerts.filter(({ action }) => action === "block").map(({ at_percent }) => at_percent),
  );

  function run(call: Call, next: Next, tool: string, ledger: CostLedger): ReturnType<Next> {
    const { upstream: server } = call;
    const caller = call.caller.name;
    const charge: Charge = { tool: `${server}:${tool}`, caller, cost: costOf(settings, server, tool) };
    const budgets = () => (charge.cost === 0 ? [] : budgetsOf(settings, ledger, { server, tool, caller }));
    const sharing = book?.shared?.();
    if (sharing === undefined) return pay(call, next, tool, ledger, charge, budgets());
    if (charge.cost === 0) {
      // Only to be counted.
      void sharing.then((shared) => shared.reserve(charge, budgets, blockAtPercent));
      return pay(call, next, tool, ledger, charge, []);
    }
    return sharing.then(async (shared) => {
      const reserved = await shared.reserve(charge, budgets, blockAtPercent);
      return pay(call, next, tool, ledger, charge, reserved.budgets, reserved.takeBack);
    });
  }

  /** @param takeBack what gives back what the budgets of all gateways were charged already */
  function pay(
    call: Call,
    next: Next,
    tool: string,
    ledger: CostLedger,
    charge: Charge,
    budgets: readonly Budget[],
    takeBack?: () => void,
  ): ReturnType<Next> {
    const { cost, caller } = charge;
    const alerts = cost === 0 ? [] : alertsOf(settings, budgets, cost);
    for (const alert of alerts) if (alert.action !== "notify") book?.onAlert(alert);
    const blocking = alerts.find(({ action }) => action === "block");
    const cheaper = alerts.length === 0 ? [] : cheaperTools(settings, call.upstream, tool, cost);
    if (blocking !== undefined) {
      takeBack?.();
      return Promise.reject(refusal(call, tool, blocking, cheaper, ledger));
    }
    // Before the call, or calls that run at once would go beyond together.
    ledger.charge(charge.tool, caller, cost);
    const warnings = alerts.filter(({ action }) => action === "notify").map(warningOf);
    return next(call).then(
      (answer) => (warnings.length === 0 ? answer : withWarnings(answer, warnings, cheaper)),
      (error) => {
        // It never got there.
        if (error instanceof DeniedError && cost > 0) {
          ledger.charge(charge.tool, caller, -cost);
          takeBack?.();
        }
        throw error;
      },
    );
  }

  function warningOf({ budget, percent }: Alert): string {
    return `${Math.floor(percent)} % of ${budgetName(budget)} (${budget.limit} ${settings.currency} a day) is used`;
  }

  function refusal(
    call: Call,
    tool: string,
    alert: Alert,
    cheaper: readonly string[],
    ledger: CostLedger,
  ): DeniedError {
    const { budget } = alert;
    return new DeniedError(
      "BUDGET_EXCEEDED",
      `Tool "${tool}" of server "${call.upstream}" costs more than is left of ${budgetName(budget)}: ${budget.spent} of ${budget.limit} ${settings.currency} are used`,
      {
        hint:
          cheaper.length > 0
            ? `Cheaper: ${cheaper.join(", ")}`
            : "Budgets begin anew at midnight UTC; an operator can raise cost_governance.budgets",
        data: { server: call.upstream, retry_after_ms: Math.ceil(ledger.restOfDayMs) },
      },
    );
  }

  return (call, next) => {
    const tool = toolName(call);
    if (tool === undefined) return next(call);
    const ledger = book.ledger();
    return ledger instanceof Promise
      ? ledger.then((ready) => run(call, next, tool, ready))
      : run(call, next, tool, ledger);
  };
}

function withWarnings(answer: Answer, warnings: readonly string[], cheaper: readonly string[]): Answer {
  const note = { warnings, ...(cheaper.length > 0 && { suggestion: `Cheaper: ${cheaper.join(", ")}` }) };
  return answer.withMeta({ [metaKey]: note });
}
