/** `/mcp`: the meta-tools (or, in direct mode, every tool) and the resources and prompts of all backends. */
import { hiddenByState } from "../core/audience.ts";
import { GatewayError } from "../core/errors.ts";
import { stateHidesTool } from "../core/scope.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { OwnedName } from "../meta/exposed-names.ts";
import type { MetaTool } from "../meta/meta-tool.ts";
import {
  allPrompts,
  allSurfacedTools,
  allTools,
  findListed,
  knownPrompts,
  knownTools,
  surfacedTools,
} from "./exposed.ts";
import { assertFirstPage, listAll } from "./lists.ts";
import { RequestContext } from "./meta-context.ts";
import type { MethodTable } from "./methods.ts";
import { readResource, resourceOwners } from "./read-resource.ts";
import type { RequestScope } from "./request-scope.ts";
import { distinctUris } from "./resource-uris.ts";
import { complete, setLogLevel } from "./shared-methods.ts";
import { shownTools } from "./shown-tools.ts";
import { skillMethods } from "./skill-methods.ts";
import { subscribe, unsubscribe } from "./subscribe.ts";
import { toolAnswer } from "./tool-answer.ts";

/** Loaded with the first request for tools: a start does without. */
type Meta = typeof import("../meta/index.ts");
let meta: Meta | undefined;
async function loadMeta(): Promise<Meta> {
  meta ??= await import("../meta/index.ts");
  return meta;
}

export const aggregateMethods: MethodTable = {
  ping: () => "{}",
  "logging/setLevel": setLogLevel,

  "tools/list": async (request) => {
    const { host } = request;
    const filtered = host.meta.spec_preview ? await filteredTools(request) : undefined;
    if (filtered !== undefined) return filtered;
    assertFirstPage(request.params);
    if (!host.meta.enabled) return JSON.stringify({ tools: shownTools(request, (await allTools(request)).items()) });
    const isCodeMode = host.sections.codeMode.enabled || asksForCodeMode(request.context.address);
    const surfaced = isCodeMode ? [] : (await allSurfacedTools(request)).items();
    const context = new RequestContext(request);
    const { listedMetaTools } = await loadMeta();
    const listed = await listedMetaTools(context, host.meta.operator_tools, isCodeMode);
    return JSON.stringify({
      tools: [...listed.map((tool) => tool.describe(context)), ...shownTools(request, surfaced)],
    });
  },

  "tools/resolve": async (request) => {
    if (!request.host.meta.spec_preview)
      throw new GatewayError("METHOD_NOT_FOUND", 'Method "tools/resolve" is not known');
    return (await import("./spec-preview/resolve-tool.ts")).resolveTool(request);
  },

  // Not `async`: most calls are of the four, and each `async` function on their way takes 0.2 µs.
  "tools/call": (request) =>
    meta === undefined ? loadMeta().then((loaded) => callTool(request, loaded)) : callTool(request, meta),

  "resources/list": async (request) => {
    assertFirstPage(request.params);
    const listed = await listAll(request, "resources");
    const own = await request.host.skills.served();
    return JSON.stringify({ resources: [...distinctUris(listed, "uri", own.files.keys()), ...own.listed] });
  },
  "resources/templates/list": async (request) => {
    assertFirstPage(request.params);
    return JSON.stringify({ resourceTemplates: distinctUris(await listAll(request, "templates"), "uriTemplate") });
  },
  "resources/read": readResource,
  ...skillMethods,
  "resources/subscribe": subscribe,
  "resources/unsubscribe": unsubscribe,

  "prompts/list": async (request) => {
    assertFirstPage(request.params);
    return JSON.stringify({ prompts: (await allPrompts(request)).items() });
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

async function filteredTools(request: RequestScope): Promise<string | undefined> {
  return (await import("./spec-preview/filtered-tools.ts")).filteredTools(request);
}

function callTool(request: RequestScope, { metaTools, findMetaTool }: Meta): Promise<string> {
  const { name, arguments: args, ...rest } = request.params;
  if (typeof name !== "string") throw new GatewayError("INVALID_PARAMS", '"tools/call" needs "name", a string');
  if (args !== undefined && args !== null && !isJsonObject(args))
    throw new GatewayError("INVALID_PARAMS", '"arguments" must be an object');
  if (!request.host.meta.enabled) return callListed(request, name, args, rest);
  const metaTool = metaTools.get(name);
  if (metaTool !== undefined) return callMeta(request, metaTool, args);
  return findMetaTool(name).then((found) =>
    found === undefined ? callListed(request, name, args, rest) : callMeta(request, found, args),
  );
}

function callMeta(request: RequestScope, tool: MetaTool, args: JsonObject | null | undefined): Promise<string> {
  return toolAnswer(request, tool.run(args ?? {}, new RequestContext(request)), "explain", !tool.carriesResults);
}

/** A tool of a backend, by the name that `tools/list` has for it. */
async function callListed(
  request: RequestScope,
  name: string,
  args: JsonObject | null | undefined,
  rest: JsonObject,
): Promise<string> {
  const target = await findListed(request, name);
  if (target === undefined) throw unknownTool(request, name);
  request.context.modern?.assertHeaders(request.host.catalog.tool(target.server, target.name), args);
  return toolAnswer(request, request.callTool(target.server, target.name, args, rest), "relay");
}

function asksForCodeMode(address: string | undefined): boolean {
  return (
    address?.includes("codemode=") === true && new URL(address).searchParams.get("codemode") === "search_and_execute"
  );
}

function unknownTool(request: RequestScope, name: string): GatewayError {
  for (const { name: server } of request.host.servers())
    if (stateHidesTool(request.caller, server, name)) return hiddenByState(server, name, request.caller);
  const hasMetaTools = request.host.meta.enabled;
  const tools = hasMetaTools ? surfacedTools(request) : knownTools(request);
  const known = [...(hasMetaTools ? (meta?.metaTools.keys() ?? []) : []), ...tools.names()];
  const near = request.host.catalog.nearest(name, known, 3);
  const hint = near.length > 0 ? `. Did you mean: ${near.join(", ")}?` : "";
  return new GatewayError("INVALID_PARAMS", `Unknown tool: ${name}${hint}`);
}

async function findPrompt(request: RequestScope, name: unknown): Promise<OwnedName> {
  if (typeof name !== "string") throw new GatewayError("INVALID_PARAMS", '"name" must be the name of a prompt');
  const target = knownPrompts(request).find(name) ?? (await allPrompts(request)).find(name);
  if (target !== undefined) return target;
  const near = request.host.catalog.nearest(name, knownPrompts(request).names(), 3);
  throw new GatewayError("PROMPT_NOT_FOUND", `Unknown prompt: ${name}`, {
    hint: near.length > 0 ? `Did you mean: ${near.join(", ")}?` : undefined,
  });
}
