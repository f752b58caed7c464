/**
 * What all gateways spend together, by UTC day: a hash for each, with what was spent in all, by tool, by caller and of
 * each budget. What is spent while Redis is out of reach is counted here and handed in later.
 */
import { redisScript } from "../../runtime/redis.ts";
import type { Budget } from "../../stages/cost/budgets.ts";
import type { LedgerDay, Spending } from "../../stages/cost/ledger.ts";
import type { Charge, SharedLedger } from "../../stages/cost/shared-ledger.ts";
import type { SharedLink } from "./shared-link.ts";

const dayMs = 86_400_000;
/** As many days as the ledger of one gateway has. */
const maxDays = 31;
/** Of tools, callers and budgets, two fields each; what is beyond counts in all only. */
const maxFields = 40_000;
const maxNameCharacters = 256;

/**
 * ARGV: calls, cost, tool, caller, share that blocks, days to keep, fields at most; then for each budget its field, what
 * the gateway knows to be spent of it, and its limit. Returns whether it was charged, and what was spent before.
 * Amounts are rounded as by the ledger of one gateway.
 */
const charge = redisScript(`
local hash, calls, cost, blockAt = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[5])
local spent, blocked = {}, false
for i = 8, #ARGV, 3 do
  local before = math.max(tonumber(redis.call('HGET', hash, ARGV[i])) or 0, tonumber(ARGV[i + 1]))
  local limit = tonumber(ARGV[i + 2])
  local percent = limit == 0 and math.huge or (before + cost) / limit * 100
  if percent > blockAt + 1e-9 then blocked = true end
  spent[#spent + 1] = string.format('%.9f', before)
end
if blocked then return {0, spent} end
local function add(field, amount)
  local before = redis.call('HGET', hash, field)
  if not before and redis.call('HLEN', hash) >= tonumber(ARGV[7]) then return end
  redis.call('HSET', hash, field, string.format('%.9f', (tonumber(before) or 0) + amount))
end
for at = 1, #spent do
  redis.call('HSET', hash, ARGV[5 + 3 * at], spent[at])
  add(ARGV[5 + 3 * at], cost)
end
for _, field in ipairs({'total', 'tool ' .. ARGV[3], 'caller ' .. ARGV[4]}) do
  add('cost ' .. field, cost)
  add('calls ' .. field, calls)
end
redis.call('PEXPIRE', hash, ARGV[6] * 86400000)
return {1, spent}`);

const readDay = redisScript("return redis.call('HGETALL', KEYS[1])");

/** As the script does. */
const rounded = (amount: number) => Math.round(amount * 1e9) / 1e9;

/** A charge that the others have not heard of. */
interface Debt {
  readonly day: string;
  readonly charge: Charge;
  readonly budgets: readonly Budget[];
  calls: number;
  cost: number;
}

export interface OpenSharedLedger extends SharedLedger {
  /** What all gateways spent lately, oldest day first; `undefined` while they are out of reach. */
  days(): Promise<LedgerDay[] | undefined>;
  /** Hands in what was spent alone. */
  settle(): Promise<void>;
}

/** @param now calendar time in milliseconds */
export function createSharedLedger(link: SharedLink, now: () => number): OpenSharedLedger {
  /** By day, tool, caller and budgets. */
  let debts = new Map<string, Debt>();
  /** What was spent of each budget of `knownDay`, as it was heard last. */
  let known = new Map<string, number>();
  let knownDay = "";

  const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const fieldOf = ({ scope, name }: Budget) => `budget ${scope} ${name.slice(0, maxNameCharacters)}`;

  async function ask(day: string, paid: Charge, calls: number, budgets: readonly Budget[], blockAt: number) {
    const { tool, caller, cost } = paid;
    const names = [tool, caller].map((name) => name.slice(0, maxNameCharacters));
    const reply = await link.ask(
      charge,
      [link.keyOf(`cost:${day}`)],
      [
        ...[calls, cost, ...names, Number.isFinite(blockAt) ? blockAt : "inf", maxDays + 1, maxFields],
        ...budgets.flatMap((budget) => [fieldOf(budget), budget.spent, budget.limit]),
      ],
    );
    if (!Array.isArray(reply) || !Array.isArray(reply[1]) || reply[1].length !== budgets.length) return undefined;
    const spent = reply[1].map(Number);
    if (!spent.every(Number.isFinite)) return undefined;
    const isCharged = reply[0] === 1;
    remember(day);
    for (const [at, budget] of budgets.entries())
      known.set(fieldOf(budget), rounded((spent[at] as number) + (isCharged ? cost : 0)));
    return { isCharged, budgets: budgets.map((budget, at) => ({ ...budget, spent: spent[at] as number })) };
  }

  function remember(day: string): void {
    if (day !== knownDay) known = new Map();
    knownDay = day;
  }

  /** With what is known without asking. */
  function seenOf(budgets: readonly Budget[]): Budget[] {
    return budgets.map((budget) => ({ ...budget, spent: Math.max(budget.spent, known.get(fieldOf(budget)) ?? 0) }));
  }

  function owe(day: string, paid: Charge, calls: number, budgets: readonly Budget[]): void {
    const key = JSON.stringify([day, paid.tool, paid.caller, budgets.map(fieldOf)]);
    const debt = debts.get(key) ?? { day, charge: paid, budgets, calls: 0, cost: 0 };
    if (debt.calls === 0 && debts.size >= maxFields) return;
    debt.calls += calls;
    debt.cost = rounded(debt.cost + paid.cost);
    debts.set(key, debt);
    remember(day);
    for (const budget of seenOf(budgets)) known.set(fieldOf(budget), rounded(budget.spent + paid.cost));
  }

  /** Whatever the budgets say. */
  async function add(day: string, paid: Charge, calls: number, budgets: readonly Budget[]): Promise<void> {
    const unconditional = budgets.map((budget) => ({ ...budget, spent: 0 }));
    const done = await ask(day, paid, calls, unconditional, Number.POSITIVE_INFINITY);
    if (done === undefined) owe(day, paid, calls, budgets);
  }

  return {
    async reserve(paid, budgets, blockAtPercent) {
      const day = dayOf(now());
      const own = budgets();
      const takeBack = () => void add(day, { ...paid, cost: -paid.cost }, -1, own);
      const reserved = await ask(day, paid, 1, own, blockAtPercent);
      if (reserved !== undefined)
        return { budgets: reserved.budgets, takeBack: reserved.isCharged ? takeBack : () => {} };
      // Alone, and others may have paid meanwhile.
      remember(day);
      const seen = seenOf(budgets());
      owe(day, paid, 1, seen);
      return { budgets: seen, takeBack };
    },
    async days() {
      const today = now();
      const replies = await Promise.all(
        Array.from({ length: maxDays }, async (_, age) => {
          const day = dayOf(today - (maxDays - 1 - age) * dayMs);
          return { day, reply: await link.ask(readDay, [link.keyOf(`cost:${day}`)]) };
        }),
      );
      if (replies.some(({ reply }) => reply === undefined)) return undefined;
      return replies.flatMap(({ day, reply }) => readLedgerDay(day, reply) ?? []);
    },
    async settle() {
      const handedIn = debts;
      debts = new Map();
      for (const { day, charge: paid, budgets, calls, cost } of handedIn.values())
        await add(day, { ...paid, cost }, calls, budgets);
    },
  };
}

function readLedgerDay(day: string, reply: unknown): LedgerDay | undefined {
  if (!Array.isArray(reply) || reply.length === 0) return undefined;
  const total = { calls: 0, cost: 0 };
  const tools: Record<string, Spending> = Object.create(null);
  const callers: Record<string, Spending> = Object.create(null);
  for (let at = 0; at < reply.length; at += 2) {
    const [, what, of, name = ""] = /^(calls|cost) (total|tool|caller)(?: (.*))?$/s.exec(String(reply[at])) ?? [];
    const amount = Number(reply[at + 1]);
    if (what === undefined || !Number.isFinite(amount)) continue;
    const group = of === "tool" ? tools : callers;
    if (of !== "total") group[name] ??= { calls: 0, cost: 0 };
    const spending = of === "total" ? total : (group[name] as Spending);
    spending[what as keyof Spending] = amount;
  }
  return { day, total, tools, callers };
}
