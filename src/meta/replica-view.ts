/** The replicas of a server in the words that models and operators get; nothing for one that has none. */
import type { UpstreamStatus } from "../core/upstream.ts";
import type { JsonObject } from "../lib/json.ts";

export function replicasView({ replicas }: UpstreamStatus): { readonly replicas?: readonly JsonObject[] } {
  if (replicas === undefined) return {};
  return {
    replicas: replicas.map((replica) => ({
      id: replica.id,
      transport: replica.kind,
      address: replica.address,
      weight: replica.weight,
      state: replica.state.is,
      in_rotation: replica.inRotation,
      in_flight: replica.inFlight,
      request_count: replica.requestCount,
      failure_count: replica.failureCount,
      consecutive_failures: replica.consecutiveFailures,
      restart_count: replica.restartCount,
      pid: replica.pid ?? null,
      last_error: replica.lastError ?? null,
    })),
  };
}
