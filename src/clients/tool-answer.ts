/** Answers of tools: what a model could correct is a result with `isError`, never a JSON-RPC error (server/tools, "Error Handling"). */
import type { Answer } from "../core/answer.ts";
import { CancelledError, GatewayError, UpstreamRpcError } from "../core/errors.ts";
import { toToolResult } from "../mcp/error-answer.ts";
import type { RequestScope } from "./request-scope.ts";

/**
 * JSON text of the tool's result. `rpcErrors: "relay"` lets a JSON-RPC error of the backend through as one, for a
 * client that addressed the backend's own tool; `"explain"` tells the model, for one that went through a meta-tool.
 */
export function toolAnswer(
  request: RequestScope,
  answer: Promise<Answer>,
  rpcErrors: "relay" | "explain",
): Promise<string> {
  return answer.then(textOf, (error: unknown) => {
    const isRelayed = error instanceof UpstreamRpcError && rpcErrors === "relay";
    if (!(error instanceof GatewayError) || error instanceof CancelledError || isRelayed) throw error;
    return JSON.stringify(toToolResult(error, request.context.requestId));
  });
}

function textOf({ text }: Answer): string {
  return text;
}
