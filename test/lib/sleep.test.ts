import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sleep } from "../../src/lib/sleep.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

describe("sleep", () => {
  test("resolves after its time", async () => {
    const clock = new FakeClock();
    let isAwake = false;
    const asleep = sleep(50, new AbortController().signal, clock).then(() => {
      isAwake = true;
    });
    await clock.advance(49);
    assert.equal(isAwake, false);
    await clock.advance(1);
    assert.equal(isAwake, true);
    await asleep;
  });

  test("rejects with the reason when aborted, before and during, and leaves no timer", async () => {
    const clock = new FakeClock();
    const reason = new Error("enough");
    await assert.rejects(sleep(50, AbortSignal.abort(reason), clock), reason);
    const controller = new AbortController();
    const asleep = sleep(50, controller.signal, clock);
    controller.abort(reason);
    await assert.rejects(asleep, reason);
    assert.equal(clock.pending, 0);
  });
});
