/**
 * Which protocol a request speaks, decided once per request (versioning of 2026-07-28, "Dual-era servers"): a message
 * that carries its revision in `_meta`, or a header that names one of 2026 or later, is modern and needs no session.
 */
import { claimedVersion, modernVersion, unsupportedVersion } from "../../mcp/envelope.ts";
import type { RpcMessage } from "../../mcp/json-rpc.ts";
import { isLegacyVersion, legacyVersions } from "../../mcp/protocol.ts";

export type Era = "legacy" | "modern";

/**
 * @param message `undefined` where there is no single one: GET, DELETE and batches
 * @throws GatewayError UNSUPPORTED_VERSION for a header that names no revision at all
 */
export function eraOf(versionHeader: string | null, message: RpcMessage | undefined): Era {
  const claimed = message === undefined || message.kind === "response" ? undefined : claimedVersion(message.params);
  if (claimed !== undefined) return isLegacyVersion(claimed) ? "legacy" : "modern";
  if (versionHeader === null || isLegacyVersion(versionHeader)) return "legacy";
  if (/^\d{4}-\d{2}-\d{2}$/.test(versionHeader) && versionHeader >= "2026") return "modern";
  throw unsupportedVersion(versionHeader, [modernVersion, ...legacyVersions]);
}
