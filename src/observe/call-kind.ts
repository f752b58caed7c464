/** How a call ended, in the words of statistics. */
import type { CallRecord } from "../core/call-record.ts";

/**
 * `tool_error`: the server answered that it could not. `failed`: there was no usable answer. `refused`: the gateway did
 * not ask the server. `cached`, `repeated`: nor then, as it had the answer of an earlier call, from the cache or under the
 * same idempotency key. Only the first three say how quick a server is.
 */
export const callKinds = ["ok", "tool_error", "failed", "refused", "cancelled", "cached", "repeated"] as const;
export type CallKind = (typeof callKinds)[number];

const serverErrors: ReadonlySet<string> = new Set(["UPSTREAM_ERROR", "TOOL_NOT_FOUND", "RESOURCE_NOT_FOUND"]);
const failures: ReadonlySet<string> = new Set([
  "TIMEOUT",
  "UPSTREAM_START_FAILED",
  "UPSTREAM_CLOSED",
  "UPSTREAM_PROTOCOL",
  "RESULT_TOO_LARGE",
  "INTERNAL",
]);

export function kindOf({ outcome, isError, keptBy }: Pick<CallRecord, "outcome" | "isError" | "keptBy">): CallKind {
  if (keptBy !== undefined) return keptBy === "cache" ? "cached" : "repeated";
  if (outcome === "OK") return isError ? "tool_error" : "ok";
  if (outcome === "CANCELLED") return "cancelled";
  if (serverErrors.has(outcome)) return "tool_error";
  return failures.has(outcome) ? "failed" : "refused";
}

/** Whether such a call says how quick its server is. */
export function isTimed(kind: CallKind): boolean {
  return kind === "ok" || kind === "tool_error" || kind === "failed";
}

export function noCalls(): Record<CallKind, number> {
  return { ok: 0, tool_error: 0, failed: 0, refused: 0, cancelled: 0, cached: 0, repeated: 0 };
}
