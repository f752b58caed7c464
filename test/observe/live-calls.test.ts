import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveCalls } from "../../src/observe/live-calls.ts";
import { observed } from "./calls.ts";

test("LiveCalls: gives what came since, keeps a bounded number, shows no secret and no endless text", () => {
  const live = new LiveCalls({ now: () => 0, redact: (text) => text.replaceAll("s3cret", "***") });
  for (let at = 1; at <= 1_000; at++) live.record(observed({ requestId: `r-${at}` }));
  assert.equal(live.since(0).length, 200);
  assert.deepEqual(
    live.since(998).map(({ number, request_id }) => [number, request_id]),
    [
      [999, "r-999"],
      [1_000, "r-1000"],
    ],
  );
  assert.deepEqual(live.since(1_000), []);
  live.record(observed({ outcome: "UPSTREAM_CLOSED", reason: `s3cret ${"x".repeat(5_000)}`, tool: "y".repeat(5_000) }));
  const [last] = live.since(1_000);
  assert.equal(String(last?.["reason"]).slice(0, 5), "*** x");
  assert.equal(String(last?.["reason"]).length, 300);
  assert.equal(String(last?.["tool"]).length, 128);
  assert.equal(last?.["kind"], "failed");
});
