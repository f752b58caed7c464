import type { JsonObject } from "../lib/json.ts";
import { readInteger, readString } from "./arguments.ts";
import { jsonAnswer } from "./json-answer.ts";
import type { MetaContext, MetaTool } from "./meta-tool.ts";
import { resolveServer } from "./resolve-server.ts";
import { shorten } from "./shorten.ts";
import { countInWords, missing, obstacle, visibleServers, visibleTools } from "./visible.ts";

/** About 25,000 tokens: more than that and the answer crowds out the conversation it is for. */
const maxCharacters = 100_000;
const maxDescription = 200;

export const listTools: MetaTool = {
  name: "gateway_list_tools",
  describe(context) {
    const count = countInWords(context, visibleServers(context));
    return {
      name: "gateway_list_tools",
      description: `List tools: of one server with full schemas, or all${count && ` ${count}`} by name. To find a tool, search instead.`,
      inputSchema: {
        type: "object",
        properties: { server: { type: "string" }, offset: { type: "integer" } },
      },
      annotations: {
        title: "List tools",
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    };
  },
  async run(args, context) {
    const name = readString(args, "server", "backend");
    const offset = readInteger(args, "offset", { fallback: 0, min: 0, max: 1_000_000 });
    await context.catalog.ready();
    return jsonAnswer(
      name === undefined
        ? await toolsOfAll(context, offset)
        : await toolsOfOne(context, resolveServer(name, context), offset),
    );
  },
};

async function toolsOfOne(context: MetaContext, server: string, offset: number): Promise<JsonObject> {
  const view = visibleServers(context).find((candidate) => candidate.name === server);
  if (view?.enabled && visibleTools(context, server) === undefined) await context.ensureTools(server);
  const tools = visibleTools(context, server) ?? [];
  return { server, status: view?.enabled && !view.killed ? "active" : "disabled", ...page(tools, offset) };
}

async function toolsOfAll(context: MetaContext, offset: number): Promise<JsonObject> {
  const servers = visibleServers(context);
  await Promise.all(servers.map(({ enabled, name }) => enabled && context.toolsSoon(name)));
  const tools: JsonObject[] = [];
  const notListed: JsonObject[] = [];
  for (const server of servers) {
    const listed = server.enabled ? visibleTools(context, server.name) : undefined;
    if (listed === undefined) notListed.push({ server: server.name, reason: obstacle(server) ?? "not listed yet" });
    for (const tool of listed ?? []) {
      const unavailable = missing(tool, server);
      tools.push({
        server: server.name,
        name: tool.name,
        description: shorten(tool["description"], maxDescription),
        ...(unavailable !== undefined && { unavailable }),
      });
    }
  }
  return { ...page(tools, offset), ...(notListed.length > 0 && { not_listed: notListed }) };
}

/** As many as fit from `offset` on, at least one, and how to get the rest. */
function page(tools: readonly JsonObject[], offset: number): JsonObject {
  let end = offset;
  let characters = 0;
  for (; end < tools.length; end++) {
    characters += JSON.stringify(tools[end]).length;
    if (characters > maxCharacters && end > offset) break;
  }
  return {
    tools: tools.slice(offset, end),
    total: tools.length,
    ...(end < tools.length && {
      next_offset: end,
      note: `Shows ${offset + 1} to ${end} of ${tools.length}; pass "offset": ${end} for more, or use gateway_search_tools`,
    }),
  };
}
