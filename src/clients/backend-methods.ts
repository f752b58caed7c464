/** `/mcp/{backend}`: one backend, its own names, through the same policies as everything else. */
import { DeniedError, GatewayError } from "../core/errors.ts";
import { mayUseTool } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import { isJsonObject } from "../lib/json.ts";
import { type ListKind, listKinds } from "../mcp/protocol.ts";
import type { Method, MethodTable } from "./create-face.ts";
import { serverOf } from "./endpoint-server.ts";
import type { FaceHost } from "./host.ts";
import type { Introduction } from "./introduction.ts";
import { assertFirstPage } from "./lists.ts";
import { complete, setLogLevel } from "./shared-methods.ts";
import { shownTools } from "./shown-tools.ts";
import { subscribe, unsubscribe } from "./subscribe.ts";
import { toolAnswer } from "./tool-answer.ts";

/** Capabilities of the backend that the gateway does not carry yet, so that no client relies on them. */
const withheld = new Set(["tasks", "experimental", "extensions"]);

export async function backendIntroduction(host: FaceHost, backend: string): Promise<Introduction> {
  if (host.catalog.list(backend, "tools") === undefined)
    // An error here shows up, with its cause, at the first request that needs the backend.
    await host.ensureListed(backend, "tools").catch(() => {});
  const description = host.describe(backend);
  const capabilities: Record<string, JsonObject> = { logging: {} };
  for (const [name, value] of Object.entries(description?.capabilities ?? knownFromLists(host, backend)))
    if (!withheld.has(name) && isJsonObject(value)) capabilities[name] = value;
  return { capabilities, instructions: description?.instructions };
}

function knownFromLists(host: FaceHost, backend: string): JsonObject {
  const capabilities: Record<string, JsonObject> = { tools: { listChanged: true }, completions: {} };
  for (const kind of ["resources", "prompts"] as const)
    if ((host.catalog.list(backend, kind)?.length ?? 0) > 0) capabilities[kind] = { listChanged: true };
  return capabilities;
}

function listOf(kind: ListKind): Method {
  return async (request) => {
    assertFirstPage(request.params);
    const { host, caller } = request;
    const server = serverOf(request);
    // An empty list would say that there is nothing; a reload may have switched it off during the session.
    assertEnabled(host, server);
    await host.ensureListed(server, kind);
    host.refreshIfStale(server, kind);
    const items = host.catalog.list(server, kind) ?? [];
    const mayUse = (tool: JsonObject) => mayUseTool(caller, server, String(tool["name"]));
    const visible = kind === "tools" ? shownTools(request, items.filter(mayUse)) : items;
    return JSON.stringify({ [listKinds[kind].field]: visible });
  };
}

function relay(method: string): Method {
  return async (request) => (await request.call(serverOf(request), method, request.relayParams(), true)).text;
}

export const backendMethods: MethodTable = {
  ping: () => "{}",
  "logging/setLevel": setLogLevel,
  "tools/list": listOf("tools"),
  "resources/list": listOf("resources"),
  "resources/templates/list": listOf("templates"),
  "prompts/list": listOf("prompts"),
  "resources/read": relay("resources/read"),
  "resources/subscribe": subscribe,
  "resources/unsubscribe": unsubscribe,
  "prompts/get": relay("prompts/get"),
  "completion/complete": (request) => complete(request, serverOf(request), request.relayParams()),
  "tools/call": (request) => {
    const { name } = request.params;
    if (typeof name !== "string") throw new GatewayError("INVALID_PARAMS", '"tools/call" needs "name", a string');
    const server = serverOf(request);
    request.context.modern?.assertHeaders(request.host.catalog.tool(server, name), request.params["arguments"]);
    return toolAnswer(request, request.relayTool(server, name), "relay");
  },
};

/** @throws DeniedError SERVER_DISABLED */
export function assertEnabled(host: FaceHost, server: string): void {
  if (host.servers().find(({ name }) => name === server)?.enabled === false)
    throw new DeniedError("SERVER_DISABLED", `Backend "${server}" is switched off in the configuration`);
}
