import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallRecord } from "../../src/core/call-record.ts";
import { callLog } from "../../src/gateway/call-log.ts";
import { createLogger } from "../../src/observe/log.ts";

test("callLog: a failure is a warning with the request id, a success and a flood of refusals only debug", () => {
  const lines = (level: "info" | "debug") => {
    const written: string[] = [];
    const log = createLogger({
      level,
      format: "text",
      write: (line) => written.push(line.slice(line.indexOf("Z ") + 2)),
      redact: (text) => text,
    });
    const sink = callLog(log, (text) => text.replaceAll("s3cret", "***"));
    const unsaid = { agent: "builder", isError: false, characters: undefined };
    const base = { requestId: "r-1", caller: "ci", upstream: "files", method: "tools/call", tool: "read", ...unsaid };
    const records: CallRecord[] = [
      { ...base, outcome: "OK", reason: undefined, durationMs: 1.23456 },
      { ...base, outcome: "CIRCUIT_OPEN", reason: "Wait", durationMs: 0 },
      { ...base, tool: undefined, outcome: "UPSTREAM_CLOSED", reason: `${"x".repeat(497)}s3cret`, durationMs: 5 },
    ];
    records.push({ ...base, tool: "y".repeat(500), outcome: "UPSTREAM_ERROR", reason: "Bad", durationMs: 0 });
    for (const record of records) sink(record);
    return written;
  };
  const who = "request_id=r-1 caller=ci agent=builder server=files method=tools/call";
  const failed = `WARN  Call failed ${who} code=UPSTREAM_CLOSED reason=${"x".repeat(497)}*** duration_ms=5`;
  const answered = `INFO  Call failed ${who} tool=${"y".repeat(128)} code=UPSTREAM_ERROR reason=Bad duration_ms=0`;
  assert.deepEqual(lines("info"), [failed, answered]);
  assert.deepEqual(lines("debug"), [
    `DEBUG Call answered ${who} tool=read duration_ms=1.2`,
    `DEBUG Call failed ${who} tool=read code=CIRCUIT_OPEN duration_ms=0`,
    failed,
    answered,
  ]);
});
