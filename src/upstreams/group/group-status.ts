/** Replicas as the one server they are together. */
import { asleep, type ReplicaStatus, type UpstreamState, type UpstreamStatus } from "../../core/upstream.ts";

export function groupStatus(replicas: readonly ReplicaStatus[]): UpstreamStatus {
  const sum = (count: (replica: ReplicaStatus) => number) => replicas.reduce((total, one) => total + count(one), 0);
  const state = stateOf(replicas);
  const answering = replicas.filter(({ state: { is } }) => is === "ready");
  return {
    ...asleep,
    state,
    restartCount: sum((one) => one.restartCount),
    requestCount: sum((one) => one.requestCount),
    inFlight: sum((one) => one.inFlight),
    // One that answers is enough.
    consecutiveFailures: Math.min(
      ...(answering.length > 0 ? answering : replicas).map((one) => one.consecutiveFailures),
    ),
    healthy: answering.length === 0 || answering.some((one) => one.healthy),
    lastError: replicas.find((one) => one.lastError !== undefined && !(one.inRotation && answering.length > 0))
      ?.lastError,
    replicas,
  };
}

/** The most that any of them can do; where all wait, what the first to be started again waits for. */
function stateOf(replicas: readonly ReplicaStatus[]): UpstreamState {
  for (const is of ["ready", "starting", "dormant"] as const)
    if (replicas.some(({ state }) => state.is === is)) return { is };
  const waiting = replicas.flatMap(({ state }) => (state.is === "backoff" ? [state] : []));
  return waiting.sort((a, b) => a.retryAtMs - b.retryAtMs)[0] ?? { is: "stopped" };
}
