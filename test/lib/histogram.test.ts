import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram, latencyBoundsMs, quantile } from "../../src/lib/histogram.ts";

test("Histogram: each value counts once, at its bound, between bounds and beyond the last", () => {
  const histogram = new Histogram();
  for (const value of [0, 0.5, 0.6, 1, 60_000, 300_000, 300_001, 1e9]) histogram.add(value);
  assert.equal(histogram.count, 8);
  assert.deepEqual(histogram.counts.slice(0, 3), [2, 2, 0]);
  assert.deepEqual(histogram.counts.slice(-2), [1, 2]);
  assert.equal(
    histogram.counts.reduce((sum, count) => sum + count, 0),
    8,
  );
});

test("quantile: within its counter's bounds of the true one, and nothing for no values", () => {
  assert.equal(quantile(new Histogram().counts, 0.5), undefined);
  const histogram = new Histogram();
  for (let value = 1; value <= 1_000; value++) histogram.add(value);
  for (const [share, exact] of [
    [0.5, 500],
    [0.95, 950],
    [0.99, 990],
    [1, 1_000],
  ] as const) {
    const found = quantile(histogram.counts, share) as number;
    const above = latencyBoundsMs.find((bound) => bound >= exact) as number;
    const below = latencyBoundsMs.filter((bound) => bound < exact).at(-1) as number;
    assert.ok(found >= below && found <= above, `${share}: ${found}`);
  }
  const slow = new Histogram();
  slow.add(1e9);
  assert.equal(quantile(slow.counts, 0.5), 300_000, "beyond all bounds it is the last one");
});
