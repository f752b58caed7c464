/** What a server gets when it asks something of us: `ping` is answered here, the rest by whoever was handed in. */
import { errorCodes } from "../core/error-codes.ts";
import { GatewayError } from "../core/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { encodeError, encodeResult, type RpcRequestMessage } from "./json-rpc.ts";

export interface ServerRequestHandling {
  /**
   * Answers a request of the server, other than `ping`; a thrown `GatewayError` is the error it gets.
   * Without it every request is refused.
   */
  readonly onRequest?: ((method: string, params: JsonObject) => Promise<JsonObject>) | undefined;
  /** Told of each request that was refused. */
  readonly onRefused?: ((method: string) => void) | undefined;
}

/** JSON text of the response to send back. Never rejects. */
export async function answerServerRequest(
  { id, method, params = {} }: RpcRequestMessage,
  { onRequest, onRefused }: ServerRequestHandling,
): Promise<string> {
  if (method === "ping") return encodeResult(id, "{}");
  try {
    if (onRequest === undefined) {
      onRefused?.(method);
      throw new GatewayError("METHOD_NOT_FOUND", `This gateway does not relay "${method}" to its clients`);
    }
    return encodeResult(id, JSON.stringify(await onRequest(method, params)));
  } catch (error) {
    const code = error instanceof GatewayError ? error.code : "INTERNAL";
    const message = error instanceof GatewayError ? error.message : "The gateway could not answer the request";
    return encodeError(id, { code: errorCodes[code].rpc, message });
  }
}
