import assert from "node:assert/strict";
import { test } from "node:test";
import { CallStatistics, otherTool } from "../../src/observe/call-statistics.ts";
import { profileView } from "../../src/observe/tool-profile.ts";
import { observed } from "./calls.ts";

const plain = (text: string) => text;
const statistics = (isListed: (server: string, tool: string) => boolean | undefined = () => true) =>
  new CallStatistics({ isListed, now: () => 0 });

test("CallStatistics: a call counts by how it ended, and only what the server did tells how quick it is", () => {
  const counted = statistics();
  for (const change of [
    {},
    { isError: true },
    { outcome: "UPSTREAM_ERROR", reason: "bad arguments" },
    { outcome: "TIMEOUT", durationMs: 30_000 },
    { outcome: "CIRCUIT_OPEN", durationMs: 0 },
    { outcome: "RATE_LIMITED", durationMs: 0 },
    { outcome: "CANCELLED", durationMs: 5_000 },
    { keptBy: "cache", durationMs: 0 },
    { keptBy: "idempotency", durationMs: 0 },
    { method: "resources/read", tool: undefined, durationMs: 1 },
  ] as const)
    counted.record(observed(change));
  const files = counted.servers.get("files");
  const kinds = { ok: 1, tool_error: 2, failed: 1, refused: 2, cancelled: 1, cached: 1, repeated: 1 };
  assert.deepEqual(files?.toolKinds, kinds);
  assert.deepEqual(files?.kinds, { ...kinds, ok: 2 });
  assert.deepEqual([files?.toolLatency.count, files?.latency.count], [4, 5]);
  assert.equal(files?.toolLatency.sum, 30_030);
});

test("CallStatistics: names that callers make up do not fill the memory", () => {
  const counted = statistics((_server, tool) => !tool.startsWith("made-up"));
  for (let at = 0; at < 10_000; at++) counted.record(observed({ tool: `made-up-${at}` }));
  counted.record(observed());
  const tools = counted.servers.get("files")?.tools;
  assert.deepEqual([...(tools?.keys() ?? [])], [otherTool, "read"]);
  assert.equal(tools?.get(otherTool)?.kinds.ok, 10_000);

  const unknown = statistics(() => undefined);
  for (let at = 0; at < 10_000; at++) unknown.record(observed({ tool: `${at}`.padEnd(5_000, "x") }));
  const names = [...(unknown.servers.get("files")?.tools.keys() ?? [])];
  assert.ok(names.length <= 501, `${names.length} names`);
  assert.ok(names.every((name) => name.length <= 128));
});

test("profileView: rates, percentiles, the last error and 24 hours", () => {
  const hour = 3_600_000;
  let now = 100 * hour;
  const counted = new CallStatistics({ isListed: () => true, now: () => now });
  for (let count = 0; count < 99; count++) counted.record(observed({ durationMs: 10 }));
  now += hour;
  counted.record(observed({ durationMs: 900, outcome: "UPSTREAM_CLOSED", reason: "exited, token=s3cret" }));
  counted.record(observed({ outcome: "CIRCUIT_OPEN", durationMs: 0 }));
  const profile = counted.servers.get("files")?.tools.get("read");
  const view = profileView(profile!, now, (text) => text.replace("s3cret", "***"));
  assert.equal(view["calls"], 101);
  assert.equal(view["error_rate"], 0.01);
  assert.equal(view["result_characters_mean"], 100);
  assert.deepEqual(view["last_error"], {
    at: new Date(now).toISOString(),
    code: "UPSTREAM_CLOSED",
    reason: "exited, token=***",
  });
  assert.ok((view["latency_p50_ms"] as number) <= 10 && (view["latency_p99_ms"] as number) <= 10);
  const hours = view["hours"] as { calls: number; errors: number; mean_ms: number | null }[];
  assert.equal(hours.length, 24);
  assert.deepEqual(hours.slice(-3), [
    { calls: 0, errors: 0, mean_ms: null },
    { calls: 99, errors: 0, mean_ms: 10 },
    { calls: 1, errors: 1, mean_ms: 900 },
  ]);
});

test("profileView: the trend is the last day against those before, and silent about few calls", () => {
  const hour = 3_600_000;
  let now = 1_000 * hour;
  const counted = new CallStatistics({ isListed: () => true, now: () => now });
  const trend = () => profileView(counted.servers.get("files")!.tools.get("read")!, now, plain)["trend"];
  for (let count = 0; count < 20; count++) counted.record(observed({ durationMs: 10 }));
  assert.equal(trend(), null, "there is no day before");
  now += 30 * hour;
  for (let count = 0; count < 9; count++) counted.record(observed({ durationMs: 30 }));
  assert.equal(trend(), null, "nine calls say nothing");
  counted.record(observed({ durationMs: 30, isError: true }));
  assert.deepEqual(trend(), { latency_ratio: 3, latency: "slower", error_rate: 0.1, error_rate_before: 0 });
  now += 200 * hour;
  counted.record(observed());
  assert.equal(counted.servers.get("files")!.tools.get("read")!.hours.length, 3);
});
