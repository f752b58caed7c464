/** Why a search found nothing, and what to try: an empty list alone makes a model give up or invent a tool. */
import type { JsonObject } from "../lib/json.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { MetaContext, ServerView } from "./meta-tool.ts";
import { nearestTools } from "./nearest-tools.ts";
import { obstacle, visibleServers, visibleTools } from "./visible.ts";

const maxServersNamed = 20;

export function explainMiss(query: string, servers: readonly ServerView[], context: MetaContext): JsonObject {
  const near = nearestTools(query, servers, context, 5);
  const hidden = hiddenFrom(context);
  const advice =
    didYouMean(near) ??
    'Try one action in other words, verb + object; gateway_list_tools with "server" shows all tools of a server';
  return {
    ...notSearched(servers, context),
    ...(near.length > 0 && { nearest: near }),
    ...(hidden !== undefined && { hidden_from_caller: hidden }),
    hint: advice,
  };
}

/** Servers whose tools could not be looked through, each with the reason. Empty when all were. */
export function notSearched(servers: readonly ServerView[], context: MetaContext): JsonObject {
  const skipped = servers.filter(({ enabled, name }) => !enabled || context.catalog.list(name, "tools") === undefined);
  if (skipped.length === 0) return {};
  const named = skipped.slice(0, maxServersNamed).map((server) => ({
    server: server.name,
    reason: obstacle(server) ?? "not listed yet, asked now: search again in a moment",
  }));
  return { not_searched: named, ...(skipped.length > named.length && { not_searched_total: skipped.length }) };
}

/** Numbers only, and the same for every query: neither a name nor what hidden tools are about can be told from them. */
function hiddenFrom(context: MetaContext): JsonObject | undefined {
  const seen = new Set(visibleServers(context).map(({ name }) => name));
  let tools = 0;
  let servers = 0;
  for (const { name } of context.servers()) {
    const known = context.catalog.list(name, "tools")?.length ?? 0;
    tools += known - (seen.has(name) ? (visibleTools(context, name)?.length ?? 0) : 0);
    if (!seen.has(name)) servers++;
  }
  const state = context.caller.view?.state;
  return servers > 0 || tools > 0 ? { servers, tools, ...(state !== undefined && { state }) } : undefined;
}
