import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SlidingWindow } from "../../src/lib/sliding-window.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

describe("SlidingWindow", () => {
  test("total counts what was added within the window", async () => {
    const clock = new FakeClock();
    const window = new SlidingWindow(10_000, clock);
    window.add();
    await clock.advance(5_000);
    window.add(4);
    assert.equal(window.total, 5);
    await clock.advance(5_000);
    assert.equal(window.total, 4);
    await clock.advance(5_000);
    assert.equal(window.total, 0);
  });

  test("total equals a naive count whatever the gaps", async () => {
    const clock = new FakeClock();
    const window = new SlidingWindow(10_000, clock);
    const slots: number[] = [];
    for (let i = 0; i < 2_000; i++) {
      await clock.advance((i * 7919) % (i % 100 === 0 ? 30_011 : 997));
      window.add();
      slots.push(Math.floor(clock.now() / 1_000));
      const newest = Math.floor(clock.now() / 1_000);
      assert.equal(window.total, slots.filter((slot) => slot > newest - 10).length);
    }
  });
});
