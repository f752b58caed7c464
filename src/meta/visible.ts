/** What of the catalog this caller may know of. Every meta-tool reads servers and tools through here and nowhere else. */
import type { Listed } from "../catalog/catalog.ts";
import { mayUseEveryTool, mayUseServer, mayUseTool } from "../core/scope.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { MetaContext, ServerView } from "./meta-tool.ts";

export function visibleServers(context: Pick<MetaContext, "caller" | "servers">): ServerView[] {
  return context.servers().filter(({ name }) => mayUseServer(context.caller, name));
}

/** `undefined` while the server never listed its tools. */
export function visibleTools(
  { caller, catalog }: Pick<MetaContext, "caller" | "catalog">,
  server: string,
): readonly Listed[] | undefined {
  const listed = catalog.list(server, "tools");
  const tools = listed === undefined ? undefined : toolsForModels(listed);
  if (tools === undefined || mayUseEveryTool(caller)) return tools;
  return tools.filter(({ name }) => mayUseTool(caller, server, name as string));
}

/** Looked through once for every list: most have none that is not for models. */
const forModels = new WeakMap<readonly Listed[], readonly Listed[]>();

function toolsForModels(listed: readonly Listed[]): readonly Listed[] {
  let tools = forModels.get(listed);
  if (tools === undefined) {
    tools = listed.every(isForModels) ? listed : listed.filter(isForModels);
    forModels.set(listed, tools);
  }
  return tools;
}

/** False for a tool that only the user interface of an MCP App is to call (SEP-1865, `_meta.ui.visibility`). */
export function isForModels({ _meta }: Listed): boolean {
  const ui = isJsonObject(_meta) ? _meta["ui"] : undefined;
  const visibility = isJsonObject(ui) ? ui["visibility"] : undefined;
  return !Array.isArray(visibility) || visibility.includes("model");
}

/** The tools the caller can reach now: those of enabled servers. */
export function countTools(context: Pick<MetaContext, "caller" | "catalog">, servers: readonly ServerView[]): number {
  let count = 0;
  for (const { name, enabled } of servers) if (enabled) count += visibleTools(context, name)?.length ?? 0;
  return count;
}

/** That count for a sentence: `12+` while some servers were never asked, nothing while none was; a model believes a zero. */
export function countInWords(context: MetaContext, servers: readonly ServerView[]): string {
  const count = countTools(context, servers);
  if (count === 0) return "";
  const isWhole = servers.every(({ enabled, name }) => !enabled || context.catalog.list(name, "tools") !== undefined);
  return isWhole ? `${count}` : `${count}+`;
}

/** What stands between the caller and the tools of a server; `undefined` when nothing does. */
export function obstacle({ enabled, killed, circuit, status }: ServerView): string | undefined {
  if (!enabled) return "disabled by the operator";
  if (killed) return "switched off";
  if (status.state.is === "backoff") return `down: ${status.state.error}`;
  if (status.state.is === "stopped") return "stopped";
  return circuit === "open" ? `circuit open${status.lastError ? `: ${status.lastError}` : ""}` : undefined;
}

/** What the capabilities say a tool of theirs still needs; of other servers nothing is taken for the gateway's word. */
export function missing(tool: Listed, { kind }: ServerView): string | undefined {
  const meta = tool["_meta"];
  if (kind !== "capability" || typeof meta !== "object" || meta === null) return undefined;
  const reason = (meta as JsonObject)["mcp-gateway/unavailable"];
  return typeof reason === "string" ? reason : undefined;
}
