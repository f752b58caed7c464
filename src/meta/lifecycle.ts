/** The state of a server in the words that models and operators get. */
import type { ServerView } from "./meta-tool.ts";

/** `running`, `dormant`, `not_started` or `unhealthy`. */
export function lifecycleOf(server: ServerView): string {
  const { state, requestCount, restartCount } = server.status;
  if (!isHealthy(server)) return "unhealthy";
  if (state.is === "ready" || state.is === "starting") return "running";
  return requestCount === 0 && restartCount === 0 ? "not_started" : "dormant";
}

/** A server that sleeps, or was never needed, is as healthy as one that answers. */
export function isHealthy({ enabled, circuit, status }: ServerView): boolean {
  if (!enabled) return true;
  if (circuit === "open" || status.state.is === "backoff") return false;
  return status.state.is !== "ready" || status.healthy;
}
