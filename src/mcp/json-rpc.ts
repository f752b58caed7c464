/**
 * The JSON-RPC 2.0 envelope. Members the envelope does not know are kept: the relay must not lose what a later
 * revision or a vendor added. Keys are matched exactly; `Method` is not `method` (T18).
 */
import { GatewayError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

export type RequestId = string | number;

export interface RpcRequestMessage {
  readonly kind: "request";
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject | undefined;
}
export interface RpcNotificationMessage {
  readonly kind: "notification";
  readonly method: string;
  readonly params: JsonObject | undefined;
}
export interface RpcResponseMessage {
  readonly kind: "response";
  readonly id: RequestId | null;
  readonly result: JsonObject | undefined;
  readonly error: { readonly code: number; readonly message: string; readonly data?: Json | undefined } | undefined;
}
export type RpcMessage = RpcRequestMessage | RpcNotificationMessage | RpcResponseMessage;

/**
 * Tells what a parsed JSON value is.
 * @throws GatewayError INVALID_REQUEST naming the member that is wrong
 */
export function classifyMessage(value: unknown): RpcMessage {
  if (!isJsonObject(value)) throw invalid("a message must be a JSON object");
  if (value["jsonrpc"] !== "2.0") throw invalid('"jsonrpc" must be "2.0"');
  const { id, method, params } = value;
  if (method !== undefined) {
    if (typeof method !== "string") throw invalid('"method" must be a string');
    if (params !== undefined && !isJsonObject(params)) throw invalid('"params" must be an object');
    if (id === undefined) return { kind: "notification", method, params };
    if (!isRequestId(id)) throw invalid('"id" must be a string or an integer');
    return { kind: "request", id, method, params };
  }
  const { result, error } = value;
  if (id !== null && !isRequestId(id)) throw invalid('a message needs "method", or "id" with "result" or "error"');
  if (isJsonObject(error) && typeof error["code"] === "number" && result === undefined) {
    const message = typeof error["message"] === "string" ? error["message"] : "Unknown error";
    return { kind: "response", id, result: undefined, error: { code: error["code"], message, data: error["data"] } };
  }
  if (isJsonObject(result) && error === undefined) return { kind: "response", id, result, error: undefined };
  throw invalid('a response needs an object "result" or an "error" with a numeric "code"');
}

/** A larger integer would be answered under another one: the nearest that a double can hold. */
export function isRequestId(id: unknown): id is RequestId {
  return typeof id === "string" || Number.isSafeInteger(id);
}

/** JSON text of a request or, with `id` undefined, of a notification. */
export function encodeRequest(id: RequestId | undefined, method: string, params: JsonObject | undefined): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

/** JSON text of a response around a result that is JSON text already. */
export function encodeResult(id: RequestId, resultText: string): string {
  return `${resultHead(id)}${resultText}}`;
}

/** What stands before the result in {@link encodeResult}; a brace follows it. */
export function resultHead(id: RequestId): string {
  return `{"jsonrpc":"2.0","id":${typeof id === "number" ? id : JSON.stringify(id)},"result":`;
}

export function encodeError(
  id: RequestId | null,
  error: { code: number; message: string; data?: Json | undefined },
): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`;
}

function invalid(problem: string): GatewayError {
  return new GatewayError("INVALID_REQUEST", `Not a JSON-RPC 2.0 message: ${problem}`);
}
