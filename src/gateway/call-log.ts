/** One log line per call, so that the request id of an answer leads to what happened. */

import { type CallRecord, shownToolName } from "../core/call-record.ts";
import type { Logger } from "../core/log.ts";

/**
 * What goes well, and what comes by the thousand while a server is down: the failures that brought it on were logged
 * louder.
 */
const quiet: ReadonlySet<CallRecord["outcome"]> = new Set([
  "OK",
  "CANCELLED",
  "RATE_LIMITED",
  "OVERLOADED",
  "CIRCUIT_OPEN",
  "SHUTTING_DOWN",
]);

const maxReason = 500;

/**
 * Debug lines for what goes well or was refused by a policy, info for errors a server answers with, which may be the
 * caller's fault, and warnings for what failed. Never arguments or results.
 * @param logsDenied whether refusals of the tool policy are worth a warning
 */
export function callLog(
  log: Logger,
  redact: (text: string) => string,
  logsDenied: () => boolean = () => true,
): (record: CallRecord) => void {
  return ({ requestId, caller, agent, upstream, method, tool, outcome, durationMs, reason }) => {
    const isQuiet = quiet.has(outcome) || (outcome === "POLICY_DENIED" && !logsDenied());
    const level = isQuiet ? "debug" : outcome === "UPSTREAM_ERROR" ? "info" : "warn";
    log[level](outcome === "OK" ? "Call answered" : "Call failed", {
      request_id: requestId,
      caller,
      agent,
      server: upstream,
      method,
      tool: shownToolName(tool),
      code: outcome === "OK" ? undefined : outcome,
      // Cut after secrets are out of it, or half of one would pass.
      reason: isQuiet || reason === undefined ? undefined : redact(reason).slice(0, maxReason),
      duration_ms: Math.round(durationMs * 10) / 10,
    });
  };
}
