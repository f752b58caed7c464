/** How the gateway is: a few numbers for every caller, everything for those who have a role. */
import { GatewayError } from "../../../core/errors.ts";
import { oversees, overseesAll, roleOf } from "../../../core/role.ts";
import { mayUseServer } from "../../../core/scope.ts";
import { version } from "../../../core/version.ts";
import type { Gateway } from "../../../gateway/gateway.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { isHealthy } from "../../../meta/lifecycle.ts";
import type { ManagementRoute, Task } from "./route.ts";
import { describeServer } from "./server-view.ts";

export const statusRoutes: readonly ManagementRoute[] = [
  { method: "GET", path: "/ui/api/status", who: "caller", run: status },
  { method: "GET", path: "/api/v1/status", who: "caller", run: statusV1 },
  { method: "GET", path: "/api/v1/upstreams", who: "caller", run: upstreams },
  { method: "GET", path: "/api/v1/upstreams/:name/status", who: "caller", run: upstreamStatus },
];

export function uptimeSeconds({ startedAt }: Gateway): number {
  return Math.floor((Date.now() - startedAt.getTime()) / 1_000);
}

/** What the caller may see of the servers. */
function seenBy({ gateway, visit }: Task) {
  return gateway.servers().filter(({ name }) => mayUseServer(visit.caller, name));
}

function counts(task: Task): JsonObject & { readonly server_count: number; readonly healthy_count: number } {
  const servers = seenBy(task);
  const healthy = servers.filter(isHealthy).length;
  return { server_count: servers.length, healthy_count: healthy, degraded_count: servers.length - healthy };
}

async function status(task: Task): Promise<JsonObject> {
  const { gateway, visit } = task;
  const { caller } = visit;
  const role = roleOf(caller) ?? null;
  const summary = { ...counts(task), uptime_secs: uptimeSeconds(gateway), version, admin: caller.admin, role };
  if (role === null) return summary;
  await gateway.catalog.ready();
  const { calls } = await gateway.operation.observatory();
  const all = gateway.servers().filter(({ name }) => oversees(caller, name));
  // It quotes the file, and with it names of what the caller may not know of.
  const isWhole = overseesAll(caller);
  const circuits = { closed: 0, open: 0, half_open: 0 };
  for (const { circuit } of all) circuits[circuit]++;
  const servers = all.map((server) => describeServer(gateway, server, calls.servers.get(server.name)));
  return {
    ...summary,
    started_at: gateway.startedAt.toISOString(),
    auth_enabled: gateway.config.auth.enabled,
    meta_mcp_enabled: gateway.config.meta_mcp.enabled,
    draining: gateway.draining,
    degraded: gateway.degraded,
    config_error: (isWhole && gateway.configError) || null,
    config_path: (isWhole && gateway.operation.configFile?.path) || null,
    sessions: gateway.sessions.size,
    in_flight: gateway.inFlight,
    tool_count: servers.reduce((sum, { enabled, tools_cached }) => sum + (enabled ? Number(tools_cached) : 0), 0),
    circuit_breakers: circuits,
    servers,
  };
}

function statusV1(task: Task): JsonObject {
  const { gateway } = task;
  const { server_count, healthy_count } = counts(task);
  return {
    status: gateway.draining ? "draining" : healthy_count === server_count ? "healthy" : "degraded",
    version,
    uptime_seconds: uptimeSeconds(gateway),
    upstreams: { total: server_count, healthy: healthy_count },
    connections: gateway.sessions.size,
  };
}

async function upstreams(task: Task): Promise<JsonObject> {
  return { upstreams: await described(task) };
}

async function upstreamStatus(task: Task): Promise<JsonObject> {
  const found = (await described(task)).find(({ id }) => id === task.names["name"]);
  return found ?? notThere(task.names["name"] as string);
}

async function described(task: Task): Promise<JsonObject[]> {
  const { gateway } = task;
  await gateway.catalog.ready();
  const { calls } = await gateway.operation.observatory();
  return seenBy(task).map((server) => ({
    id: server.name,
    ...describeServer(gateway, server, calls.servers.get(server.name)),
  }));
}

/** @throws GatewayError SERVER_NOT_FOUND */
export function notThere(name: string): never {
  throw new GatewayError("SERVER_NOT_FOUND", `There is no backend "${name.slice(0, 200)}"`);
}
