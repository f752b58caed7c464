import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Next } from "../../src/core/call.ts";
import {
  CancelledError,
  DeniedError,
  NotStartedYetError,
  UpstreamError,
  UpstreamRpcError,
} from "../../src/core/errors.ts";
import { Breaker } from "../../src/stages/breaker/breaker.ts";
import { breakerStage } from "../../src/stages/breaker/breaker-stage.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, fails, failsafe, hangs, makeCall, on, watch } from "./fixture.ts";

/** A failure of its own for every call. */
const failing: Next = () => Promise.reject(gone());
const gone = () => new UpstreamError("UPSTREAM_CLOSED", "The program exited with code 1");

function setup() {
  const clock = new FakeClock();
  const settings = failsafe({
    circuit_breaker: { failure_threshold: 3, success_threshold: 2, reset_timeout: "10s" },
  }).circuit_breaker;
  const breaker = new Breaker(settings, clock);
  const stage = on(breakerStage(settings, breaker));
  const run = (next: Next, times = 1, call = makeCall()) =>
    Promise.all(Array.from({ length: times }, () => stage(call, next).catch((error: unknown) => error)));
  return { clock, breaker, stage, run };
}

/** A call whose end the test decides. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Next>>>();
  const next: Next = () => promise;
  return { next, answer: async () => resolve(await answers(makeCall())), fail: reject };
}

describe("breakerStage", () => {
  test("opens after failures in a row, then refuses without asking and says why and until when", async () => {
    const { clock, breaker, stage, run } = setup();
    await run(failing, 2);
    await run(answers);
    await run(failing, 2);
    assert.equal(breaker.state, "closed", "a success in between starts the count anew");
    await run(fails(new UpstreamError("TIMEOUT", "Too slow")));
    assert.equal(breaker.state, "open");
    assert.deepEqual([breaker.trips, breaker.failures, breaker.lastTripMs], [1, 3, 0]);

    await clock.advance(4_000);
    const error = await stage(makeCall(), () => assert.fail("asked")).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof DeniedError);
    assert.equal(error.code, "CIRCUIT_OPEN");
    assert.deepEqual(error.data, { server: "files", retry_after_ms: 6_000 });
    assert.match(error.message, /"files" is open after 3 failures in a row; the last failure was: Too slow$/);
    assert.equal(breaker.retryAfterMs, 6_000);
  });

  test("counts a lost connection once, however many calls it took along", async () => {
    const { breaker, run } = setup();
    for (const [losses, state] of [
      [1, "closed"],
      [2, "closed"],
      [3, "open"],
    ] as const) {
      await run(fails(gone()), 8);
      assert.deepEqual([breaker.state, breaker.failures], [state, losses]);
    }
  });

  test("counts only missing answers", async () => {
    const { breaker, run } = setup();
    const harmless = [
      new UpstreamRpcError({ code: -32603, message: "My own trouble" }, "files"),
      new DeniedError("TIMEOUT", "Not asked"),
      new CancelledError(),
      new UpstreamError("RESULT_TOO_LARGE", "The answer is larger than the limit"),
      new TypeError("A defect"),
      new NotStartedYetError("UPSTREAM_START_FAILED", "Not started again yet"),
    ];
    for (const error of harmless) await run(fails(error), 10);
    assert.deepEqual([breaker.state, breaker.failures], ["closed", 0]);
    await run(failing, 5, makeCall({ signal: AbortSignal.abort() }));
    assert.equal(breaker.failures, 0, "the caller had left");
    await run(failing, 2);
    await run(fails(harmless[0]));
    assert.equal(breaker.failures, 0, "a JSON-RPC error is an answer");
  });

  test("half-open lets one probe through at a time and closes after enough successes", async () => {
    const { clock, breaker, run } = setup();
    await run(failing, 3);
    await clock.advance(10_000);
    assert.equal(breaker.retryAfterMs, 0);
    for (const isLast of [false, true]) {
      const probe = held();
      const probing = run(probe.next);
      assert.equal(breaker.state, "half_open");
      const [refused] = await run(() => assert.fail("asked"));
      assert.ok(refused instanceof DeniedError && refused.code === "CIRCUIT_OPEN");
      assert.ok((refused.retryAfterMs ?? 0) > 0);
      await probe.answer();
      await probing;
      assert.equal(breaker.state, isLast ? "closed" : "half_open");
    }
    assert.equal(breaker.trips, 1);
  });

  test("any failed probe opens it again for the whole time", async () => {
    const { clock, breaker, run } = setup();
    await run(failing, 3);
    await clock.advance(10_000);
    await run(answers);
    await run(failing);
    assert.deepEqual([breaker.state, breaker.trips, breaker.retryAfterMs], ["open", 2, 10_000]);
  });

  test("a cancelled or refused probe frees the probe's place", async () => {
    const { clock, breaker, stage, run } = setup();
    await run(failing, 3);
    await clock.advance(10_000);
    const controller = new AbortController();
    const probe = watch(stage(makeCall({ signal: controller.signal }), hangs));
    controller.abort(new CancelledError());
    await clock.advance(0);
    assert.equal(probe.isDone, true);
    await run(fails(new DeniedError("TIMEOUT", "Not asked")));
    assert.equal(breaker.state, "half_open");
    await run(answers);
    await run(answers);
    assert.equal(breaker.state, "closed");
  });

  test("calls let through earlier do not decide about a later phase", async () => {
    const { clock, breaker, run } = setup();
    const lateSuccess = held();
    const lateFailure = held();
    const running = [run(lateSuccess.next), run(lateFailure.next, breaker.settings.failure_threshold)];
    await run(failing, 3);
    await clock.advance(10_000);
    await run(answers);
    await lateSuccess.answer();
    await running[0];
    assert.equal(breaker.state, "half_open");
    lateFailure.fail(gone());
    await running[1];
    assert.equal(breaker.state, "half_open");
    await run(answers);
    assert.equal(breaker.state, "closed");
  });

  test("reset closes it, and new settings take effect on an open circuit", async () => {
    const { clock, breaker, run } = setup();
    await run(failing, 3);
    breaker.settings = { ...breaker.settings, reset_timeout: 2_000 };
    assert.equal(breaker.retryAfterMs, 2_000);
    await clock.advance(500);
    breaker.reset();
    assert.deepEqual([breaker.state, breaker.failures, breaker.trips], ["closed", 0, 1]);
    await run(failing, 2);
    assert.equal(breaker.state, "closed");
  });

  test("the failure of one replica is not the server's while another answers", async () => {
    const { breaker } = setup();
    const group = { sources: [], isSound: true };
    const stage = on(breakerStage(breaker.settings, breaker, { group }));
    for (let count = 0; count < 5; count++) await assert.rejects(stage(makeCall(), failing));
    assert.deepEqual([breaker.state, breaker.failures], ["closed", 0]);
    group.isSound = false;
    for (let count = 0; count < 3; count++) await assert.rejects(stage(makeCall(), failing));
    assert.equal(breaker.state, "open");
  });
});
