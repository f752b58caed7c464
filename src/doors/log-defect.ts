/** What was thrown and is none of our errors: the client gets an id, the log gets the rest under it. */
import { GatewayError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";

export function logDefect(log: Logger, requestId: string, error: unknown): void {
  if (error instanceof GatewayError) return;
  log.error("Request failed by a defect", {
    request_id: requestId,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}
