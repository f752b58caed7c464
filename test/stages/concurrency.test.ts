import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CancelledError, DeniedError } from "../../src/core/errors.ts";
import { Semaphore } from "../../src/lib/semaphore.ts";
import { concurrencyStage } from "../../src/stages/concurrency/concurrency-stage.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, fails, failsafe, hangs, makeCall, on, pong, watch } from "./fixture.ts";

function setup() {
  const clock = new FakeClock();
  const settings = failsafe({ concurrency: { max_concurrent: 1, max_queue: 1, queue_timeout: "5s" } }).concurrency;
  const semaphore = new Semaphore(settings.max_concurrent, settings.max_queue, clock);
  const stage = on(concurrencyStage(settings, semaphore, clock));
  const first = new AbortController();
  const running = watch(stage(makeCall({ signal: first.signal }), hangs));
  return { clock, semaphore, stage, endFirst: () => first.abort(new CancelledError()), running };
}

function assertDenied(error: unknown, code: string, setting: string): void {
  assert.ok(error instanceof DeniedError);
  assert.equal(error.code, code);
  assert.ok(error.hint?.includes(setting), `${error.hint}`);
  assert.equal(error.data?.["server"], "files");
  assert.ok((error.retryAfterMs ?? 0) > 0);
}

describe("concurrencyStage", () => {
  test("a queued call runs when a place is free, whether the one before failed or not", async () => {
    const { clock, stage, semaphore, endFirst } = setup();
    const queued = watch(stage(makeCall(), answers));
    await clock.advance(100);
    assert.equal(queued.isDone, false);
    endFirst();
    await clock.advance(0);
    assert.equal(queued.value, pong);
    await assert.rejects(stage(makeCall(), fails(new Error("broken"))), /broken/);
    assert.equal(semaphore.running, 0);
    assert.equal(clock.pending, 0);
  });

  test("refuses at once when the queue is full", async () => {
    const { clock, stage } = setup();
    void stage(makeCall(), answers).catch(() => {});
    const refused = watch(stage(makeCall(), answers));
    await clock.advance(0);
    assertDenied(refused.error, "OVERLOADED", "failsafe.concurrency.max_queue");
  });

  test("drops a call that waited too long, naming the limit it met", async () => {
    const { clock, stage } = setup();
    const patient = watch(stage(makeCall({ deadline: 60_000 }), answers));
    await clock.advance(5_000);
    assertDenied(patient.error, "OVERLOADED", "failsafe.concurrency.queue_timeout");
    const hurried = watch(stage(makeCall({ deadline: 6_000 }), answers));
    await clock.advance(1_000);
    assertDenied(hurried.error, "TIMEOUT", "server.request_timeout");
  });

  test("an abort leaves the queue", async () => {
    const { clock, stage, semaphore } = setup();
    const controller = new AbortController();
    const queued = watch(stage(makeCall({ signal: controller.signal }), answers));
    await clock.advance(0);
    assert.equal(semaphore.waiting, 1);
    controller.abort();
    await clock.advance(0);
    assert.ok(queued.error instanceof CancelledError);
    assert.equal(semaphore.waiting, 0);
    assert.equal(clock.pending, 0);
  });
});
