/** Refuses tools whose definition changed or hides something, until an operator approves it (T1, T2). */
import type { Call, Next, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import { toolName } from "../tool-name.ts";

/** What is known of the definitions of one backend's tools. */
export interface ToolGate {
  /** True while no tool of the backend is held and its list is known: then nobody is asked. */
  readonly isOpen: boolean;
  /** Why the tool is held, in words; `undefined` when it may be called. Waits for the list of a server that has just started. */
  objection(tool: string): Promise<string | undefined>;
}

export function quarantineStage(gate: ToolGate | undefined): Stage | undefined {
  if (gate === undefined) return undefined;
  return (call, next) => {
    const tool = toolName(call);
    return gate.isOpen || tool === undefined ? next(call) : ask(gate, tool, call, next);
  };
}

async function ask(gate: ToolGate, tool: string, call: Call, next: Next): ReturnType<Next> {
  const why = await gate.objection(tool);
  if (why === undefined) return next(call);
  const { upstream: server } = call;
  throw new DeniedError("TOOL_QUARANTINED", `Tool "${tool}" of server "${server}" is quarantined: ${why}`, {
    hint: `An operator can look at it with "mcp-gateway quarantine show ${server}:${tool}", and approve it with "mcp-gateway quarantine approve ${server}:${tool}"`,
    data: { server },
  });
}
