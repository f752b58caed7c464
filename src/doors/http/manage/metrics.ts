/** `/metrics`: what Prometheus reads. Servers that the caller may not use are left out. */
import type { Caller } from "../../../core/caller.ts";
import { mayUseServer } from "../../../core/scope.ts";
import type { ReplicaStatus } from "../../../core/upstream.ts";
import { version } from "../../../core/version.ts";
import type { Gateway } from "../../../gateway/gateway.ts";
import { isHealthy } from "../../../meta/lifecycle.ts";
import { type CallKind, callKinds } from "../../../observe/call-kind.ts";
import { PrometheusText } from "../../../observe/prometheus.ts";
import { uptimeSeconds } from "./status-routes.ts";

/** Counters begin at 0 with the process, but for those of single tools, which are kept on disk. */
export async function metricsText(gateway: Gateway, caller: Caller): Promise<string> {
  const observatory = await gateway.operation.observatory();
  const { calls, clients, projections } = observatory;
  const { profiles } = await observatory.all();
  const text = new PrometheusText();
  const servers = gateway.servers().filter(({ name }) => mayUseServer(caller, name));
  const seen = servers.flatMap(({ name }) => {
    const counts = calls.servers.get(name);
    return counts === undefined ? [] : [{ name, counts }];
  });

  text.family("mcp_gateway_info", "gauge", "Version of the gateway");
  text.sample("mcp_gateway_info", { version }, 1);
  gauge("mcp_gateway_uptime_seconds", "Seconds since the gateway started", uptimeSeconds(gateway));
  gauge("mcp_gateway_sessions", "Sessions of clients", gateway.sessions.size);
  gauge("mcp_gateway_calls_in_flight", "Calls that run now", gateway.inFlight);
  gauge("mcp_gateway_degraded", "Things the gateway does worse than it should", gateway.degraded.length);
  gauge(
    "mcp_gateway_config_ok",
    "1 while the newest configuration is in force",
    gateway.configError === undefined ? 1 : 0,
  );

  text.family("mcp_jsonrpc_requests_total", "counter", "Requests of clients by method");
  for (const [method, counts] of clients.requests)
    for (const status of ["ok", "error"] as const)
      text.sample("mcp_jsonrpc_requests_total", { method, status }, counts[status]);
  text.family("mcp_search_total", "counter", "Searches for tools");
  text.sample("mcp_search_total", {}, clients.searches.count);
  text.family("mcp_search_duration_seconds", "histogram", "Time of a search for tools");
  text.histogram("mcp_search_duration_seconds", {}, clients.searches.counts, clients.searches.sum);

  text.family("mcp_tool_invocations_total", "counter", "Calls of tools by server and how they ended");
  for (const { name, counts } of seen) byKind("mcp_tool_invocations_total", { server: name }, counts.toolKinds);
  text.family(
    "mcp_tool_invocation_duration_seconds",
    "histogram",
    "Time of calls of tools that a server answered or failed",
  );
  for (const { name, counts } of seen)
    text.histogram(
      "mcp_tool_invocation_duration_seconds",
      { server: name },
      counts.toolLatency.counts,
      counts.toolLatency.sum,
    );
  text.family("mcp_cache_hits_total", "counter", "Calls answered with the answer of an earlier one");
  for (const { name, counts } of seen) {
    text.sample("mcp_cache_hits_total", { server: name, kind: "response" }, counts.toolKinds.cached);
    text.sample("mcp_cache_hits_total", { server: name, kind: "idempotency" }, counts.toolKinds.repeated);
  }
  text.family("mcp_tool_calls_total", "counter", "Calls by tool and how they ended");
  for (const { name } of servers)
    for (const [tool, { kinds }] of profiles.get(name) ?? [])
      byKind("mcp_tool_calls_total", { server: name, tool }, kinds, true);

  text.family("mcp_backend_requests_total", "counter", "Requests to a backend; error where it gave no usable answer");
  for (const { name, counts } of seen) {
    const { ok, tool_error, failed } = counts.kinds;
    text.sample("mcp_backend_requests_total", { backend: name, status: "ok" }, ok + tool_error);
    text.sample("mcp_backend_requests_total", { backend: name, status: "error" }, failed);
  }
  text.family(
    "mcp_backend_request_duration_seconds",
    "histogram",
    "Time of requests that a backend answered or failed",
  );
  for (const { name, counts } of seen)
    text.histogram(
      "mcp_backend_request_duration_seconds",
      { backend: name },
      counts.latency.counts,
      counts.latency.sum,
    );

  perServer("mcp_backend_up", "1 while the backend is connected; one that sleeps is not", (server) =>
    Number(server.status.state.is === "ready"),
  );
  perServer("mcp_backend_healthy", "0 while its circuit is open or it fails", (server) => Number(isHealthy(server)));
  perServer("mcp_backend_in_flight", "Requests that run at the backend now", ({ status }) => status.inFlight);
  perServer("mcp_backend_circuit_state", "1 while calls are let through, 0 while they are refused", ({ circuit }) =>
    Number(circuit !== "open"),
  );
  perServer(
    "mcp_backend_restarts_total",
    "Connections that were lost and replaced",
    ({ status }) => status.restartCount,
    "counter",
  );
  text.family("mcp_circuit_breaker_opened_total", "counter", "Times the circuit of a backend opened");
  for (const { name, enabled } of servers)
    if (enabled)
      text.sample(
        "mcp_circuit_breaker_opened_total",
        { backend: name, reason: "failures" },
        gateway.operation.breakerOf(name)?.trips ?? 0,
      );
  perReplica("mcp_replica_up", "1 while the replica is connected", ({ state }) => Number(state.is === "ready"));
  perReplica("mcp_replica_in_rotation", "0 while its calls go to the others", (one) => Number(one.inRotation));
  perReplica("mcp_replica_in_flight", "Requests that run at the replica now", (one) => one.inFlight);
  perReplica("mcp_replica_requests_total", "Requests to the replica", (one) => one.requestCount, "counter");
  perReplica(
    "mcp_replica_failures_total",
    "Requests it gave no usable answer to, failed starts included",
    (one) => one.failureCount,
    "counter",
  );
  const webhooks = gateway.webhooks.known().filter(({ server }) => mayUseServer(caller, server));
  for (const [outcome, help] of [
    ["received", "Deliveries that came to a webhook"],
    ["delivered", "Deliveries that sessions were told of"],
    ["signature_failures", "Deliveries that were not signed as they should be"],
  ] as const) {
    text.family(`mcp_webhook_${outcome}_total`, "counter", help);
    for (const { capability, webhook_name: webhook, stats } of webhooks)
      text.sample(`mcp_webhook_${outcome}_total`, { capability, webhook }, stats[outcome]);
  }
  text.family("projection_ab_invocations_total", "counter", "Calls compared by meta_mcp.projection_mode: experimental");
  for (const [arm, { projected, plain }] of projections.arms)
    for (const [label, count] of [["true", projected] as const, ["false", plain] as const])
      text.sample("projection_ab_invocations_total", { arm, projected: label }, count);
  text.family("projection_ab_response_bytes", "summary", "Size of their answers");
  for (const [arm, { projected, plain, bytes }] of projections.arms) {
    text.sample("projection_ab_response_bytes_sum", { arm }, bytes);
    text.sample("projection_ab_response_bytes_count", { arm }, projected + plain);
  }
  const exported = await gateway.controlPlane.exported();
  if (exported !== undefined) {
    text.family("siem_export_lag_entries", "gauge", "Security events that are not in the export yet");
    for (const [source, { lag }] of Object.entries(exported.sources))
      text.sample("siem_export_lag_entries", { source }, lag);
  }
  return text.toString();

  function perReplica(
    name: string,
    help: string,
    measure: (replica: ReplicaStatus) => number,
    type: "gauge" | "counter" = "gauge",
  ): void {
    text.family(name, type, help);
    for (const { name: backend, status } of servers)
      for (const one of status.replicas ?? []) text.sample(name, { backend, replica: one.id }, measure(one));
  }

  function gauge(name: string, help: string, value: number): void {
    text.family(name, "gauge", help);
    text.sample(name, {}, value);
  }

  function perServer(
    name: string,
    help: string,
    measure: (server: (typeof servers)[number]) => number,
    type: "gauge" | "counter" = "gauge",
  ): void {
    text.family(name, type, help);
    for (const server of servers) if (server.enabled) text.sample(name, { backend: server.name }, measure(server));
  }

  function byKind(
    name: string,
    labels: Record<string, string>,
    kinds: Readonly<Record<CallKind, number>>,
    sparse = false,
  ) {
    for (const kind of callKinds)
      if (!sparse || kinds[kind] > 0) text.sample(name, { ...labels, status: statusOf[kind] }, kinds[kind]);
  }
}

const statusOf: Readonly<Record<CallKind, string>> = {
  ok: "ok",
  tool_error: "tool_error",
  failed: "error",
  refused: "refused",
  cancelled: "cancelled",
  cached: "cached",
  repeated: "repeated",
};
