import type { CallRecord } from "../../src/core/call-record.ts";

/** A call of a tool that went well, changed as wanted. */
export function observed(change: Partial<CallRecord> = {}): CallRecord {
  return {
    requestId: "r-1",
    caller: "ci",
    agent: undefined,
    upstream: "files",
    method: "tools/call",
    tool: "read",
    outcome: "OK",
    isError: false,
    characters: 100,
    reason: undefined,
    durationMs: 10,
    ...change,
  };
}
