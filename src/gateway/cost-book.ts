/** The ledger of costs on disk, and what is said when a budget runs low. Loaded with the first call that costs something. */
import type { Logger } from "../core/log.ts";
import type { Clock } from "../lib/clock.ts";
import { DelayedWrite } from "../lib/delayed-write.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { isMissing, readText, writeAtomic } from "../runtime/files.ts";
import { type Alert, type Budget, budgetName } from "../stages/cost/budgets.ts";
import { CostLedger, type LedgerDay } from "../stages/cost/ledger.ts";

const formatVersion = 1;
const maxFileBytes = 64 * 1_048_576;
/** So much spending a crash can make forget, at most. */
const saveAfterMs = 2_000;

export interface OpenCostBook {
  readonly ledger: CostLedger;
  note(alert: Alert): void;
  flush(): Promise<void>;
}

export interface CostBookOptions {
  /** `undefined` keeps costs in memory. */
  readonly path: string | undefined;
  readonly clock: Pick<Clock, "after">;
  readonly log: Logger;
  /** Calendar time in milliseconds. */
  readonly now: () => number;
  onProblem(error: unknown): void;
}

export async function openCostBook({ path, clock, log, now, onProblem }: CostBookOptions): Promise<OpenCostBook> {
  const ledger = new CostLedger(now, path === undefined ? [] : await readDays(path, log));
  const file =
    path === undefined
      ? undefined
      : new DelayedWrite({
          clock,
          afterMs: saveAfterMs,
          onProblem,
          write: () =>
            writeAtomic(path, JSON.stringify({ version: formatVersion, days: ledger.days() }), { mode: 0o600 }),
        });
  /** Day, budget and share of every alert that was logged. */
  const said = new Set<string>();

  ledger.onChange = () => file?.touch();

  return {
    ledger,
    note({ budget, percent, atPercent, action }) {
      const day = new Date(now()).toISOString().slice(0, 10);
      const key = `${day} ${idOf(budget)} ${atPercent} ${action}`;
      if (said.has(key)) return;
      if (said.size > 10_000) said.clear();
      said.add(key);
      const message = action === "block" ? "A budget is used up: what goes beyond is refused" : "A budget runs low";
      log.warn(message, { budget: budgetName(budget), limit: budget.limit, percent: Math.round(percent) });
    },
    async flush() {
      await file?.flush();
    },
  };
}

function idOf({ scope, name }: Budget): string {
  return `${scope}:${name}`;
}

async function readDays(path: string, log: Logger): Promise<LedgerDay[]> {
  try {
    const file = JSON.parse(await readText(path, maxFileBytes)) as Json;
    const days = isJsonObject(file) && file["version"] === formatVersion ? file["days"] : undefined;
    if (!Array.isArray(days) || !days.every(isDay)) throw new Error("It is not what the gateway writes");
    return days as unknown as LedgerDay[];
  } catch (error) {
    if (!isMissing(error))
      log.error("The costs of earlier days cannot be read, and budgets begin anew", { path, reason: String(error) });
    return [];
  }
}

function isDay(value: Json): boolean {
  if (!isJsonObject(value) || typeof value["day"] !== "string" || !isSpending(value["total"])) return false;
  return [value["tools"], value["callers"]].every(
    (part) => isJsonObject(part) && Object.values(part).every(isSpending),
  );
}

function isSpending(value: Json | undefined): boolean {
  return isJsonObject(value) && typeof value["calls"] === "number" && typeof value["cost"] === "number";
}
