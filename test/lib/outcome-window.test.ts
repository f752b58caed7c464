import assert from "node:assert/strict";
import { test } from "node:test";
import { OutcomeWindow } from "../../src/lib/outcome-window.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

test("OutcomeWindow: keeps the newest, forgets the old, and counts both kinds", async () => {
  const clock = new FakeClock();
  const window = new OutcomeWindow(3, 1_000, clock);
  const seen = () => [window.successes, window.failures];
  assert.deepEqual(seen(), [0, 0]);
  for (const failed of [true, true, false]) window.add(failed);
  assert.deepEqual(seen(), [1, 2]);
  window.add(false);
  assert.deepEqual(seen(), [2, 1], "a fourth pushes the first out");
  await clock.advance(600);
  window.add(true);
  assert.deepEqual(seen(), [2, 1]);
  await clock.advance(600);
  assert.deepEqual(seen(), [0, 1], "older than a second");
  window.clear();
  assert.deepEqual(seen(), [0, 0]);
  for (let count = 0; count < 10; count++) window.add(count % 2 === 0);
  assert.deepEqual(seen(), [2, 1]);
});
