/** Which tool of which server the arguments of a call mean; what is not there is answered with what is near. */
import { hiddenByState } from "../core/audience.ts";
import { GatewayError } from "../core/errors.ts";
import { notGranted } from "../core/granted.ts";
import { mayUseTool, stateHidesTool } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import { invalid, readString } from "./arguments.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { MetaContext } from "./meta-tool.ts";
import { nearestTools } from "./nearest-tools.ts";
import { resolveServer } from "./resolve-server.ts";
import { visibleServers, visibleTools } from "./visible.ts";

export interface Target {
  readonly server: string;
  readonly tool: string;
}

/** That of nearly every call, found without waiting: both named as they are, and known already. @throws GatewayError */
export function knownTarget(args: JsonObject, context: MetaContext): Target | undefined {
  const { tool, named } = readNames(args);
  if (named === undefined) return undefined;
  const server = resolveServer(named, context);
  return isKnown(server, tool, context) ? { server, tool } : undefined;
}

/** By `server` and `tool`, or `tool` alone as `server:tool` or a name that one server has. @throws GatewayError */
export async function findTarget(args: JsonObject, context: MetaContext): Promise<Target> {
  const { tool, named } = readNames(args);
  await context.catalog.ready();
  if (named === undefined) return targetWithoutServer(tool, context);
  const server = resolveServer(named, context);
  if (isKnown(server, tool, context)) return { server, tool };
  const unprefixed = tool.startsWith(`${named}:`) ? tool.slice(named.length + 1) : tool;
  return { server, tool: await confirm(server, unprefixed, context) };
}

function readNames(args: JsonObject): { readonly tool: string; readonly named: string | undefined } {
  const tool = readString(args, "tool");
  if (tool === undefined)
    throw invalid('Argument "tool" is missing', "Pass the server and tool of a match of gateway_search_tools");
  return { tool, named: readString(args, "server", "backend") };
}

async function targetWithoutServer(tool: string, context: MetaContext): Promise<Target> {
  const owners = visibleServers(context)
    .filter(({ name, enabled }) => enabled && isKnown(name, tool, context))
    .map(({ name }) => name);
  if (owners.length === 1) return { server: owners[0] as string, tool };
  if (owners.length > 1)
    throw invalid(`Tool "${tool}" exists on ${owners.length} servers: ${owners.join(", ")}`, 'Pass "server" as well');
  const colon = tool.indexOf(":");
  if (colon > 0) {
    const server = resolveServer(tool.slice(0, colon), context);
    return { server, tool: await confirm(server, tool.slice(colon + 1), context) };
  }
  for (const { name: server } of visibleServers(context))
    if (stateHidesTool(context.caller, server, tool)) throw hiddenByState(server, tool, context.caller);
  throw new GatewayError("TOOL_NOT_FOUND", `No server is known to have a tool named "${tool}"`, {
    hint:
      didYouMean(nearestTools(tool, visibleServers(context), context, 3)) ??
      'Pass "server" as well, or find the tool with gateway_search_tools',
  });
}

/**
 * Lets pass what the server lists, and what it may have without our knowing: a list that lacks the tool is asked for
 * again once, a list that cannot be had refuses nothing, because the call itself then says what is wrong.
 */
async function confirm(server: string, tool: string, context: MetaContext): Promise<string> {
  if (isKnown(server, tool, context)) return tool;
  const { catalog, caller } = context;
  if (stateHidesTool(caller, server, tool)) throw hiddenByState(server, tool, caller);
  const ungranted = notGranted(caller, server, tool);
  if (ungranted !== undefined) throw ungranted;
  const wasListed = catalog.list(server, "tools") !== undefined;
  // The outcome is read from the catalog.
  await context.ensureTools(server, wasListed).catch(() => {});
  if (isKnown(server, tool, context)) return tool;
  if (catalog.list(server, "tools") === undefined && mayUseTool(caller, server, tool)) return tool;
  const names = (visibleTools(context, server) ?? []).map(({ name }) => name as string);
  const elsewhere = visibleServers(context)
    .filter((view) => view.enabled && isKnown(view.name, tool, context))
    .map((view) => `${view.name}:${tool}`);
  const near = elsewhere.length > 0 ? elsewhere.slice(0, 3) : catalog.nearest(tool, names, 3);
  throw new GatewayError("TOOL_NOT_FOUND", `Server "${server}" has no tool named "${tool}"`, {
    hint: didYouMean(near) ?? `gateway_list_tools with "server": "${server}" shows its tools`,
  });
}

function isKnown(server: string, tool: string, { catalog, caller }: MetaContext): boolean {
  return catalog.tool(server, tool) !== undefined && mayUseTool(caller, server, tool);
}
