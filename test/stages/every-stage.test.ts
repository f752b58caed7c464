/** What holds for every policy, in one table; a new policy gets one line. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as v from "valibot";
import { type Call, chain, type Stage } from "../../src/core/call.ts";
import { CancelledError, DeniedError, UpstreamError, UpstreamRpcError } from "../../src/core/errors.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { accountStage } from "../../src/stages/account/account-stage.ts";
import { argumentsStage } from "../../src/stages/arguments/arguments-stage.ts";
import { auditStage } from "../../src/stages/audit/audit-stage.ts";
import { breakerStage } from "../../src/stages/breaker/breaker-stage.ts";
import { AnswerStore } from "../../src/stages/cache/answer-store.ts";
import { cacheStage } from "../../src/stages/cache/cache-stage.ts";
import { cacheSchema } from "../../src/stages/cache/schema.ts";
import { concurrencyStage } from "../../src/stages/concurrency/concurrency-stage.ts";
import { contextIntegrityStage } from "../../src/stages/context-integrity/context-integrity-stage.ts";
import { costStage } from "../../src/stages/cost/cost-stage.ts";
import { CostLedger } from "../../src/stages/cost/ledger.ts";
import { costGovernanceSchema } from "../../src/stages/cost/schema.ts";
import { firewallRequestStage } from "../../src/stages/firewall/firewall-request-stage.ts";
import { firewallResponseStage } from "../../src/stages/firewall/firewall-response-stage.ts";
import { firewallStepStage } from "../../src/stages/firewall/firewall-step-stage.ts";
import { resultScopes } from "../../src/stages/firewall/result-scope.ts";
import { idempotencyStage } from "../../src/stages/idempotency/idempotency-stage.ts";
import { identityStage } from "../../src/stages/identity/identity-stage.ts";
import { killSwitchStage } from "../../src/stages/kill-switch/kill-switch-stage.ts";
import { stagesFor } from "../../src/stages/order.ts";
import { quarantineStage } from "../../src/stages/quarantine/quarantine-stage.ts";
import { rateLimitStage } from "../../src/stages/rate-limit/rate-limit-stage.ts";
import { recordStage } from "../../src/stages/record/record-stage.ts";
import { responseContractStage } from "../../src/stages/response-contract/response-contract-stage.ts";
import { retryStage } from "../../src/stages/retry/retry-stage.ts";
import { scopeStage } from "../../src/stages/scope/scope-stage.ts";
import { secretsStage } from "../../src/stages/secrets/secrets-stage.ts";
import { sessionSandboxStage } from "../../src/stages/session-sandbox/session-sandbox-stage.ts";
import { SessionUsage } from "../../src/stages/session-sandbox/session-usage.ts";
import { stepsStage } from "../../src/stages/steps/steps-stage.ts";
import { timeoutStage } from "../../src/stages/timeout/timeout-stage.ts";
import { toolPolicyStage } from "../../src/stages/tool-policy/tool-policy-stage.ts";
import { traceStage } from "../../src/stages/trace/trace-stage.ts";
import { createStageState } from "../../src/stages/upstream-stage-state.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import {
  answers,
  awake,
  fails,
  failsafe,
  hangs,
  injected,
  makeCall,
  off,
  on,
  pong,
  security,
  watch,
} from "./fixture.ts";

type Build = (clock: Clock, settings: ReturnType<typeof failsafe>) => Stage | undefined;

const state = (clock: Clock, settings: ReturnType<typeof failsafe>) => createStageState(settings, clock, () => 0.5);
const everyStage: Record<string, { build: Build; alwaysOn?: true }> = {
  record: { build: (clock, settings) => recordStage(settings.retry.enabled ? () => {} : undefined, clock) },
  audit: { build: (_clock, s) => auditStage(s.retry.enabled ? () => false : undefined) },
  "kill-switch": { build: (clock, s) => killSwitchStage(state(clock, s).killSwitch), alwaysOn: true },
  scope: { build: () => scopeStage, alwaysOn: true },
  "tool-policy": { build: (_clock, s) => toolPolicyStage({ ...security().tool_policy, enabled: s.retry.enabled }) },
  "session-sandbox": {
    build: (clock, s) =>
      sessionSandboxStage(
        { ...security().session_sandbox, enabled: s.retry.enabled, max_calls: 9, max_duration: 1e9 },
        new SessionUsage(clock),
      ),
  },
  arguments: { build: (_clock, s) => argumentsStage(s.retry.enabled) },
  "firewall.request": {
    build: (_clock, s) => firewallRequestStage({ ...security().firewall, enabled: s.retry.enabled }, undefined),
  },
  "firewall.step": {
    build: (_clock, s) =>
      firewallStepStage(
        { ...security().firewall, anomaly_detection: s.retry.enabled },
        () => ({ score: 1, from: "files:list" }),
        undefined,
      ),
  },
  steps: { build: (_clock, s) => stepsStage(s.retry.enabled ? { move: () => "files:list", learn() {} } : undefined) },
  "response-contract": {
    build: (_clock, s) => responseContractStage({ ...security().response_contract, enabled: s.retry.enabled }),
  },
  "context-integrity": {
    build: (_clock, s) =>
      contextIntegrityStage(s.retry.enabled ? { preset: "enterprise_strict", non_bypassable: false } : undefined, {
        scopeOf: resultScopes(security().firewall, { enabled: true }).of,
        loadScanner: () => import("../../src/stages/firewall/scan-response.ts"),
        onFindings: undefined,
      }),
  },
  "firewall.response": {
    build: (_clock, s) => firewallResponseStage({ ...security().firewall, enabled: s.retry.enabled }, undefined),
  },
  trace: { build: (_clock, s) => traceStage(s.retry.enabled ? () => undefined : undefined) },
  idempotency: {
    build: (_clock, s) => idempotencyStage(s.retry.enabled ? { begin: () => Promise.reject(new Error()) } : undefined),
  },
  cache: {
    build: (clock, s) => cacheStage(v.parse(cacheSchema, { enabled: s.retry.enabled }), new AnswerStore(clock)),
  },
  budget: {
    build: (_clock, s) =>
      costStage(v.parse(costGovernanceSchema, { enabled: s.retry.enabled, default_cost: 1 }), {
        ledger: () => new CostLedger(() => 0),
        onAlert: () => {},
      }),
  },
  concurrency: { build: (clock, s) => concurrencyStage(s.concurrency, state(clock, s).concurrency, clock) },
  retry: { build: (clock, s) => retryStage(s.retry, state(clock, s).retryBudget, clock, () => 0.5) },
  "rate-limit": { build: (clock, s) => rateLimitStage(s.rate_limit, state(clock, s).rateLimit) },
  breaker: { build: (clock, s) => breakerStage(s.circuit_breaker, state(clock, s).breaker) },
  account: { build: (_clock, settings) => accountStage(settings.retry.enabled ? () => false : undefined) },
  quarantine: {
    build: (_clock, s) =>
      quarantineStage(s.retry.enabled ? { isOpen: false, objection: () => Promise.resolve(undefined) } : undefined),
  },
  // For another tool: what it does to a call of its own is not for this table.
  secrets: { build: (_clock, s) => secretsStage(s.retry.enabled ? [injected({ tools: ["write_*"] })] : []) },
  // Of the calls here there is nobody to tell.
  identity: {
    build: (_clock, s) =>
      identityStage(
        s.retry.enabled
          ? {
              required: false,
              wanted: "",
              covers: () => false,
              authorizationFor: () => Promise.reject(new Error()),
              refused() {},
            }
          : undefined,
      ),
  },
  timeout: { build: (clock) => timeoutStage(30_000, clock), alwaysOn: true },
  "all of order.ts": {
    build: (clock, settings) => {
      const stages = stagesFor({
        upstream: awake,
        settings,
        timeoutMs: 30_000,
        state: state(clock, settings),
        sink: () => {},
        security: security(),
      });
      return (call, next) => chain(stages, next)(call);
    },
    alwaysOn: true,
  },
};
const allOff = failsafe({ circuit_breaker: off, retry: off, rate_limit: off, concurrency: off });

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === "object" && inner !== null && !(inner instanceof AbortSignal)) deepFreeze(inner);
  return Object.freeze(value);
}

/** A timer that several calls share runs out once, and starts no other. */
async function assertQuiet(clock: FakeClock): Promise<void> {
  await clock.advance(3_600_000);
  assert.equal(clock.pending, 0, "no timer is left");
}

for (const [name, { build, alwaysOn }] of Object.entries(everyStage))
  describe(`stage ${name}`, () => {
    test("passes the answer through identically, calling next once with the call unchanged", async () => {
      const clock = new FakeClock();
      const call = deepFreeze(makeCall());
      const seen: Call[] = [];
      const answer = await on(build(clock, failsafe()))(call, (inner) => {
        seen.push(inner);
        return answers(inner);
      });
      assert.equal(answer, pong);
      assert.equal(seen.length, 1);
      // Only a signal may be derived.
      assert.deepEqual({ ...seen[0], signal: undefined }, { ...call, signal: undefined });
      assert.equal(seen[0]?.params, call.params);
      await assertQuiet(clock);
    });

    const errors = [
      new DeniedError("RATE_LIMITED", "Denied"),
      new CancelledError(),
      new UpstreamRpcError({ code: -32602, message: "No such file" }, "files"),
      new UpstreamError("UPSTREAM_PROTOCOL", "Not MCP"),
      new TypeError("A defect"),
      "not even an error",
    ];
    for (const error of errors)
      test(`rejects with the same error, calling next once: ${error}`, async () => {
        const clock = new FakeClock();
        let count = 0;
        const running = on(build(clock, failsafe()))(makeCall(), () => {
          count++;
          return fails(error)(makeCall());
        });
        assert.equal(await running.catch((thrown: unknown) => thrown), error);
        assert.equal(count, 1);
        await assertQuiet(clock);
      });

    test("an abort reaches the upstream, its reason the caller, and nothing is left behind", async () => {
      const clock = new FakeClock();
      const controller = new AbortController();
      const stage = on(build(clock, failsafe()));
      const running = watch(stage(makeCall({ signal: controller.signal }), hangs));
      await clock.advance(1_000);
      assert.equal(running.isDone, false);
      const reason = new CancelledError("Changed my mind");
      controller.abort(reason);
      await clock.advance(0);
      assert.equal(running.error, reason);
      await assertQuiet(clock);
      const late = watch(stage(makeCall({ signal: controller.signal }), hangs));
      await clock.advance(0);
      assert.equal(late.error, reason, "aborted before it began");
    });

    if (!alwaysOn)
      test("costs nothing while it is off", () => {
        assert.equal(build(new FakeClock(), allOff), undefined);
      });
  });
