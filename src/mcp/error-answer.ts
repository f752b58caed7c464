/**
 * The translation of errors at the edge to the client. A protocol mistake becomes a JSON-RPC error; what a model could
 * correct or wait for becomes a tool result with `isError` (server/tools, "Error Handling"). Both carry the request id.
 */
import { errorCodes } from "../core/error-codes.ts";
import { GatewayError, UpstreamRpcError } from "../core/errors.ts";
import { escapeHidden } from "../lib/escape-hidden.ts";
import type { Json, JsonObject } from "../lib/json.ts";

export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: Json | undefined;
}

/**
 * A `CallToolResult`: one sentence for the model, and the same for programs in `_meta["mcp-gateway/error"]` as
 * `{ code, server?, retry_after_ms?, hint?, request_id }`, with `rpc` where the server answered with a JSON-RPC error.
 */
export function toToolResult(thrown: unknown, requestId: string): JsonObject {
  const error = asGatewayError(thrown);
  const facts = factsOf(error, requestId);
  const meta = error instanceof UpstreamRpcError ? { ...facts, rpc: error.rpc } : facts;
  return {
    content: [{ type: "text", text: sentence(error, requestId) }],
    isError: true,
    _meta: { "mcp-gateway/error": meta },
  };
}

/** A JSON-RPC error object: verbatim where it came from an upstream, else by the table of core/error-codes.ts. */
export function toRpcError(thrown: unknown, requestId: string): RpcErrorObject {
  if (thrown instanceof UpstreamRpcError) return thrown.rpc;
  const error = asGatewayError(thrown);
  return {
    code: errorCodes[error.code].rpc,
    message: escapeHidden(error.message),
    data: factsOf(error, requestId),
  };
}

/** What we did not throw on purpose is a defect of ours; its text is for the log, which the caller of this writes. */
function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError("INTERNAL", "The gateway failed on this request", {
    hint: "The log of the gateway says why, under this request id",
  });
}

function factsOf(error: GatewayError, requestId: string): JsonObject {
  return {
    ...error.data,
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: escapeHidden(error.hint) }),
    request_id: requestId,
  };
}

function sentence(error: GatewayError, requestId: string): string {
  const who =
    error instanceof UpstreamRpcError
      ? `Server "${error.data?.["server"]}" answered with error ${error.rpc.code}: `
      : "";
  const parts = [`${error.code}: ${who}${error.message}`];
  if (error.hint !== undefined) parts.push(error.hint);
  if (error.retryAfterMs !== undefined) parts.push(`Retry after ${error.retryAfterMs / 1_000} s`);
  parts.push(`Request id: ${requestId}`);
  return escapeHidden(parts.reduce((text, part) => `${text}${/[.?!]$/.test(text) ? "" : "."} ${part}`));
}
