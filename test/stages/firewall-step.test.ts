import assert from "node:assert/strict";
import { test } from "node:test";
import type { GatewayError } from "../../src/core/errors.ts";
import type { FirewallReport } from "../../src/stages/firewall/finding.ts";
import { firewallStepStage } from "../../src/stages/firewall/firewall-step-stage.ts";
import { answers, makeCall, on, pong, security } from "./fixture.ts";

const from = "files:list";

/** What becomes of a call whose step has that score, and what is reported of it. */
async function judged(score: number | undefined, firewall: object = {}) {
  const reports: FirewallReport[] = [];
  const settings = security({ firewall: { anomaly_detection: true, ...firewall } }).firewall;
  const judge = () => (score === undefined ? undefined : { score, from });
  const stage = on(firewallStepStage(settings, judge, (report) => reports.push(report)));
  const error = await stage(makeCall(), answers).then(
    (answer) => void assert.equal(answer, pong),
    (reason: GatewayError) => reason,
  );
  return { error, reported: reports.map(({ action, anomalyScore }) => ({ action, anomalyScore })), reports };
}

test("firewallStepStage: it is off by default, with the firewall, and where nothing is learned", () => {
  const judge = () => ({ score: 1, from });
  const { firewall } = security();
  assert.equal(firewallStepStage(firewall, judge, undefined), undefined);
  const detecting = { ...firewall, anomaly_detection: true };
  assert.equal(firewallStepStage({ ...detecting, enabled: false }, judge, undefined), undefined);
  assert.equal(firewallStepStage(detecting, undefined, undefined), undefined);
});

test("firewallStepStage: from the threshold on a step is reported, and by default nothing more", async () => {
  for (const score of [undefined, 0, 0.69]) assert.deepEqual((await judged(score)).reported, []);
  const { error, reports } = await judged(0.7);
  assert.equal(error, undefined);
  const [{ call, ...report }] = reports as [FirewallReport];
  assert.equal(call.upstream, "files");
  assert.deepEqual(report, {
    direction: "request",
    action: "warn",
    findings: [{ kind: "anomaly", rule: "unusual-step", severity: "medium", where: "the step from files:list" }],
    anomalyScore: 0.7,
  });
  assert.deepEqual((await judged(1)).reported, [{ action: "warn", anomalyScore: 1 }]);
});

test("firewallStepStage: from the other threshold on it is refused, and the refusal names the setting", async () => {
  const settings = { anomaly_block_threshold: 0.9 };
  assert.equal((await judged(0.89, settings)).error, undefined);
  const { error, reported } = await judged(0.9, settings);
  assert.deepEqual(reported, [{ action: "block", anomalyScore: 0.9 }]);
  assert.equal(error?.code, "FIREWALL_BLOCKED");
  assert.match(
    error?.message ?? "",
    /tool "read" of "files": anomaly: unusual-step in the step from files:list, score 0.9$/,
  );
  assert.match(error?.hint ?? "", /security\.firewall\.anomaly_block_threshold/);
  assert.equal(error?.data?.["anomaly_score"], 0.9);
  // One that is lower than what is reported is reported too.
  assert.deepEqual((await judged(0.5, { anomaly_block_threshold: 0.4 })).reported, [
    { action: "block", anomalyScore: 0.5 },
  ]);
});

test("firewallStepStage: rules by tool decide as they do for arguments", async () => {
  const withRule = (rule: object) =>
    judged(1, {
      anomaly_block_threshold: 0.9,
      rules: [
        { match: "files:re*", ...rule },
        { match: "*", action: "warn" },
      ],
    });
  assert.deepEqual((await withRule({ action: "allow" })).reported, []);
  assert.deepEqual((await withRule({ action: "warn" })).reported, [{ action: "warn", anomalyScore: 1 }]);
  assert.deepEqual((await withRule({ action: "block", scan: ["shell"] })).reported, []);
  const { error, reported } = await withRule({ action: "block", scan: ["anomaly"], reason: "Ask first" });
  assert.deepEqual(reported, [{ action: "block", anomalyScore: 1 }]);
  assert.match(error?.message ?? "", /\(Ask first\)/);
  assert.match(error?.hint ?? "", /change its rule/);
});
