/** What a caller may see and use. Search, lists and calls all ask here, so that nothing is visible that cannot be called. */
import { globMatches } from "../lib/glob.ts";
import type { Caller, ProfileScope } from "./caller.ts";

export function mayUseServer(caller: Caller, server: string): boolean {
  if (caller.profile !== undefined && !profileHasServer(caller.profile, server)) return false;
  if (caller.grants?.allow(server) === false) return false;
  const { backends, deniedBackends } = caller;
  if (deniedBackends?.some((pattern) => globMatches(pattern, server))) return false;
  return backends === undefined || backends.some((pattern) => globMatches(pattern, server));
}

/** Patterns are matched against `tool` and `server:tool`; what is denied stays denied whatever is allowed. */
export function mayUseTool(caller: Caller, server: string, tool: string): boolean {
  if (!mayUseServer(caller, server)) return false;
  const { profile } = caller;
  if (profile !== undefined && !isPicked(profile.allowTools, profile.denyTools, server, tool)) return false;
  if (caller.grants?.allow(server, tool) === false) return false;
  if (!isPicked(caller.allowedTools, caller.deniedTools, server, tool)) return false;
  return caller.permits?.(server, tool) !== false && caller.view?.hides(server, tool) === undefined;
}

/** Whether the caller may use the tool, but not in the state of his session. */
export function stateHidesTool(caller: Caller, server: string, tool: string): boolean {
  return caller.view?.hides(server, tool) === "state" && mayUseTool({ ...caller, view: undefined }, server, tool);
}

/** Whether the tool is another person's, which not even those see who oversee everything. */
export function isAnothers({ view }: Caller, server: string, tool: string): boolean {
  return view?.hides(server, tool) === "owner";
}

/** Whether every tool of the servers the caller may use is his to use: then none need be looked at. */
export function mayUseEveryTool({ allowedTools, deniedTools, grants, permits, profile, view }: Caller): boolean {
  const isFree =
    allowedTools === undefined && deniedTools === undefined && permits === undefined && grants === undefined;
  return isFree && view === undefined && profile?.allowTools === undefined && profile?.denyTools === undefined;
}

/** Whether the routing profile itself is in the way. */
export function profileHidesTool({ profile }: Caller, server: string, tool: string | undefined): boolean {
  if (profile === undefined) return false;
  if (!profileHasServer(profile, server)) return true;
  return tool !== undefined && !isPicked(profile.allowTools, profile.denyTools, server, tool);
}

function profileHasServer({ allowBackends, denyBackends }: ProfileScope, server: string): boolean {
  const matches = (pattern: string) => globMatches(pattern, server);
  return (allowBackends === undefined || allowBackends.some(matches)) && !denyBackends?.some(matches);
}

function isPicked(
  allowed: readonly string[] | undefined,
  denied: readonly string[] | undefined,
  server: string,
  tool: string,
): boolean {
  if (allowed === undefined && denied === undefined) return true;
  if (allowed !== undefined && !toolMatches(allowed, server, tool)) return false;
  return denied === undefined || !toolMatches(denied, server, tool);
}

/** Patterns are globs on `tool` or `server:tool`. */
export function toolMatches(patterns: readonly string[], server: string, tool: string): boolean {
  return patterns.some((pattern) => globMatches(pattern, tool) || globMatches(pattern, `${server}:${tool}`));
}
