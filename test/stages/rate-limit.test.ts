import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chain } from "../../src/core/call.ts";
import { DeniedError, UpstreamError } from "../../src/core/errors.ts";
import { stagesFor } from "../../src/stages/order.ts";
import { createStageState } from "../../src/stages/upstream-stage-state.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, awake, fails, failsafe, makeCall, off, watch } from "./fixture.ts";

const limit = { requests_per_second: 10, burst_size: 3 };

describe("rateLimitStage", () => {
  test("refuses beyond the burst, and retry_after_ms is when it works again", async () => {
    const clock = new FakeClock();
    const settings = failsafe({ rate_limit: limit });
    const call = chain(
      stagesFor({ upstream: awake, settings, timeoutMs: 1_000, state: createStageState(settings, clock) }),
      answers,
    );
    for (let i = 0; i < 3; i++) await call(makeCall());
    const error = await call(makeCall()).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof DeniedError);
    assert.equal(error.code, "RATE_LIMITED");
    assert.deepEqual(error.data, { server: "files", retry_after_ms: 100 });
    await clock.advance(100);
    await call(makeCall());
  });

  test("counts attempts, and its refusal is not retried", async () => {
    const clock = new FakeClock();
    const settings = failsafe({ rate_limit: { ...limit, burst_size: 2 }, retry: { max_attempts: 5 } });
    let attempts = 0;
    const call = chain(
      stagesFor({ upstream: awake, settings, timeoutMs: 1_000, state: createStageState(settings, clock, () => 0) }),
      (inner) => {
        attempts++;
        return fails(new UpstreamError("UPSTREAM_CLOSED", "Gone"))(inner);
      },
    );
    const running = watch(call(makeCall()));
    await clock.advance(0);
    assert.equal(attempts, 2);
    assert.ok(running.error instanceof DeniedError);
  });

  test("a reload changes the limit without refilling the bucket", async () => {
    const clock = new FakeClock();
    const settings = failsafe({ rate_limit: limit });
    const state = createStageState(settings, clock);
    const call = chain(stagesFor({ upstream: awake, settings, timeoutMs: 1_000, state }), answers);
    for (let i = 0; i < 3; i++) await call(makeCall());
    const next = failsafe({ rate_limit: { ...limit, requests_per_second: 1_000 }, retry: off });
    state.apply(next);
    const reloaded = chain(stagesFor({ upstream: awake, settings: next, timeoutMs: 1_000, state }), answers);
    await assert.rejects(reloaded(makeCall()), { code: "RATE_LIMITED" });
    await clock.advance(1);
    await reloaded(makeCall());
  });
});
