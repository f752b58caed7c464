import type { Call } from "../../core/call.ts";
import { toolName } from "../tool-name.ts";
import { maxNameChars } from "./step-counts.ts";

/**
 * `server:tool` of a call that is a step of its session; `undefined` for requests that call no tool, for calls that a
 * capability makes, which are no choice of the client, and for names that no server would give a tool.
 */
export function stepTool(call: Call): string | undefined {
  const tool = toolName(call);
  if (tool === undefined || call.depth !== undefined) return undefined;
  const name = `${call.upstream}:${tool}`;
  return name.length > maxNameChars ? undefined : name;
}
