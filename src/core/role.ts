/** What a caller may see of the gateway itself and do to it, besides calling tools: a ladder, each step with all below it. */
import type { Caller } from "./caller.ts";
import { mayUseEveryTool, mayUseServer, mayUseTool } from "./scope.ts";

/** `viewer` reads what operators read; `operator` switches, approves and reloads; `admin` does everything. */
export type Role = "viewer" | "operator" | "admin";

const ladder: readonly (Role | undefined)[] = [undefined, "viewer", "operator", "admin"];

export function roleOf({ admin, role }: Caller): Role | undefined {
  return admin ? "admin" : role;
}

export function hasRole(caller: Caller, least: Role): boolean {
  return ladder.indexOf(roleOf(caller)) >= ladder.indexOf(least);
}

/** The higher one. */
export function higherRole(one: Role | undefined, other: Role | undefined): Role | undefined {
  return ladder[Math.max(ladder.indexOf(one), ladder.indexOf(other))];
}

/**
 * Whether the caller's role reaches this server, and the tool if one is named. That of an admin reaches everything, every
 * other one as far as the caller's calls do.
 */
export function oversees(caller: Caller, server: string, tool?: string | null): boolean {
  if (caller.admin) return true;
  return tool === undefined || tool === null ? mayUseServer(caller, server) : mayUseTool(caller, server, tool);
}

/** Whether it reaches what is about all servers at once, as the configuration, other callers and costs. */
export function overseesAll(caller: Caller): boolean {
  const { admin, role, backends, deniedBackends, profile } = caller;
  if (admin || role === undefined) return admin;
  const isFree = backends === undefined && !deniedBackends?.length && profile === undefined;
  // What the state of a session hides, or is another's, is no limit of rights.
  return isFree && mayUseEveryTool({ ...caller, view: undefined });
}
