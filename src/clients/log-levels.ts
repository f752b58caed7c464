/** The syslog severities of MCP logging (server/utilities/logging, "Log Levels"), least severe first. */
import type { Session } from "./session.ts";

export const mcpLogLevels = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;

/** Position of a level; an unknown one counts as the most severe, so that it is never hidden. */
export function logSeverity(level: unknown): number {
  const at = (mcpLogLevels as readonly unknown[]).indexOf(level);
  return at < 0 ? mcpLogLevels.length : at;
}

/** The level to ask of backends so that every session gets what it wants; `undefined` while no session chose one. */
export function mostVerboseLevel(sessions: Iterable<Session>): string | undefined {
  let least: string | undefined;
  for (const { logLevel } of sessions)
    if (logLevel !== undefined && (least === undefined || logSeverity(logLevel) < logSeverity(least))) least = logLevel;
  return least;
}
