/** What a request hears when none of the replicas can be asked. */
import { GatewayError, NotStartedYetError, UnreachedError } from "../../core/errors.ts";
import type { ReplicaStatus } from "../../core/upstream.ts";

const maxNamed = 8;
const maxReason = 200;

/**
 * @param failures of replicas that were tried for this request; without any the server was not asked at all
 * @param nowMs for the time after which one may be started again
 */
export function noReplica(
  server: string,
  replicas: readonly ReplicaStatus[],
  failures: readonly unknown[],
  nowMs: number,
): unknown {
  // Who can log in has to hear of it, whatever is wrong with the others.
  const login = failures.find((error) => error instanceof GatewayError && error.code === "LOGIN_REQUIRED");
  if (login !== undefined) return login;
  const named = replicas.slice(0, maxNamed).map(({ id, lastError }) => `"${id}": ${reason(lastError)}`);
  const rest = replicas.length > maxNamed ? `; and ${replicas.length - maxNamed} more` : "";
  const waits = replicas.flatMap(({ state }) => (state.is === "backoff" ? [state.retryAtMs - nowMs] : []));
  const Kind = failures.length === 0 ? NotStartedYetError : UnreachedError;
  return new Kind(
    "UPSTREAM_START_FAILED",
    `No replica of server "${server}" can be asked: ${named.join("; ")}${rest}`,
    {
      data: { server, ...(waits.length > 0 && { retry_after_ms: Math.max(1, Math.ceil(Math.min(...waits))) }) },
    },
  );
}

function reason(text = "it is not started"): string {
  return text.length > maxReason ? `${text.slice(0, maxReason)}…` : text;
}
