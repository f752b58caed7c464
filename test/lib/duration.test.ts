import assert from "node:assert/strict";
import { test } from "node:test";
import { durationText, parseDurationMs } from "../../src/lib/duration.ts";

test("durationText: in the largest unit without a fraction, and read back as it was", () => {
  const texts = { 0: "0ms", 1: "1ms", 1500: "1500ms", 30000: "30s", 300000: "5m", 5400000: "90m", 86400000: "1d" };
  for (const [ms, text] of Object.entries(texts)) {
    assert.equal(durationText(Number(ms)), text);
    assert.equal(parseDurationMs(text), Number(ms));
  }
});
