/**
 * `tools/list` with a filter, of the spec preview (draft SEP-1821): for clients that let the model see few tools and
 * still want them as tools. The tools of all backends that fit, with their schemas and under names that can be called.
 */
import type { Listed } from "../../catalog/catalog.ts";
import type { JsonObject } from "../../lib/json.ts";
import { findTools } from "../../meta/find-tools.ts";
import { resolveServer } from "../../meta/resolve-server.ts";
import { visibleServers, visibleTools } from "../../meta/visible.ts";
import { allTools } from "../exposed.ts";
import { RequestContext } from "../meta-context.ts";
import type { RequestScope } from "../request-scope.ts";
import { shownTools } from "../shown-tools.ts";
import { cursorOf, maxLimit, readFilter, type ToolFilter } from "./tool-filter.ts";
import { hintNames, toolHints } from "./tool-hints.ts";

/**
 * JSON text of the result; `undefined` when the request asks for no filter.
 * @throws GatewayError INVALID_PARAMS, SERVER_NOT_FOUND
 */
export async function filteredTools(request: RequestScope): Promise<string | undefined> {
  const filter = readFilter(request.params);
  if (filter === undefined) return undefined;
  const exposed = await allTools(request);
  const found = await find(filter, new RequestContext(request));
  const end = filter.offset + filter.limit;
  const tools = found
    .slice(filter.offset, end)
    .map(({ server, listed }) => ({ ...listed, name: exposed.nameOf({ server, name: String(listed["name"]) }) }));
  return JSON.stringify({
    tools: shownTools(request, tools),
    ...(end < found.length && { nextCursor: cursorOf({ ...filter, offset: end }) }),
  });
}

interface Found {
  readonly server: string;
  readonly listed: Listed;
}

/** By rank where there is a query, else as the backends are configured and list them. */
async function find({ query, server: named, hints }: ToolFilter, context: RequestContext): Promise<readonly Found[]> {
  const server = named === undefined ? undefined : resolveServer(named, context);
  const fits = (listed: JsonObject) => {
    const said = toolHints(listed);
    return hintNames.every((name) => hints[name] === undefined || hints[name] === said[name]);
  };
  if (query !== undefined) return (await findTools([query], { limit: maxLimit, server, fits }, context)).hits;
  return visibleServers(context)
    .filter(({ name, enabled }) => enabled && (server === undefined || name === server))
    .flatMap(({ name }) =>
      (visibleTools(context, name) ?? []).filter(fits).map((listed) => ({ server: name, listed })),
    );
}
