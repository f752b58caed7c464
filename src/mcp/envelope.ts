/**
 * What a message of 2026-07-28 says of its sender in `params._meta` (basic/index, "_meta"): there is no session that
 * could remember it. These keys belong to one hop; a relay takes them off and writes its own.
 */
import type { ClientEnvelope } from "../core/call.ts";
import { GatewayError } from "../core/errors.ts";
import { version } from "../core/version.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { isLogLevel } from "./log-levels.ts";

/** The first revision without sessions, and the newest there is. */
export const modernVersion = "2026-07-28";

export const metaKeys = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  logLevel: "io.modelcontextprotocol/logLevel",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
  serverInfo: "io.modelcontextprotocol/serverInfo",
} as const;

const hopKeys: ReadonlySet<string> = new Set(["progressToken", ...Object.values(metaKeys)]);

export const gatewayInfo = { name: "mcp-gateway", title: "MCP Gateway", version };

/** Revision that a message claims; `undefined` for one of the legacy era. */
export function claimedVersion(params: JsonObject | undefined): string | undefined {
  const meta = params?.["_meta"];
  const claimed = isJsonObject(meta) ? meta[metaKeys.protocolVersion] : undefined;
  return typeof claimed === "string" ? claimed : undefined;
}

/** @throws GatewayError INVALID_PARAMS naming the key that is missing or wrong */
export function readEnvelope(params: JsonObject | undefined): ClientEnvelope {
  const meta = params?.["_meta"];
  if (!isJsonObject(meta)) throw broken("_meta", "missing");
  if (typeof meta[metaKeys.protocolVersion] !== "string") throw broken(metaKeys.protocolVersion, "not a string");
  const capabilities = meta[metaKeys.clientCapabilities];
  if (capabilities === undefined) throw broken(metaKeys.clientCapabilities, "missing");
  if (!isJsonObject(capabilities)) throw broken(metaKeys.clientCapabilities, "not an object");
  const clientInfo = meta[metaKeys.clientInfo];
  if (clientInfo !== undefined && !isJsonObject(clientInfo)) throw broken(metaKeys.clientInfo, "not an object");
  const logLevel = meta[metaKeys.logLevel];
  if (logLevel !== undefined && !isLogLevel(logLevel)) throw broken(metaKeys.logLevel, "not one of the log levels");
  return { capabilities, clientInfo, logLevel };
}

/** A client that knows several revisions goes on with one of `supported`. */
export function unsupportedVersion(requested: string, supported: readonly string[]): GatewayError {
  return new GatewayError("UNSUPPORTED_VERSION", "Unsupported protocol version", {
    hint: `Revisions spoken here: ${supported.join(", ")}`,
    data: { supported, requested: requested.slice(0, 64) },
  });
}

function broken(key: string, problem: string): GatewayError {
  return new GatewayError("INVALID_PARAMS", `The request does not say who sends it: "${key}" is ${problem}`, {
    hint: `Every request of ${modernVersion} has "${metaKeys.protocolVersion}" and "${metaKeys.clientCapabilities}" in "params._meta"`,
    data: { envelope: { key, problem } },
  });
}

/** The params as they go to a server of 2026-07-28. */
export function withEnvelope(params: JsonObject | undefined, envelope: ClientEnvelope): JsonObject {
  const meta = params?.["_meta"];
  return {
    ...params,
    _meta: {
      ...(isJsonObject(meta) ? meta : {}),
      [metaKeys.protocolVersion]: modernVersion,
      [metaKeys.clientCapabilities]: envelope.capabilities,
      [metaKeys.clientInfo]: envelope.clientInfo ?? gatewayInfo,
      ...(envelope.logLevel === undefined ? {} : { [metaKeys.logLevel]: envelope.logLevel }),
    },
  };
}

/** What may travel on; `undefined` when nothing is left. The object itself when nothing is to be taken off. */
export function withoutHopKeys(meta: JsonObject): JsonObject | undefined {
  const keys = Object.keys(meta);
  const kept = keys.filter((key) => !hopKeys.has(key));
  if (kept.length === keys.length && keys.length > 0) return meta;
  return kept.length === 0 ? undefined : (Object.fromEntries(kept.map((key) => [key, meta[key]])) as JsonObject);
}
