/** `/health`, `/readiness` and `/liveness`: whether all is well, whether calls are taken, whether the process turns. */
import type { Caller } from "../../core/caller.ts";
import { overseesAll } from "../../core/role.ts";
import { mayUseServer } from "../../core/scope.ts";
import { version } from "../../core/version.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { JsonObject } from "../../lib/json.ts";
import { isHealthy, lifecycleOf } from "../../meta/lifecycle.ts";
import type { ServerView } from "../../meta/meta-tool.ts";
import { replicasView } from "../../meta/replica-view.ts";
import { publicCaller } from "./key-table.ts";
import { sendJson } from "./respond.ts";
import type { Visit } from "./visit.ts";

/**
 * 200 `healthy` or 503 `degraded`. Who came without a token learns counts only, a key of its own
 * backends, an admin everything. What a restart would not mend is told
 * without failing the check: a broken configuration file, while the one before it is in force, and a full disk.
 */
export function health(gateway: Gateway, visit: Visit): Response {
  const servers = gateway.servers();
  const allHealthy = servers.every(isHealthy);
  const healthy = allHealthy && gateway.degraded.length === 0;
  const body: JsonObject = {
    status: healthy ? "healthy" : "degraded",
    version,
    ...(visit.caller.principal === publicCaller.principal
      ? { backends: { count: servers.filter(isBackend).length, all_healthy: allHealthy }, capability_backend: null }
      : details(gateway, servers, visit.caller)),
  };
  return sendJson(visit, allHealthy ? 200 : 503, JSON.stringify(body));
}

export function readiness(gateway: Gateway, visit: Visit): Response {
  return gateway.draining
    ? sendJson(visit, 503, '{"status":"draining"}', { "retry-after": "5" })
    : sendJson(visit, 200, '{"status":"ready"}');
}

export function liveness(visit: Visit): Response {
  return sendJson(visit, 200, '{"status":"alive"}');
}

function details(gateway: Gateway, servers: readonly ServerView[], caller: Caller): JsonObject {
  const seen = servers.filter((server) => mayUseServer(caller, server.name));
  const capabilities = seen.find((server) => !isBackend(server));
  return {
    uptime_secs: Math.floor((Date.now() - gateway.startedAt.getTime()) / 1_000),
    backends: Object.fromEntries(seen.filter(isBackend).map((server) => [server.name, backendStatus(gateway, server)])),
    capability_backend: capabilities === undefined ? null : backendStatus(gateway, capabilities),
    ...(overseesAll(caller) ? faults(gateway) : {}),
  };
}

/** Quotes the configuration, and with it names that other callers may not know of. */
function faults({ degraded, configError }: Gateway): JsonObject {
  return configError === undefined ? { degraded } : { degraded, config_error: configError };
}

function backendStatus(gateway: Gateway, server: ServerView): JsonObject {
  const { status } = server;
  return {
    name: server.name,
    enabled: server.enabled,
    running: status.state.is === "ready",
    lifecycle: lifecycleOf(server),
    transport: server.kind,
    tools_cached: gateway.catalog.list(server.name, "tools")?.length ?? 0,
    circuit_state: server.circuit,
    request_count: status.requestCount,
    restart_count: status.restartCount,
    healthy: isHealthy(server),
    consecutive_failures: status.consecutiveFailures,
    runtime: server.runtime ?? null,
    pid: status.pid ?? null,
    last_error: status.lastError ?? null,
    ...replicasView(status),
  };
}

function isBackend(server: ServerView): boolean {
  return server.kind !== "capability";
}
