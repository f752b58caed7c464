/**
 * Which protocol a request speaks, decided once per request (versioning of 2026-07-28, "Dual-era servers"): a message
 * that carries its revision in `_meta`, or a header that names one of 2026 or later, is modern and needs no session.
 * The modern era is not served yet; its path begins where {@link Era} says `modern`.
 */
import { isJsonObject, type Json } from "../../lib/json.ts";
import type { RpcMessage } from "../../mcp/json-rpc.ts";
import { isLegacyVersion, legacyVersions } from "../../mcp/protocol.ts";

export type Era =
  | { readonly is: "legacy" }
  | { readonly is: "modern"; readonly requested: string }
  | { readonly is: "unknown"; readonly requested: string };

const legacy: Era = { is: "legacy" };
const versionKey = "io.modelcontextprotocol/protocolVersion";

/** @param message `undefined` where there is no single one: GET, DELETE and batches */
export function eraOf(versionHeader: string | null, message: RpcMessage | undefined): Era {
  const enveloped = message === undefined ? undefined : envelopedVersion(message);
  if (enveloped !== undefined) return { is: "modern", requested: enveloped };
  if (versionHeader === null || isLegacyVersion(versionHeader)) return legacy;
  return {
    is: /^\d{4}-\d{2}-\d{2}$/.test(versionHeader) && versionHeader >= "2026" ? "modern" : "unknown",
    requested: versionHeader,
  };
}

function envelopedVersion(message: RpcMessage): string | undefined {
  const meta = message.kind === "response" ? undefined : message.params?.["_meta"];
  const version = isJsonObject(meta) ? meta[versionKey] : undefined;
  return typeof version === "string" ? version : undefined;
}

/** `UnsupportedProtocolVersionError` of 2026-07-28: a client that knows both eras goes on with `initialize`. */
export function unsupportedVersion(requested: string): { code: number; message: string; data: Json } {
  return {
    code: -32_022,
    message: "Unsupported protocol version",
    data: { supported: legacyVersions, requested: requested.slice(0, 64) },
  };
}
