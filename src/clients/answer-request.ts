/** From a request of a session to its answer, and from whatever went wrong to an error of JSON-RPC. */
import { CancelledError, GatewayError } from "../core/errors.ts";
import { toRpcError } from "../mcp/error-answer.ts";
import { encodeError, encodeResult, type RpcRequestMessage } from "../mcp/json-rpc.ts";
import type { FaceContext } from "./face.ts";
import type { FaceHost } from "./host.ts";
import { findMethod } from "./methods.ts";
import { reportDefect } from "./report-defect.ts";
import { RequestScope } from "./request-scope.ts";

/** Up to here a response is quickest in one piece. */
const longResultChars = 14_000;

/** Resolves with the JSON text of the response, `undefined` when it was sent already, and for a request that was cancelled; never rejects. */
export async function answerRequest(
  host: FaceHost,
  message: RpcRequestMessage,
  context: FaceContext,
): Promise<string | undefined> {
  const request = new RequestScope(host, context, message);
  const startedMs = host.clock.now();
  try {
    const result = await run(request);
    host.onAnswer?.(message, context, result, host.clock.now() - startedMs, request.failure);
    const isSent = result.length >= longResultChars && context.answerLong?.(message.id, result) === true;
    return isSent ? undefined : encodeResult(message.id, result);
  } catch (error) {
    request.failed(error);
    host.onAnswer?.(message, context, undefined, host.clock.now() - startedMs, error);
    // Nobody waits for the answer to a cancelled request (basic/utilities/cancellation, "Behavior Requirements").
    if (request.cancelled && error instanceof CancelledError) return undefined;
    reportDefect(host, message, context, error);
    return encodeError(message.id, toRpcError(error, context.requestId));
  } finally {
    request.end();
  }
}

function run(request: RequestScope): Promise<string> | string {
  const { message, context } = request;
  const method = findMethod(context.backend, message.method);
  if (method !== undefined) return method(request);
  throw new GatewayError("METHOD_NOT_FOUND", `Method "${message.method}" is not known`);
}
