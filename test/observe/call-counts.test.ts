import assert from "node:assert/strict";
import { test } from "node:test";
import { CallCounts } from "../../src/observe/call-counts.ts";

test("CallCounts tells the most called tools first, and is bounded whatever names are called", () => {
  const counts = new CallCounts();
  counts.note("a", "x", false);
  for (const isFailed of [false, true, false]) counts.note("b", "x", isFailed);
  assert.deepEqual(counts.perTool(), [
    { server: "b", tool: "x", count: 3, failed: 1 },
    { server: "a", tool: "x", count: 1, failed: 0 },
  ]);
  for (let at = 0; at < 6_000; at++) counts.note("a", `made-up-${at}`, true);
  counts.note("b", "x", false);
  assert.equal(counts.perTool().length, 5_000);
  assert.equal(counts.perTool()[0]?.count, 4);
});
