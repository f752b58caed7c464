import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Call } from "../../src/core/call.ts";
import { CancelledError, DeniedError, UpstreamError, UpstreamRpcError } from "../../src/core/errors.ts";
import { RetryBudget } from "../../src/stages/retry/retry-budget.ts";
import { retryStage } from "../../src/stages/retry/retry-stage.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, fails, failsafe, makeCall, on, pong, watch } from "./fixture.ts";

const gone = new UpstreamError("UPSTREAM_CLOSED", "The program exited");

function setup(changes: NonNullable<NonNullable<Parameters<typeof failsafe>[0]>["retry"]> = {}) {
  const clock = new FakeClock();
  const settings = failsafe({ retry: changes }).retry;
  const stage = on(retryStage(settings, new RetryBudget(settings, clock), clock, () => 1));
  /** Times of the attempts, each failing with `error` but the one numbered `succeedAt`. */
  async function attemptsOf(error: unknown, call: Call = makeCall(), succeedAt = Number.POSITIVE_INFINITY) {
    const times: number[] = [];
    const running = watch(
      stage(call, (inner) => {
        times.push(clock.now());
        return (times.length >= succeedAt ? answers : fails(error))(inner);
      }),
    );
    await clock.advance(120_000);
    assert.equal(running.isDone, true);
    return { times, ...running };
  }
  return { clock, stage, attemptsOf };
}

describe("retryStage", () => {
  test("repeats what failed for want of an answer, waiting longer each time", async () => {
    const { attemptsOf } = setup({ max_attempts: 5, initial_backoff: "100ms", max_backoff: "300ms" });
    const { times, error } = await attemptsOf(gone);
    assert.deepEqual(times, [0, 100, 300, 600, 900]);
    assert.equal(error, gone, "the last error is the caller's");
    for (const code of ["TIMEOUT", "UPSTREAM_START_FAILED"] as const) {
      const again = await setup().attemptsOf(new UpstreamError(code, "No answer"), makeCall(), 2);
      assert.equal(again.value, pong);
      assert.equal(again.times.length, 2);
    }
  });

  test("never repeats a call that may write, nor an error that will not change", async () => {
    assert.equal((await setup().attemptsOf(gone, makeCall({ safe: false }))).times.length, 1);
    for (const error of [
      new UpstreamRpcError({ code: -32000, message: "No" }, "files"),
      new UpstreamError("UPSTREAM_PROTOCOL", "Not MCP"),
      new UpstreamError("RESULT_TOO_LARGE", "Too large"),
      new DeniedError("RATE_LIMITED", "Slow down", { data: { retry_after_ms: 1 } }),
      new DeniedError("CIRCUIT_OPEN", "Open"),
      new CancelledError(),
      new TypeError("A defect"),
    ])
      assert.equal((await setup().attemptsOf(error)).times.length, 1, String(error));
  });

  test("0 attempts count as 1, which needs no stage", () => {
    const clock = new FakeClock();
    for (const max_attempts of [0, 1]) {
      const { retry } = failsafe({ retry: { max_attempts } });
      assert.equal(retryStage(retry, new RetryBudget(retry, clock), clock, Math.random), undefined);
    }
  });

  test("waits as long as the upstream asks for, and gives up when that is too long", async () => {
    const asks = (retry_after_ms: number) =>
      new UpstreamError("UPSTREAM_START_FAILED", "In back-off", { data: { retry_after_ms } });
    assert.deepEqual((await setup().attemptsOf(asks(2_000))).times, [0, 2_000, 4_000]);
    assert.deepEqual((await setup().attemptsOf(asks(2_000), makeCall({ deadline: 2_000 }))).times, [0]);
    assert.deepEqual((await setup().attemptsOf(asks(20_000))).times, [0], "longer than max_backoff");
  });

  test("never goes past the deadline", async () => {
    const { times, error } = await setup({ max_attempts: 9 }).attemptsOf(gone, makeCall({ deadline: 650 }));
    assert.deepEqual(times, [0, 100, 300]);
    assert.equal(error, gone);
  });

  test("an abort ends the wait at once", async () => {
    const { clock, stage } = setup();
    const controller = new AbortController();
    const running = watch(stage(makeCall({ signal: controller.signal }), fails(gone)));
    await clock.advance(50);
    controller.abort();
    await clock.advance(0);
    assert.ok(running.error instanceof CancelledError);
    assert.equal(clock.pending, 0);
  });

  test("the budget allows its share of all calls of ten seconds, plus its rate", async () => {
    const { clock, stage } = setup({
      max_attempts: 2,
      budget_ratio: 0.1,
      budget_per_second: 2,
      initial_backoff: "0ms",
    });
    const attemptsOf = async (calls: number, call = makeCall()) => {
      let attempts = 0;
      for (let i = 0; i < calls; i++)
        void stage(call, (inner) => {
          attempts++;
          return fails(gone)(inner);
        }).catch(() => {});
      await clock.advance(0);
      return attempts;
    };
    assert.equal(await attemptsOf(100), 100 + 10 + 20);
    assert.equal(await attemptsOf(100, makeCall({ safe: false })), 100);
    assert.equal(await attemptsOf(20), 20 + (22 + 20 - 30), "calls that are never repeated count as calls");
    await clock.advance(11_000);
    assert.equal(await attemptsOf(30), 30 + 3 + 20, "the window has moved on");
  });
});
