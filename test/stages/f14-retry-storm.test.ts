/** F14 of the fault list: a backend that fails every call must not get a storm of retries, and must be found again soon. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chain, type Next } from "../../src/core/call.ts";
import { UpstreamError } from "../../src/core/errors.ts";
import { stagesFor } from "../../src/stages/order.ts";
import { createStageState } from "../../src/stages/upstream-stage-state.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";
import { answers, awake, failsafe, makeCall, off } from "./fixture.ts";

const callsPerSecond = 500;
const seconds = 60;

/** Sends calls at an even rate and lets them end as they will. */
async function storm(clock: FakeClock, call: Next, forSeconds: number, onAnswer: () => void): Promise<void> {
  for (let i = 0; i < forSeconds * callsPerSecond; i++) {
    call(makeCall({ deadline: clock.now() + 300_000 })).then(onAnswer, () => {});
    await clock.advance(1_000 / callsPerSecond);
  }
}

describe("F14 retry storm", () => {
  test("without a breaker, the extra load stays within 20 % + 10 per second", async () => {
    const clock = new FakeClock();
    const settings = failsafe({ circuit_breaker: off, rate_limit: off, error_budget: off });
    const state = createStageState(settings, clock, seededRandom(42));
    let attempts = 0;
    const call = chain(stagesFor({ upstream: awake, settings, timeoutMs: 30_000, state }), () => {
      attempts++;
      return Promise.reject(new UpstreamError("UPSTREAM_CLOSED", "Gone"));
    });
    await storm(clock, call, seconds, () => assert.fail("answered"));
    const calls = callsPerSecond * seconds;
    const extra = attempts - calls;
    assert.ok(extra <= 0.2 * calls + 10 * seconds, `${extra} extra attempts for ${calls} calls`);
    assert.ok(extra > 0.1 * calls, `${extra} extra attempts: retries do happen`);
  });

  test("the breaker opens, probes one at a time, and calls succeed within 5 s after the backend heals", async () => {
    const clock = new FakeClock();
    const settings = failsafe({ circuit_breaker: { reset_timeout: "2s" }, rate_limit: off });
    const state = createStageState(settings, clock, seededRandom(42));
    let isHealthy = false;
    let running = 0;
    let attempts = 0;
    let mostProbes = 0;
    const call = chain(stagesFor({ upstream: awake, settings, timeoutMs: 30_000, state }), async (inner) => {
      attempts++;
      running++;
      if (state.breaker.state === "half_open") mostProbes = Math.max(mostProbes, running);
      await new Promise<void>((resolve) => void clock.after(50, resolve));
      running--;
      if (isHealthy) return answers(inner);
      throw new UpstreamError("UPSTREAM_CLOSED", "Gone");
    });
    await storm(clock, call, seconds, () => assert.fail("answered"));
    assert.equal(mostProbes, 1);
    assert.ok(state.breaker.trips > 20);
    // 25 calls in flight when it opens, their retries, and a probe every two seconds.
    assert.ok(attempts < 200, `${attempts} attempts for ${callsPerSecond * seconds} calls`);

    isHealthy = true;
    const healedAtMs = clock.now();
    let recoveredAtMs = Number.POSITIVE_INFINITY;
    let answered = 0;
    await storm(clock, call, 5, () => {
      answered++;
      if (state.breaker.state === "closed") recoveredAtMs = Math.min(recoveredAtMs, clock.now());
    });
    assert.ok(recoveredAtMs - healedAtMs < 5_000, `recovered after ${recoveredAtMs - healedAtMs} ms`);
    assert.ok(answered > callsPerSecond, `${answered} answered in the 5 s after it healed`);
  });
});
