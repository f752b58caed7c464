import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedTimer } from "../../src/lib/shared-timer.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

function setUp(ms: number) {
  const clock = new FakeClock();
  const timer = new SharedTimer(ms, clock);
  const over: string[] = [];
  const waiting = (name: string, then = () => {}) => ({
    onTime() {
      over.push(`${name} ${clock.now()}`);
      then();
    },
  });
  return { clock, timer, over, waiting };
}

test("SharedTimer calls each wait back at its own time, with one timer of the clock at most", async () => {
  const { clock, timer, over, waiting } = setUp(100);
  timer.start(waiting("a"), clock.now());
  await clock.advance(30);
  timer.start(waiting("b"), clock.now());
  timer.start(waiting("c"), clock.now());
  assert.equal(clock.pending, 1);
  await clock.advance(1_000);
  assert.deepEqual(over, ["a 100", "b 130", "c 130"]);
  assert.equal(clock.pending, 0);
});

test("a wait that is cancelled is not called back, and starts and ends no timer of its own", async () => {
  const { clock, timer, over, waiting } = setUp(100);
  const first = timer.start(waiting("a"), clock.now());
  await clock.advance(10);
  timer.start(waiting("b"), clock.now());
  first.cancel();
  first.cancel();
  assert.equal(clock.pending, 1);
  await clock.advance(100);
  assert.deepEqual(over, ["b 110"]);
  first.cancel();
  timer.start(waiting("c"), clock.now()).cancel();
  timer.start(waiting("d"), clock.now()).cancel();
  assert.equal(clock.pending, 1);
  await clock.advance(100);
  assert.deepEqual(over, ["b 110"]);
  assert.equal(clock.pending, 0);
});

test("a callback may start and cancel waits", async () => {
  const { clock, timer, over, waiting } = setUp(100);
  timer.start(
    waiting("first", () => {
      cancelled.cancel();
      timer.start(waiting("next"), clock.now());
    }),
    clock.now(),
  );
  const cancelled = timer.start(waiting("cancelled"), clock.now());
  await clock.advance(100);
  assert.equal(clock.pending, 1);
  await clock.advance(100);
  assert.deepEqual(over, ["first 100", "next 200"]);
  assert.equal(clock.pending, 0);
});
