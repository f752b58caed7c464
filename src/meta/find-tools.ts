/** One search for all that search: several queries at once, what the caller may see, and how to narrow the result. */
import type { Listed, SearchHit } from "../catalog/catalog.ts";
import { mayUseTool } from "../core/scope.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import { invalid, readString } from "./arguments.ts";
import type { MetaContext, ServerView } from "./meta-tool.ts";
import { resolveServer } from "./resolve-server.ts";
import { shorten } from "./shorten.ts";
import { signature } from "./signature.ts";
import { isForModels, visibleServers } from "./visible.ts";

const maxQueries = 8;
/** Hits of a query that are looked at, for the fusion and for the counts per server. */
const depth = 50;
const serversNamed = 5;
const maxDescription = 500;

export interface FoundTools {
  readonly hits: readonly SearchHit[];
  /** Every server that was to be searched, those that could not be included. */
  readonly servers: readonly ServerView[];
  /** How many hits each of the servers with the most has, where not all hits are shown and they are of several. */
  readonly perServer: JsonObject | undefined;
}

/** `queries`, a list or one text, else `query`; at least one. */
export function readQueries(args: JsonObject): string[] {
  const { queries, query } = args;
  const given = Array.isArray(queries)
    ? queries
    : Array.isArray(query)
      ? query
      : [queries ?? readString(args, "query")];
  const texts = given.map((one) => (typeof one === "string" ? one.trim() : "")).filter((one) => one !== "");
  if (texts.length === 0)
    throw invalid('Argument "query" is missing', 'Pass one action as verb + object, such as "create issue"');
  if (texts.length > maxQueries) throw invalid(`Argument "queries" holds more than ${maxQueries} queries`);
  return [...new Set(texts)];
}

/** The one server to search, by `server` or `backend`. */
export function readServer(args: JsonObject, context: MetaContext): string | undefined {
  const wanted = readString(args, "server", "backend");
  return wanted === undefined ? undefined : resolveServer(wanted, context);
}

export interface FindOptions {
  readonly limit: number;
  readonly server: string | undefined;
  /** Only tools it returns true for; left out, all. */
  readonly fits?: (listed: Listed) => boolean;
}

export async function findTools(
  queries: readonly string[],
  { limit, server, fits }: FindOptions,
  context: MetaContext,
): Promise<FoundTools> {
  const servers = visibleServers(context).filter(({ name }) => server === undefined || name === server);
  await Promise.all(servers.map(({ enabled, name }) => enabled && context.toolsSoon(name)));
  const enabled = new Set(servers.filter((view) => view.enabled).map(({ name }) => name));
  await context.usage.ready();
  const options = {
    limit: depth,
    server,
    boost: (name: string, tool: string) => boostOf(context.usage.successes(name, tool)),
    visible: (name: string, tool: string) => {
      if (!enabled.has(name) || !mayUseTool(context.caller, name, tool)) return false;
      const listed = context.catalog.tool(name, tool);
      return listed === undefined || (isForModels(listed) && fits?.(listed) !== false);
    },
  };
  const found: SearchHit[][] = [];
  for (const query of queries) found.push(await context.catalog.search(query, options));
  const all = found.length === 1 ? (found[0] as SearchHit[]) : fuse(found);
  return { hits: all.slice(0, limit), servers, perServer: all.length > limit ? countPerServer(all) : undefined };
}

/** Enough to decide between tools that fit about as well, too little to bring up one that does not. */
const boostPerDoubling = 0.02;
const maxBoost = 1.2;

function boostOf(successes: number): number {
  return successes === 0 ? 1 : Math.min(maxBoost, 1 + boostPerDoubling * Math.log2(1 + successes));
}

/**
 * By the best rank in any of the rankings, then by the sum of the reciprocal ranks. The sum alone is for queries that
 * mean the same; these mean different actions, and what fits all of them a little must not go before the best of each.
 */
function fuse(rankings: readonly (readonly SearchHit[])[]): SearchHit[] {
  const fused = new Map<string, { hit: SearchHit; best: number; sum: number }>();
  for (const hits of rankings)
    for (const [rank, hit] of hits.entries()) {
      const key = `${hit.server}\0${hit.tool}`;
      const known = fused.get(key) ?? { hit, best: 0, sum: 0 };
      fused.set(key, known);
      known.best = Math.max(known.best, 1 / (rank + 1));
      known.sum += 1 / (rank + 1);
    }
  return [...fused.values()]
    .sort((a, b) => b.best - a.best || b.sum - a.sum)
    .map(({ hit, best }) => ({ ...hit, score: Math.round(best * 10_000) / 10_000 }));
}

function countPerServer(hits: readonly SearchHit[]): JsonObject | undefined {
  const counts = new Map<string, number>();
  for (const { server } of hits) counts.set(server, (counts.get(server) ?? 0) + 1);
  if (counts.size < 2) return undefined;
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a).slice(0, serversNamed));
}

/** What both kinds of search tell of a hit besides its name, in this order. @param more told of the schemas, where they are wanted */
export function describeHit(
  { listed, score }: SearchHit,
  withSchema: boolean,
  unavailable: Json | undefined,
  more: JsonObject = {},
): JsonObject {
  const parameters = withSchema ? undefined : signature(listed["inputSchema"]);
  return {
    description: shorten(listed["description"], maxDescription),
    score,
    ...(parameters !== undefined && { parameters }),
    ...(withSchema && { input_schema: listed["inputSchema"], ...more }),
    ...(unavailable !== undefined && { unavailable }),
  };
}
