/** A server as operators see it: its state, and what was measured of it since the gateway started. */
import type { Gateway } from "../../../gateway/gateway.ts";
import { quantile } from "../../../lib/histogram.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { isHealthy, lifecycleOf } from "../../../meta/lifecycle.ts";
import type { ServerView } from "../../../meta/meta-tool.ts";
import { replicasView } from "../../../meta/replica-view.ts";
import type { ServerCounts } from "../../../observe/call-statistics.ts";

export function describeServer(
  { catalog, operation }: Gateway,
  server: ServerView,
  counts: ServerCounts | undefined,
): JsonObject {
  const { name, description, kind, enabled, circuit, status } = server;
  const breaker = operation.breakerOf(name);
  const kinds = counts?.kinds;
  const failures = kinds?.failed ?? 0;
  const asked = kinds === undefined ? 0 : kinds.ok + kinds.tool_error + kinds.failed;
  const latency = (share: number) => {
    const ms = counts === undefined ? undefined : quantile(counts.latency.counts, share);
    return ms === undefined ? null : Math.round(ms * 10) / 10;
  };
  const tools = catalog.list(name, "tools");
  return {
    name,
    description,
    enabled,
    running: status.state.is === "ready",
    lifecycle: lifecycleOf(server),
    state: status.state.is,
    transport: kind,
    tools_cached: tools?.length ?? 0,
    tools_known: tools !== undefined,
    request_count: status.requestCount,
    in_flight: status.inFlight,
    circuit_state: circuit,
    circuit_trips: breaker?.trips ?? 0,
    circuit_retry_after_ms: breaker?.retryAfterMs ?? 0,
    current_failures: Math.max(breaker?.failures ?? 0, status.consecutiveFailures),
    healthy: isHealthy(server),
    restart_count: status.restartCount,
    success_count: asked - failures,
    failure_count: failures,
    tool_error_count: kinds?.tool_error ?? 0,
    refused_count: kinds?.refused ?? 0,
    error_rate: asked === 0 ? 0 : (failures + (kinds?.tool_error ?? 0)) / asked,
    latency_p50_ms: latency(0.5),
    latency_p95_ms: latency(0.95),
    latency_p99_ms: latency(0.99),
    runtime: server.runtime ?? null,
    pid: status.pid ?? null,
    last_error: status.lastError ?? null,
    ...replicasView(status),
  };
}
