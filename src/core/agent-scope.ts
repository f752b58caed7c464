/** What an agent may do, as it is written: `tools:BACKEND:TOOL:LEVEL`; what is left out at the end stands for everything. */

/**
 * `read` gives tools that say `readOnlyHint`; `write` those, and tools that say they destroy nothing
 * (`destructiveHint: false`); `execute` and `*` give every tool. A tool that says nothing counts as destructive
 * (server/tools, "ToolAnnotations").
 */
export type AgentScopeLevel = "read" | "write" | "execute" | "*";

export interface AgentScope {
  /** Globs, both. */
  readonly backend: string;
  readonly tool: string;
  readonly level: AgentScopeLevel;
}

const pattern = /^tools:([^:\s]+)(?::([^:\s]+))?(?::(read|write|execute|\*))?$/;

/** `undefined` for what is no scope: it gives nothing. */
export function parseAgentScope(text: string): AgentScope | undefined {
  const [, backend, tool = "*", level = "*"] = pattern.exec(text) ?? [];
  return backend === undefined ? undefined : { backend, tool, level: level as AgentScopeLevel };
}
