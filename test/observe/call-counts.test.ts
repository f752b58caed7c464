import assert from "node:assert/strict";
import { test } from "node:test";
import { CallCounts } from "../../src/observe/call-counts.ts";

test("CallCounts tells the most called tools first, and is bounded whatever names are called", () => {
  const counts = new CallCounts();
  counts.note({ upstream: "a", tool: "x", outcome: "OK", keptBy: "cache" });
  for (const outcome of ["OK", "TIMEOUT", "OK"] as const) counts.note({ upstream: "b", tool: "x", outcome });
  counts.note({ upstream: "b", tool: undefined, outcome: "OK" });
  assert.deepEqual(counts.perTool(), [
    { server: "b", tool: "x", count: 3, failed: 1, cached: 0 },
    { server: "a", tool: "x", count: 1, failed: 0, cached: 1 },
  ]);
  for (let at = 0; at < 6_000; at++) counts.note({ upstream: "a", tool: `made-up-${at}`, outcome: "TIMEOUT" });
  counts.note({ upstream: "b", tool: "x", outcome: "OK" });
  assert.equal(counts.perTool().length, 5_000);
  assert.equal(counts.perTool()[0]?.count, 4);
});
