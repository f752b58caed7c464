/** The tool browser: what tools there are, the gateway's own search over them, and trying one. */
import { toolEffects } from "../../../catalog/tool-effects.ts";
import { GatewayError } from "../../../core/errors.ts";
import { oversees } from "../../../core/role.ts";
import { mayUseTool } from "../../../core/scope.ts";
import { isJsonObject, type JsonObject } from "../../../lib/json.ts";
import { send } from "../respond.ts";
import type { ManagementRoute, Task } from "./route.ts";
import { notThere } from "./status-routes.ts";
import { toolView } from "./tool-view.ts";
import { wholeNumber } from "./whole-number.ts";

export const toolRoutes: readonly ManagementRoute[] = [
  { method: "GET", path: "/ui/api/tools", who: "viewer", run: tools },
  { method: "POST", path: "/ui/api/tools/call", who: "operator", run: call },
];

const maxHits = 50;
const defaultLimit = 1_000;

/** Lists what is known; a server that was never asked is woken for it only when `server` names it. */
async function tools({ gateway, query, visit }: Task): Promise<JsonObject> {
  const { catalog, operation } = gateway;
  const [only, text] = [query.get("server") || undefined, query.get("q")?.trim() || undefined];
  const servers = gateway
    .servers()
    .filter(({ name }) => (only === undefined || name === only) && oversees(visit.caller, name));
  if (only !== undefined && servers.length === 0) notThere(only);
  await catalog.ready();
  if (only !== undefined && servers[0]?.enabled) await operation.ensureTools(only);
  const enabled = servers.filter((server) => server.enabled).map(({ name }) => name);
  const notListed = enabled.filter((name) => catalog.list(name, "tools") === undefined);
  const isVisible = (server: string, tool: string) =>
    enabled.includes(server) && mayUseTool(visit.caller, server, tool);
  const found =
    text === undefined
      ? enabled.flatMap((server) => (catalog.list(server, "tools") ?? []).map((listed) => ({ server, listed })))
      : await catalog.search(text, { limit: maxHits, server: only, visible: isVisible });
  const visible = found.filter(({ server, listed }) => isVisible(server, String(listed["name"])));
  const limit = wholeNumber(query, "limit", defaultLimit);
  return {
    tools: visible.slice(0, limit).map(({ server, listed }) => toolView(server, listed)),
    total: visible.length,
    not_listed: notListed,
  };
}

/** The same way as every call, policies included; who leaves before the answer has cancelled it. */
async function call({ gateway, clock, visit, body }: Task): Promise<Response> {
  const { server, tool, arguments: args = {}, nonce } = body;
  if (typeof server !== "string" || typeof tool !== "string")
    throw new GatewayError("INVALID_PARAMS", 'A call needs "server" and "tool", both strings');
  if (!isJsonObject(args)) throw new GatewayError("INVALID_PARAMS", '"arguments" must be an object');
  if (nonce !== undefined && typeof nonce !== "string")
    throw new GatewayError("INVALID_PARAMS", '"nonce" must be a string');
  if (gateway.draining) throw new GatewayError("SHUTTING_DOWN", "The gateway is stopping and takes no new calls");
  const startedMs = clock.now();
  visit.peer.keepOpen();
  const answer = await gateway.call({
    upstream: server,
    method: "tools/call",
    params: { name: tool, arguments: args },
    caller: visit.caller,
    sessionId: undefined,
    peer: visit.peer,
    requestId: visit.requestId,
    deadline: startedMs + gateway.config.server.request_timeout,
    signal: visit.request.signal,
    nonce: nonce === undefined ? undefined : { text: nonce },
    safe: toolEffects(gateway.catalog.tool(server, tool)).safe,
  });
  const tookMs = Math.round((clock.now() - startedMs) * 10) / 10;
  const head = JSON.stringify({ request_id: visit.requestId, duration_ms: tookMs });
  // The result as the server wrote it.
  return send(visit, 200, "application/json", `${head.slice(0, -1)},"result":${answer.text}}`);
}
