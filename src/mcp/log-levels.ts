/** The syslog severities of MCP logging (server/utilities/logging, "Log Levels"), least severe first. */
export const mcpLogLevels = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"] as const;

export function isLogLevel(level: unknown): level is (typeof mcpLogLevels)[number] {
  return (mcpLogLevels as readonly unknown[]).includes(level);
}

/** Position of a level; an unknown one counts as the most severe, so that it is never hidden. */
export function logSeverity(level: unknown): number {
  const at = (mcpLogLevels as readonly unknown[]).indexOf(level);
  return at < 0 ? mcpLogLevels.length : at;
}
