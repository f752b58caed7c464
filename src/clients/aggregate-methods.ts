/** `/mcp`: the meta-tools (or, in direct mode, every tool) and the resources and prompts of all backends. */
import type { Caller } from "../core/caller.ts";
import { GatewayError } from "../core/errors.ts";
import { mayUseTool } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import { isJsonObject } from "../lib/json.ts";
import { type ExposedNames, exposeNames } from "../meta/exposed-names.ts";
import { metaTools } from "../meta/index.ts";
import { instructions } from "../meta/instructions.ts";
import type { Introduction, MethodTable } from "./create-face.ts";
import type { FaceHost } from "./host.ts";
import { assertFirstPage, listAll, type OwnedItem } from "./lists.ts";
import { metaContext, metaContextFor } from "./meta-context.ts";
import { readResource, resourceOwners } from "./read-resource.ts";
import type { RequestScope } from "./request-scope.ts";
import { distinctUris } from "./resource-uris.ts";
import { complete, setLogLevel } from "./shared-methods.ts";
import { toolAnswer } from "./tool-answer.ts";

export function aggregateInitialize(host: FaceHost, caller: Caller): Introduction {
  return {
    capabilities: {
      tools: { listChanged: true },
      resources: { listChanged: true },
      prompts: { listChanged: true },
      completions: {},
      logging: {},
    },
    instructions: host.meta.enabled ? instructions(metaContextFor(host, caller)) : undefined,
  };
}

export const aggregateMethods: MethodTable = {
  ping: () => "{}",
  "logging/setLevel": setLogLevel,

  "tools/list": async (request) => {
    assertFirstPage(request.params);
    const { host } = request;
    if (!host.meta.enabled) {
      const tools = await visibleTools(request);
      return JSON.stringify({ tools: renamed(tools, toolNames(tools)) });
    }
    const context = metaContext(request);
    const surfaced = surfacedTools(request);
    const meta = [...metaTools.values()].map((tool) => tool.describe(context));
    return JSON.stringify({ tools: [...meta, ...renamed(surfaced, toolNames(surfaced))] });
  },

  "tools/call": async (request) => {
    const { name, arguments: args, ...rest } = request.params;
    if (typeof name !== "string") throw new GatewayError("INVALID_PARAMS", '"tools/call" needs "name", a string');
    if (args !== undefined && !isJsonObject(args))
      throw new GatewayError("INVALID_PARAMS", '"arguments" must be an object');
    const meta = request.host.meta.enabled ? metaTools.get(name) : undefined;
    if (meta !== undefined) return toolAnswer(request, meta.run(args ?? {}, metaContext(request)), "explain");
    const tools = request.host.meta.enabled ? surfacedTools(request) : await visibleTools(request);
    const target = toolNames(tools).find(name);
    if (target === undefined) throw unknownTool(request, name, tools);
    return toolAnswer(request, request.callTool(target.server, target.name, args, rest), "relay");
  },

  "resources/list": async (request) => {
    assertFirstPage(request.params);
    return JSON.stringify({ resources: distinctUris(await listAll(request, "resources"), "uri") });
  },
  "resources/templates/list": async (request) => {
    assertFirstPage(request.params);
    return JSON.stringify({ resourceTemplates: distinctUris(await listAll(request, "templates"), "uriTemplate") });
  },
  "resources/read": readResource,

  "prompts/list": async (request) => {
    assertFirstPage(request.params);
    const prompts = await listAll(request, "prompts");
    return JSON.stringify({ prompts: renamed(prompts, promptNames(prompts)) });
  },
  "prompts/get": async (request) => {
    const target = await findPrompt(request, request.params["name"]);
    return (await request.call(target.server, "prompts/get", request.relayParams({ name: target.name }), true)).text;
  },

  "completion/complete": async (request) => {
    const { ref } = request.params;
    if (isJsonObject(ref) && ref["type"] === "ref/prompt") {
      const { server, name } = await findPrompt(request, ref["name"]);
      return complete(request, server, request.relayParams({ ref: { ...ref, name } }));
    }
    if (isJsonObject(ref) && ref["type"] === "ref/resource" && typeof ref["uri"] === "string") {
      const { uri, servers } = await resourceOwners(request, ref["uri"]);
      return complete(request, servers[0] as string, request.relayParams({ ref: { ...ref, uri } }));
    }
    throw new GatewayError("INVALID_PARAMS", '"ref" must be a "ref/prompt" with "name" or a "ref/resource" with "uri"');
  },
};

async function visibleTools(request: RequestScope): Promise<OwnedItem[]> {
  const tools = await listAll(request, "tools");
  return tools.filter(({ server, item }) => mayUseTool(request.context.caller, server, String(item["name"])));
}

/** Pinned tools that exist and that this caller may use; one whose backend was never listed appears once it is. */
function surfacedTools({ host, context }: RequestScope): OwnedItem[] {
  return host.meta.surfaced_tools.flatMap(({ server: alias, tool }) => {
    const server = host.resolveServer(alias);
    const item = server === undefined ? undefined : host.catalog.tool(server, tool);
    return server !== undefined && item !== undefined && mayUseTool(context.caller, server, tool)
      ? [{ server, item }]
      : [];
  });
}

const toolNames = (tools: readonly OwnedItem[]) => namesOf(tools, [...metaTools.keys()]);
const promptNames = (prompts: readonly OwnedItem[]) => namesOf(prompts, []);

function namesOf(items: readonly OwnedItem[], reserved: readonly string[]): ExposedNames {
  return exposeNames(
    items.map(({ server, item }) => ({ server, name: String(item["name"]) })),
    reserved,
  );
}

function renamed(items: readonly OwnedItem[], names: ExposedNames): JsonObject[] {
  return items.map(({ server, item }) => {
    const exposed = names.exposed(server, String(item["name"]));
    return exposed === item["name"] ? item : { ...item, name: exposed };
  });
}

function unknownTool(request: RequestScope, name: string, tools: readonly OwnedItem[]): GatewayError {
  const names = toolNames(tools);
  const known = [
    ...(request.host.meta.enabled ? metaTools.keys() : []),
    ...tools.map(({ server, item }) => names.exposed(server, String(item["name"]))),
  ];
  const near = request.host.catalog.nearest(name, known, 3);
  const hint = near.length > 0 ? `. Did you mean: ${near.join(", ")}?` : "";
  return new GatewayError("INVALID_PARAMS", `Unknown tool: ${name}${hint}`);
}

async function findPrompt(request: RequestScope, name: unknown): Promise<{ server: string; name: string }> {
  if (typeof name !== "string") throw new GatewayError("INVALID_PARAMS", '"name" must be the name of a prompt');
  const prompts = await listAll(request, "prompts");
  const names = promptNames(prompts);
  const target = names.find(name);
  if (target !== undefined) return target;
  const known = prompts.map(({ server, item }) => names.exposed(server, String(item["name"])));
  const near = request.host.catalog.nearest(name, known, 3);
  throw new GatewayError("PROMPT_NOT_FOUND", `Unknown prompt: ${name}`, {
    hint: near.length > 0 ? `Did you mean: ${near.join(", ")}?` : undefined,
  });
}
