/** Failures as a client of 2026-07-28 is told of them: its revision has other codes, and HTTP statuses for some. */
import { GatewayError, UpstreamRpcError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { type RpcErrorObject, toRpcError } from "../../mcp/error-answer.ts";
import type { RpcRequestMessage } from "../../mcp/json-rpc.ts";

const resourceNotFound = -32_002;
const urlElicitationRequired = -32_042;
const missingCapability = -32_021;
/** Codes up to -32019 have no meaning any more, and are not to be used (basic, "Error Codes"). */
const retired = { from: -32_019, to: -32_000, movedBy: 1_000 };

/** What failed before the method ran has a status of its own; what a method answers is an answer (200). */
const statuses: Readonly<Record<number, number>> = { [-32_601]: 404, [-32_020]: 400, [-32_021]: 400, [-32_022]: 400 };

export function toModernError(
  error: unknown,
  { params }: RpcRequestMessage,
  requestId: string,
): { readonly status: number; readonly error: RpcErrorObject } {
  const rpc = modernised(toRpcError(error, requestId), params ?? {});
  return { error: rpc, status: statusOf(error, rpc) };
}

function statusOf(error: unknown, { code }: RpcErrorObject): number {
  // Of a server, these are about a request that was not the client's.
  if (error instanceof UpstreamRpcError && code !== missingCapability) return 200;
  if (error instanceof GatewayError) {
    if (error.data?.["envelope"] !== undefined) return 400;
    if (error.code === "SHUTTING_DOWN") return 503;
    if (error.code === "SERVER_NOT_FOUND") return 404;
  }
  return statuses[code] ?? 200;
}

function modernised(rpc: RpcErrorObject, { uri }: JsonObject): RpcErrorObject {
  const { code, data } = rpc;
  if (code === resourceNotFound && typeof uri === "string")
    return { ...rpc, code: -32_602, data: { ...(isJsonObject(data) ? data : {}), uri } };
  if (code === urlElicitationRequired) return { ...rpc, code: -32_603 };
  if (code >= retired.from && code <= retired.to) return { ...rpc, code: code + retired.movedBy };
  return rpc;
}

/** What the user is to be shown, of the error `URLElicitationRequiredError` (client/elicitation of 2025-11-25). */
export function elicitationsOf(error: unknown): JsonObject[] | undefined {
  if (!(error instanceof UpstreamRpcError) || error.rpc.code !== urlElicitationRequired) return undefined;
  const { data } = error.rpc;
  const elicitations = isJsonObject(data) ? data["elicitations"] : undefined;
  if (!Array.isArray(elicitations)) return undefined;
  return elicitations.filter(isJsonObject).map((params) => ({ mode: "url", ...params }));
}
