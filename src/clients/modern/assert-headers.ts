/** What a request of 2026-07-28 says twice, in its headers and in its body, must agree (transports/streamable-http). */
import { GatewayError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../lib/json.ts";
import { modernVersion, unsupportedVersion } from "../../mcp/envelope.ts";
import type { RpcRequestMessage } from "../../mcp/json-rpc.ts";
import { headerMismatch, mirroredParams, paramMismatch } from "../../mcp/routing-headers.ts";

/** A header of the request by its name, in any case. */
export type HeaderOf = (name: string) => string | null;

/**
 * @param header `undefined` where the transport has no headers
 * @param claimed revision that the body names
 * @throws GatewayError HEADER_MISMATCH, UNSUPPORTED_VERSION
 */
export function assertEnvelope(header: HeaderOf | undefined, claimed: string, message: RpcRequestMessage): void {
  const version = header === undefined ? claimed : header("mcp-protocol-version");
  if (version === null) throw mismatch('"MCP-Protocol-Version" is missing');
  if (version.trim() !== claimed)
    throw mismatch(`"MCP-Protocol-Version" is not the "${claimed.slice(0, 64)}" of the body`);
  if (claimed !== modernVersion) throw unsupportedVersion(claimed, [modernVersion]);
  const problem = header === undefined ? undefined : headerMismatch(header, message.method, message.params);
  if (problem !== undefined) throw mismatch(problem);
}

/** @throws GatewayError HEADER_MISMATCH */
export function assertMirrored(header: HeaderOf, tool: JsonObject | undefined, args: Json | undefined): void {
  const problem = paramMismatch(header, args, mirroredParams(tool?.["inputSchema"]) ?? []);
  if (problem !== undefined) throw mismatch(problem);
}

function mismatch(problem: string): GatewayError {
  return new GatewayError("HEADER_MISMATCH", `The headers do not repeat the body: ${problem}`);
}
