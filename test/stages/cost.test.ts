import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as v from "valibot";
import { Answer } from "../../src/core/answer.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import { DeniedError, UpstreamError } from "../../src/core/errors.ts";
import type { Alert } from "../../src/stages/cost/budgets.ts";
import { costStage } from "../../src/stages/cost/cost-stage.ts";
import { CostLedger } from "../../src/stages/cost/ledger.ts";
import { costReport } from "../../src/stages/cost/report.ts";
import { costGovernanceSchema } from "../../src/stages/cost/schema.ts";
import { answers, fails, makeCall, on, pong } from "./fixture.ts";

function setting(changes: object) {
  const settings = v.parse(costGovernanceSchema, { enabled: true, ...changes });
  let nowMs = Date.UTC(2026, 0, 31, 18);
  const ledger = new CostLedger(() => nowMs);
  const alerts: Alert[] = [];
  const stage = on(costStage(settings, { ledger: () => ledger, onAlert: (alert) => void alerts.push(alert) }));
  const call = (name: string, { key = "ci", next = answers } = {}) =>
    stage(makeCall({ upstream: "web", params: { name }, caller: { ...anonymousCaller, name: key } }), next).catch(
      (error) => error,
    );
  return {
    settings,
    ledger,
    alerts,
    call,
    later: (hours: number) => {
      nowMs += hours * 3_600_000;
    },
  };
}

const metaKey = "mcp-gateway/cost";

describe("costStage", () => {
  test("counts calls by tool and key at their prices: names before globs, server:tool before tool", async () => {
    const { call, ledger, settings } = setting({
      default_cost: 0.1,
      tool_costs: { "web:*": 1, search: 2, "web:search": 3, "*_free": 0 },
    });
    for (const tool of ["search", "fetch", "search"]) await call(tool);
    await call("fetch", { key: "ops" });
    const report = costReport(settings, ledger);
    assert.deepEqual([report.total_calls, report.total_cost, report.currency, report.day], [4, 8, "USD", "2026-01-31"]);
    assert.deepEqual(report.by_tool, [
      { tool_key: "web:search", call_count: 2, cost: 6 },
      { tool_key: "web:fetch", call_count: 2, cost: 2 },
    ]);
    assert.deepEqual(
      report.by_key.map(({ key, cost }) => [key, cost]),
      [
        ["ci", 7],
        ["ops", 1],
      ],
    );
  });

  test("a budget may be used up to its last cent, and what goes beyond is refused until the day ends", async () => {
    const { call, later } = setting({ default_cost: 0.1, budgets: { daily: 0.3 } });
    for (let count = 0; count < 3; count++) assert.notEqual((await call("search")).code, "BUDGET_EXCEEDED");
    const refused = await call("search");
    assert.equal(refused.code, "BUDGET_EXCEEDED");
    assert.match(refused.message, /costs more than is left of the daily budget: 0\.3 of 0\.3 USD are used/);
    assert.equal(refused.retryAfterMs, 6 * 3_600_000);
    later(6);
    assert.equal(await call("search"), pong);
  });

  test("budgets of tools and keys are their own, and what costs nothing stays possible", async () => {
    const { call } = setting({
      default_cost: 1,
      tool_costs: { free: 0 },
      budgets: { per_tool: { "web:search*": 2 }, per_key: { ci: 3 } },
    });
    for (const tool of ["search", "search_images"]) await call(tool);
    assert.match((await call("search")).message, /the budget of tool "web:search\*"/);
    await call("fetch");
    assert.match((await call("fetch")).message, /the budget of key "ci"/);
    assert.equal(await call("fetch", { key: "ops" }), pong);
    assert.equal(await call("free"), pong);
  });

  test("calls that run at once do not go beyond together, and what never got there is not charged", async () => {
    const { call, ledger } = setting({ default_cost: 1, budgets: { daily: 2 } });
    const slow = () => new Promise<Answer>((resolve) => setTimeout(resolve, 5, pong));
    const results = await Promise.all([1, 2, 3, 4].map(() => call("search", { next: slow })));
    assert.equal(results.filter((one) => one.code === "BUDGET_EXCEEDED").length, 2);
    const other = setting({ default_cost: 1, budgets: { daily: 2 } });
    await other.call("search", { next: fails(new DeniedError("RATE_LIMITED", "No")) });
    assert.deepEqual([other.ledger.spentToday, other.ledger.days()[0]?.total.calls], [0, 0]);
    await other.call("search", { next: fails(new UpstreamError("TIMEOUT", "Late")) });
    assert.equal(other.ledger.spentToday, 1, "the server may have done the work");
    assert.equal(ledger.spentToday, 2);
  });

  test("alerts: the log hears at half, the caller at four fifths with what is cheaper, and the rest of the result stays", async () => {
    const { call, alerts } = setting({
      tool_costs: { search: 4, cached_search: 1, "lite:search": 2, dear_search: 9 },
      alternatives: { search: ["search", "cached_search", "lite:search", "dear_search"] },
      budgets: { daily: 10 },
    });
    assert.equal(await call("search"), pong);
    assert.deepEqual(alerts, []);
    const next = () => Promise.resolve(Answer.ofText('{"content":[],"_meta":{"vendor":1},"n":12345678901234567890}'));
    const { text } = (await call("search", { next })) as Answer;
    assert.match(text, /"n":12345678901234567890/);
    assert.deepEqual(JSON.parse(text)._meta, {
      vendor: 1,
      [metaKey]: {
        warnings: ["80 % of the daily budget (10 USD a day) is used"],
        suggestion: "Cheaper: cached_search, lite:search",
      },
    });
    assert.deepEqual(
      alerts.map(({ action, atPercent }) => [action, atPercent]),
      [["log", 50]],
    );
    assert.equal((await call("search")).hint, "Cheaper: cached_search, lite:search");
  });

  test("alerts without a block never refuse", async () => {
    const { call } = setting({
      default_cost: 5,
      budgets: { daily: 1 },
      alerts: [{ at_percent: 100, action: "notify" }],
    });
    assert.match(((await call("search")) as Answer).text, /500 % of the daily budget/);
  });
});

test("CostLedger: survives as data, keeps a month, and a clock that is set back does not open a new day", () => {
  let nowMs = Date.UTC(2026, 0, 1, 12);
  const ledger = new CostLedger(() => nowMs);
  for (let day = 0; day < 40; day++) {
    ledger.charge("web:search", "ci", 0.1);
    nowMs += 86_400_000;
  }
  nowMs -= 86_400_000;
  ledger.charge("web:search", "ci", 0.2);
  nowMs -= 3 * 86_400_000;
  ledger.charge("web:search", "ci", 0.1);
  assert.equal(ledger.spentToday, 0.4);
  const again = new CostLedger(() => nowMs, JSON.parse(JSON.stringify(ledger.days())));
  assert.deepEqual(again.days(), ledger.days());
  assert.equal(again.days().length, 31);
});
