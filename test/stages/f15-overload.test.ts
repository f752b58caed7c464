/** F15 of the fault list: every backend slow and ten thousand calls waiting. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chain, type Next } from "../../src/core/call.ts";
import { DeniedError } from "../../src/core/errors.ts";
import { stagesFor } from "../../src/stages/order.ts";
import { createStageState } from "../../src/stages/upstream-stage-state.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, awake, failsafe, makeCall, off, pong, watch } from "./fixture.ts";

function setup(tookMs: number, concurrency: { max_concurrent: number; max_queue: number; queue_timeout: string }) {
  const clock = new FakeClock();
  const settings = failsafe({ rate_limit: off, concurrency });
  const state = createStageState(settings, clock);
  const started: unknown[] = [];
  const slow: Next = async (call) => {
    started.push(call.requestId);
    await new Promise<void>((resolve) => void clock.after(tookMs, resolve));
    return answers(call);
  };
  return {
    clock,
    state,
    started,
    call: chain(stagesFor({ upstream: awake, settings, timeoutMs: 60_000, state }), slow),
  };
}

describe("F15 overload", () => {
  test("with 10,000 queued the next is refused in less than 10 ms, the rest is served in order or dropped in time", async () => {
    const { clock, state, started, call } = setup(30_000, {
      max_concurrent: 100,
      max_queue: 10_000,
      queue_timeout: "70s",
    });
    const calls = Array.from({ length: 10_100 }, (_, i) =>
      watch(call(makeCall({ requestId: `${i}`, deadline: 65_000 }))),
    );
    await clock.advance(0);
    assert.deepEqual([state.concurrency.running, state.concurrency.waiting], [100, 10_000]);

    const startedAt = performance.now();
    const refusal = await call(makeCall({ deadline: 65_000 })).catch((error: unknown) => error);
    const tookMs = performance.now() - startedAt;
    assert.ok(refusal instanceof DeniedError && refusal.code === "OVERLOADED");
    assert.ok(tookMs < 10, `refused after ${tookMs} ms`);

    await clock.advance(65_000);
    assert.deepEqual(
      started,
      Array.from({ length: 300 }, (_, i) => `${i}`),
      "first come, first served",
    );
    assert.ok(calls.slice(0, 200).every(({ value }) => value === pong));
    const dropped = calls.slice(300).map(({ error }) => error);
    assert.ok(dropped.every((error) => error instanceof DeniedError && error.code === "TIMEOUT"));
    assert.equal(state.concurrency.waiting, 0);
  });

  test("offered three times its capacity, a backend still works at 80 % of it or more", async () => {
    const { clock, call } = setup(1_000, { max_concurrent: 20, max_queue: 40, queue_timeout: "2s" });
    let answered = 0;
    for (let i = 0; i < 60 * 30; i++) {
      call(makeCall({ deadline: clock.now() + 5_000 })).then(
        () => answered++,
        () => {},
      );
      await clock.advance(1_000 / 60);
    }
    assert.ok(answered >= 0.8 * 20 * 30, `${answered} of ${20 * 30}`);
  });
});
