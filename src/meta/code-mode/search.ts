/** Search of code mode: matches are named as `gateway_execute` takes them, with their schema. */
import type { SearchHit } from "../../catalog/catalog.ts";
import { wildcardMatches } from "../../lib/glob.ts";
import { readBoolean, readInteger } from "../arguments.ts";
import { domains } from "../domains.ts";
import { fittingSkills } from "../find-skills.ts";
import { describeHit, findTools, readQueries, readServer } from "../find-tools.ts";
import { jsonAnswer } from "../json-answer.ts";
import type { MetaContext, MetaTool, ServerView } from "../meta-tool.ts";
import { explainMiss, notSearched } from "../search-miss.ts";
import { countInWords, countTools, obstacle, visibleServers, visibleTools } from "../visible.ts";

const defaultLimit = 10;
const maxLimit = 25;
const domainTokens = 120;

export const codeSearch: MetaTool = {
  name: "gateway_search",
  describe(context) {
    const servers = visibleServers(context);
    return {
      name: "gateway_search",
      description:
        `Find tools among ${countInWords(context, servers) || "the"} of: ${domains(servers, domainTokens)}. One action at ` +
        'a time, verb + object, several in queries; or a pattern such as "github:*issue*". Run matches with gateway_execute.',
      inputSchema: {
        type: "object",
        properties: {
          query: { type: "string" },
          queries: { type: "array", items: { type: "string" } },
          limit: { type: "integer", default: defaultLimit, maximum: maxLimit },
          include_schema: { type: "boolean", default: true },
          server: { type: "string" },
        },
      },
      annotations: {
        title: "Search tools",
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    };
  },
  async run(args, context) {
    const queries = readQueries(args);
    const limit = readInteger(args, "limit", { fallback: defaultLimit, min: 1, max: maxLimit });
    const withSchema = args["include_schema"] === undefined || readBoolean(args, "include_schema");
    const server = readServer(args, context);
    const pattern = queries.length === 1 && /^[^\s]*[*?][^\s]*$/.test(queries[0] as string) ? queries[0] : undefined;
    const ranked = await findTools(queries, { limit, server }, context);
    const { servers, perServer } = ranked;
    const matching = pattern === undefined ? ranked.hits : toolsLike(pattern, servers, context);
    const views = new Map(servers.map((view) => [view.name, view]));
    const query = queries.join("; ");
    const hits = matching.slice(0, limit);
    return jsonAnswer({
      query,
      matches: hits.map((hit) => {
        const { outputSchema } = hit.listed;
        const more = outputSchema === undefined ? {} : { output_schema: outputSchema };
        const unavailable = obstacle(views.get(hit.server) as ServerView);
        return { tool: `${hit.server}:${hit.tool}`, ...describeHit(hit, withSchema, unavailable, more) };
      }),
      total: pattern === undefined ? hits.length : matching.length,
      total_available: countTools(context, servers),
      ...(pattern === undefined && perServer !== undefined && { narrow_by_server: perServer }),
      ...(await fittingSkills(queries, context)),
      ...(hits.length === 0 ? explainMiss(query, servers, context) : notSearched(servers, context)),
    });
  },
};

/** In the order of the servers; the pattern is of the tool's name, or of `server:tool` where it has a colon. */
function toolsLike(pattern: string, servers: readonly ServerView[], context: MetaContext): SearchHit[] {
  const withServer = pattern.includes(":");
  return servers.flatMap(({ name: server, enabled }) =>
    ((enabled && visibleTools(context, server)) || [])
      .filter(({ name }) => wildcardMatches(pattern, withServer ? `${server}:${String(name)}` : String(name)))
      .map((listed) => ({ server, tool: String(listed["name"]), listed, score: 1 })),
  );
}
