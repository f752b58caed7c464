import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chain, type Next } from "../../src/core/call.ts";
import type { CallRecord } from "../../src/core/call-record.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import { UpstreamError } from "../../src/core/errors.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { stagesFor } from "../../src/stages/order.ts";
import { createStageState } from "../../src/stages/upstream-stage-state.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, awake, fails, failsafe, hangs, makeCall, pong, security, watch } from "./fixture.ts";

describe("stagesFor", () => {
  test("every refusal is recorded, and a caller out of scope uses up nothing", async () => {
    const clock = new FakeClock();
    const settings = failsafe({ rate_limit: { burst_size: 1 } });
    const outcomes: string[] = [];
    const sink = ({ outcome }: CallRecord) => void outcomes.push(outcome);
    const call = chain(
      stagesFor({ upstream: awake, settings, timeoutMs: 1_000, state: createStageState(settings, clock), sink }),
      answers,
    );
    const stranger = makeCall({ caller: { ...anonymousCaller, backends: [] } });
    await call(stranger).catch(() => {});
    await call(makeCall());
    await call(makeCall()).catch(() => {});
    assert.deepEqual(outcomes, ["FORBIDDEN", "OK", "RATE_LIMITED"]);
  });

  test("a retrying call keeps its place, and each attempt has its own timeout and counts for the breaker", async () => {
    const clock = new FakeClock();
    const settings = failsafe({
      concurrency: { max_concurrent: 1 },
      circuit_breaker: { failure_threshold: 2 },
      retry: { max_attempts: 3 },
    });
    const state = createStageState(settings, clock, () => 1);
    const attempts: number[] = [];
    const call = chain(stagesFor({ upstream: awake, settings, timeoutMs: 1_000, state }), (inner) => {
      attempts.push(clock.now());
      return hangs(inner);
    });
    const running = watch(call(makeCall()));
    const behind = watch(call(makeCall()));
    await clock.advance(2_099);
    assert.deepEqual(attempts, [0, 1_100]);
    assert.deepEqual([state.concurrency.running, state.concurrency.waiting], [1, 1]);
    await clock.advance(10_000);
    assert.deepEqual(attempts, [0, 1_100], "the open circuit refused the third attempt and the call behind");
    for (const { error } of [running, behind]) assert.equal((error as UpstreamError).code, "CIRCUIT_OPEN");
  });

  test("an open circuit outlives a reload", async () => {
    const clock = new FakeClock();
    const settings = failsafe({ circuit_breaker: { failure_threshold: 1 } });
    const state = createStageState(settings, clock);
    const gone = new UpstreamError("UPSTREAM_CLOSED", "Gone");
    const before = chain(stagesFor({ upstream: awake, settings, timeoutMs: 1_000, state }), fails(gone));
    await before(makeCall({ safe: false })).catch(() => {});
    const next = failsafe({ circuit_breaker: { failure_threshold: 9, reset_timeout: "5s" } });
    state.apply(next);
    const after = chain(stagesFor({ upstream: awake, settings: next, timeoutMs: 1_000, state }), answers);
    await assert.rejects(after(makeCall()), { code: "CIRCUIT_OPEN" });
    await clock.advance(5_000);
    assert.equal(await after(makeCall()), pong);
  });

  test("a reload puts new limits in force for calls that wait already", async () => {
    const clock = new FakeClock();
    const settings = failsafe({ concurrency: { max_concurrent: 1 }, retry: { budget_per_second: 0, budget_ratio: 0 } });
    const state = createStageState(settings, clock, () => 0);
    let attempts = 0;
    const flaky: Next = (inner) => {
      attempts++;
      return attempts <= 2 ? hangs(inner) : fails(new UpstreamError("UPSTREAM_CLOSED", "Gone"))(inner);
    };
    const call = chain(stagesFor({ upstream: awake, settings, timeoutMs: 60_000, state }), flaky);
    for (const _ of [1, 2]) watch(call(makeCall()));
    await clock.advance(0);
    assert.equal(state.concurrency.waiting, 1);
    const next = failsafe({ concurrency: { max_concurrent: 3 }, retry: { max_attempts: 2, initial_backoff: "0ms" } });
    state.apply(next);
    assert.deepEqual([state.concurrency.running, state.concurrency.waiting], [2, 0]);
    await clock.advance(0);
    const reloaded = chain(stagesFor({ upstream: awake, settings: next, timeoutMs: 60_000, state }), flaky);
    watch(reloaded(makeCall()));
    await clock.advance(0);
    assert.equal(attempts, 4, "two that hang, one and its retry");
  });

  test("all stages together cost less than 10 µs per call", async () => {
    const settings = failsafe({ rate_limit: { requests_per_second: 1e9, burst_size: 1e9 } });
    const state = createStageState(settings, systemClock);
    const staged = chain(
      stagesFor({ upstream: awake, settings, timeoutMs: 30_000, state, sink: () => {}, security: security() }),
      answers,
    );
    const call = makeCall({ deadline: systemClock.now() + 300_000 });
    const rounds: number[] = [];
    for (let round = 0; round < 8; round++) {
      const startedAt = performance.now();
      for (let i = 0; i < 5_000; i++) await staged(call);
      rounds.push((performance.now() - startedAt) / 5);
    }
    // The best round is the least disturbed one.
    const microseconds = Math.min(...rounds);
    assert.ok(microseconds < 10, `${microseconds.toFixed(2)} µs`);
  });
});
