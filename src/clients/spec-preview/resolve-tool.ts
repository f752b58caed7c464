/**
 * `tools/resolve`, of the spec preview (draft SEP-1862): one tool with what it would do with these arguments, before it
 * is called, so that a client asks its user no more often than needed. Nothing is sent to the tool.
 */
import { GatewayError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { findTarget, type Target } from "../../meta/find-target.ts";
import { findMetaTool } from "../../meta/index.ts";
import { missing, obstacle } from "../../meta/visible.ts";
import { findListed } from "../exposed.ts";
import { RequestContext } from "../meta-context.ts";
import type { RequestScope } from "../request-scope.ts";
import { shownTools } from "../shown-tools.ts";
import { toolHints } from "./tool-hints.ts";

/** In `_meta`: the tool of a backend that would be called, and why it would be refused now, whatever the arguments. */
const metaKey = "mcp-gateway/preflight";

/**
 * JSON text of `{tool}`: a tool by the name it is listed under, as `server:tool`, or by a name that one backend has.
 * @throws GatewayError INVALID_PARAMS, TOOL_NOT_FOUND, SERVER_NOT_FOUND, in the same words for what is not there and
 *   what is hidden
 */
export async function resolveTool(request: RequestScope): Promise<string> {
  const { name, arguments: given } = request.params;
  if (typeof name !== "string" || name === "")
    throw new GatewayError("INVALID_PARAMS", '"tools/resolve" needs "name", a string');
  if (given !== undefined && given !== null && !isJsonObject(given))
    throw new GatewayError("INVALID_PARAMS", '"arguments" must be an object');
  const context = new RequestContext(request);
  const tool =
    (request.host.meta.enabled ? await resolvedMetaTool(name, given ?? {}, context) : undefined) ??
    (await resolvedTool(request, name, context));
  return JSON.stringify({ tool: shownTools(request, [tool])[0] });
}

/** `gateway_invoke` does whatever the tool does that its arguments name. */
async function resolvedMetaTool(
  name: string,
  args: JsonObject,
  context: RequestContext,
): Promise<JsonObject | undefined> {
  const metaTool = await findMetaTool(name);
  if (metaTool === undefined) return undefined;
  const described = metaTool.describe(context);
  if (name !== "gateway_invoke" || args["tool"] === undefined) return described;
  const target = await findTarget(args, context);
  return withPreflight(described, definitionOf(target, context), target, context);
}

async function resolvedTool(request: RequestScope, name: string, context: RequestContext): Promise<JsonObject> {
  const listed = await findListed(request, name);
  const target =
    listed === undefined ? await findTarget({ tool: name }, context) : { server: listed.server, tool: listed.name };
  const definition = definitionOf(target, context);
  // A name to call it by.
  const own = { ...definition, name: listed === undefined ? target.tool : name };
  return withPreflight(own, definition, target, context);
}

function definitionOf({ server, tool }: Target, { catalog }: RequestContext): JsonObject {
  const definition = catalog.tool(server, tool);
  if (definition !== undefined) return definition;
  throw new GatewayError("TOOL_NOT_FOUND", `Server "${server}" has not listed its tools, so "${tool}" is not known`, {
    hint: "gateway_list_servers says what is wrong with it",
  });
}

async function withPreflight(
  shown: JsonObject,
  definition: JsonObject,
  target: Target,
  context: RequestContext,
): Promise<JsonObject> {
  const obstacles = await obstaclesOf(definition, target, context);
  const { annotations, _meta } = shown;
  const preflight: JsonObject = { ...target, callable: obstacles.length === 0, obstacles };
  return {
    ...shown,
    annotations: { ...objectOr(annotations), ...toolHints(definition) },
    _meta: { ...objectOr(_meta), [metaKey]: preflight },
  };
}

async function obstaclesOf(definition: JsonObject, { server, tool }: Target, context: RequestContext) {
  const view = context.servers().find(({ name }) => name === server);
  const isResting = context.actions.restingTools().some((one) => one.backend === server && one.capability === tool);
  const found = [
    view && obstacle(view),
    isResting ? "is left alone because most of its calls failed" : undefined,
    view && missing(definition, view),
    ...(await context.host.objections(server, tool)),
  ];
  return found.filter((one) => one !== undefined);
}

function objectOr(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
