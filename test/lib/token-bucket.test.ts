import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TokenBucket } from "../../src/lib/token-bucket.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

function taken(bucket: TokenBucket, tries: number): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (bucket.take()) count++;
  return count;
}

describe("TokenBucket", () => {
  test("take gives the burst at once and then the rate", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(10, 5, clock);
    assert.equal(taken(bucket, 20), 5);
    await clock.advance(300);
    assert.equal(taken(bucket, 20), 3);
    await clock.advance(3_600_000);
    assert.equal(taken(bucket, 20), 5, "it never holds more than the burst");
  });

  test("waitMs is the time after which take succeeds", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(3, 1, clock);
    assert.equal(bucket.waitMs, 0);
    bucket.take();
    assert.equal(bucket.waitMs, 334);
    await clock.advance(bucket.waitMs - 1);
    assert.equal(bucket.take(), false);
    await clock.advance(1);
    assert.equal(bucket.take(), true);
  });

  test("configure keeps what was taken", () => {
    const bucket = new TokenBucket(10, 5, new FakeClock());
    taken(bucket, 4);
    bucket.configure(10, 8);
    assert.equal(taken(bucket, 20), 4);
    bucket.configure(10, 2);
    assert.equal(taken(bucket, 20), 0);
  });
});
