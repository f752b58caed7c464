import { logSeverity } from "../mcp/log-levels.ts";
import type { Session } from "./session.ts";

/** The level to ask of backends so that every session gets what it wants; `undefined` while no session chose one. */
export function mostVerboseLevel(sessions: Iterable<Session>): string | undefined {
  let least: string | undefined;
  for (const { logLevel } of sessions)
    if (logLevel !== undefined && (least === undefined || logSeverity(logLevel) < logSeverity(least))) least = logLevel;
  return least;
}
