import { GatewayError } from "../core/errors.ts";
import type { RpcRequestMessage } from "../mcp/json-rpc.ts";
import type { FaceContext } from "./face.ts";
import type { FaceHost } from "./host.ts";

/** What we did not throw on purpose is for the log; the client gets its request id. */
export function reportDefect(
  host: FaceHost,
  { method }: RpcRequestMessage,
  { requestId }: Pick<FaceContext, "requestId">,
  error: unknown,
): void {
  if (error instanceof GatewayError) return;
  host.log.error("Request failed by a defect", {
    request_id: requestId,
    method,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}
