import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backoffMs } from "../../src/lib/backoff.ts";

const backoff = { initialMs: 100, maxMs: 1_000, multiplier: 2 };

describe("backoffMs", () => {
  test("grows from the initial wait to the longest", () => {
    const longest = [1, 2, 3, 4, 5, 6].map((retry) => backoffMs(retry, backoff, () => 1));
    assert.deepEqual(longest, [100, 200, 400, 800, 1_000, 1_000]);
  });

  test("draws from 0 up to the back-off", () => {
    assert.equal(
      backoffMs(3, backoff, () => 0),
      0,
    );
    assert.equal(
      backoffMs(3, backoff, () => 0.5),
      200,
    );
  });

  test("stays a number for any retry and for no wait at all", () => {
    assert.equal(
      backoffMs(100_000, backoff, () => 1),
      1_000,
    );
    assert.equal(
      backoffMs(100_000, { ...backoff, initialMs: 0 }, () => 1),
      0,
    );
  });
});
