import type { ObservedCall } from "../../src/observe/call-kind.ts";

/** A call of a tool that went well, changed as wanted. */
export function observed(change: Partial<ObservedCall> = {}): ObservedCall {
  return {
    requestId: "r-1",
    caller: "ci",
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
