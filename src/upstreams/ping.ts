import { UpstreamRpcError } from "../core/errors.ts";
import type { Connection } from "../core/upstream.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";

/** Whether the server answers a ping in time, be it with an error: one that does not know the method lives. */
export async function answersPing(connection: Connection, timeoutMs: number, clock: Clock): Promise<boolean> {
  const abort = new Cancellation();
  const cancelTimer = clock.after(timeoutMs, () => abort.abort());
  try {
    await connection.request({ method: "ping", params: undefined, signal: abort });
    return true;
  } catch (error) {
    return error instanceof UpstreamRpcError;
  } finally {
    cancelTimer();
  }
}
