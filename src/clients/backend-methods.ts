/** `/mcp/{backend}`: one backend, its own names, through the same policies as everything else. */
import { GatewayError } from "../core/errors.ts";
import { mayUseTool } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import { type ListKind, listKinds } from "../mcp/protocol.ts";
import { serverOf } from "./endpoint-server.ts";
import { assertEnabled } from "./introduction.ts";
import { assertFirstPage } from "./lists.ts";
import type { Method, MethodTable } from "./methods.ts";
import { complete, setLogLevel } from "./shared-methods.ts";
import { shownTools } from "./shown-tools.ts";
import { subscribe, unsubscribe } from "./subscribe.ts";
import { toolAnswer } from "./tool-answer.ts";

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
  "resources/directory/read": relay("resources/directory/read"),
  "skills/list": relay("skills/list"),
  "skills/get": relay("skills/get"),
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
