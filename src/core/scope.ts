/** What a caller may see and use. Search, lists and calls all ask here, so that nothing is visible that cannot be called. */
import { globMatches } from "../lib/glob.ts";
import type { Caller } from "./caller.ts";

export function mayUseServer(caller: Caller, server: string): boolean {
  return caller.backends === undefined || caller.backends.some((pattern) => globMatches(pattern, server));
}

/** Patterns are matched against `tool` and `server:tool`; what is denied stays denied whatever is allowed. */
export function mayUseTool(caller: Caller, server: string, tool: string): boolean {
  if (!mayUseServer(caller, server)) return false;
  const matches = (pattern: string) => globMatches(pattern, tool) || globMatches(pattern, `${server}:${tool}`);
  if (caller.allowedTools !== undefined && !caller.allowedTools.some(matches)) return false;
  return caller.deniedTools === undefined || !caller.deniedTools.some(matches);
}
