import type { JsonObject } from "../lib/json.ts";
import { readBoolean, readInteger } from "./arguments.ts";
import { domains } from "./domains.ts";
import { jsonAnswer } from "./json-answer.ts";
import type { MetaTool, ServerView } from "./meta-tool.ts";
import { explainMiss, notSearched } from "./search-miss.ts";
import { countInWords, countTools, missing, obstacle, visibleServers } from "./visible.ts";

const defaultLimit = 10;
const maxLimit = 25;
const limitPerQuery = 5;
const domainTokens = 120;

/** Declared for programs that read `structuredContent`; it does not go to the model. */
const outputSchema = {
  type: "object",
  properties: {
    query: { type: "string" },
    matches: {
      type: "array",
      items: {
        type: "object",
        properties: {
          server: { type: "string" },
          tool: { type: "string" },
          description: { type: "string" },
          score: { type: "number" },
        },
        required: ["server", "tool", "description", "score"],
      },
    },
    total: { type: "integer" },
    total_available: { type: "integer" },
  },
  required: ["query", "matches", "total", "total_available"],
};

export const searchTools: MetaTool = {
  name: "gateway_search_tools",
  describe(context) {
    const servers = visibleServers(context);
    return {
      name: "gateway_search_tools",
      description:
        `Find the tool for a task among ${countInWords(context, servers) || "the"} tools of: ${domains(servers, domainTokens)}. ` +
        'Search one action at a time, verb + object, such as "create issue"; several in queries. Run a match with gateway_invoke.',
      inputSchema: {
        type: "object",
        properties: {
          query: { type: "string" },
          queries: { type: "array", items: { type: "string" } },
          limit: { type: "integer", default: defaultLimit, maximum: maxLimit },
          include_schema: { type: "boolean" },
          server: { type: "string" },
        },
      },
      outputSchema,
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
    // Loaded with the index: nothing of it is needed to list the tool.
    const { describeHit, findTools, readQueries, readServer } = await import("./find-tools.ts");
    const { fittingSkills } = await import("./find-skills.ts");
    const queries = readQueries(args);
    const isOne = queries.length === 1;
    const fallback = isOne ? defaultLimit : Math.min(maxLimit, queries.length * limitPerQuery);
    const limit = readInteger(args, "limit", { fallback, min: 1, max: maxLimit });
    const withSchema = readBoolean(args, "include_schema");
    const found = await findTools(queries, { limit, server: readServer(args, context) }, context);
    const { hits, servers, perServer } = found;
    const views = new Map(servers.map((server) => [server.name, server]));
    const query = queries.join("; ");
    const result: JsonObject = {
      query,
      matches: hits.map((hit) => {
        const { server, tool, listed } = hit;
        const view = views.get(server) as ServerView;
        return { server, tool, ...describeHit(hit, withSchema, obstacle(view) ?? missing(listed, view)) };
      }),
      total: hits.length,
      total_available: countTools(context, servers),
      ...(perServer !== undefined && { narrow_by_server: perServer }),
      ...(await fittingSkills(queries, context)),
      ...(hits.length === 0 ? explainMiss(query, servers, context) : notSearched(servers, context)),
    };
    return jsonAnswer(result, { structuredContent: result });
  },
};
