/** The opening of a legacy session, as a client (basic/lifecycle). The same over every transport. */

import type { Answer } from "../core/answer.ts";
import type { RpcRequest } from "../core/call.ts";
import { UpstreamError, UpstreamRpcError } from "../core/errors.ts";
import type { ServerDescription } from "../core/upstream.ts";
import { version } from "../core/version.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { isLegacyVersion, type LegacyVersion, latestLegacyVersion, legacyVersions } from "./protocol.ts";
import { relayedCapabilities } from "./server-request.ts";

export interface HandshakeOptions {
  readonly serverName: string;
  /** Aborting ends the handshake; `initialize` itself is never cancelled at the server. */
  readonly signal: CancelSignal;
  /** Revision to offer first; the newest by default. */
  readonly offer?: string | undefined;
  request(request: RpcRequest): Promise<Answer>;
  notify(method: string, params: JsonObject): void | Promise<void>;
  /** Told the agreed revision before `notifications/initialized` is sent: HTTP names it in a header from then on. */
  readonly onAgreed?: ((version: LegacyVersion) => void) | undefined;
}

/** @throws UpstreamError UPSTREAM_PROTOCOL when no revision is common, and whatever `request` rejects with */
export async function handshake(options: HandshakeOptions): Promise<ServerDescription> {
  const offered = options.offer ?? latestLegacyVersion;
  const { value, asked } = await initialize(options, offered);
  const protocolVersion = value["protocolVersion"];
  if (!isLegacyVersion(protocolVersion))
    throw noCommonVersion(options.serverName, asked, `answered ${JSON.stringify(protocolVersion) ?? "none"}`);
  options.onAgreed?.(protocolVersion);
  await options.notify("notifications/initialized", {});
  const { serverInfo, capabilities, instructions } = value;
  return {
    protocolVersion,
    serverInfo: isJsonObject(serverInfo) ? serverInfo : {},
    capabilities: isJsonObject(capabilities) ? capabilities : {},
    instructions: typeof instructions === "string" ? instructions : undefined,
  };
}

/** Some servers refuse a revision they do not know instead of answering with their own, and say which they know: then once more with that. */
async function initialize(options: HandshakeOptions, offered: string): Promise<{ value: JsonObject; asked: string }> {
  const ask = async (protocolVersion: string) => {
    const params = {
      protocolVersion,
      capabilities: relayedCapabilities,
      clientInfo: { name: "mcp-gateway", title: "MCP Gateway", version },
    };
    const answer = await options.request({ method: "initialize", params, signal: options.signal });
    return { value: answer.value, asked: protocolVersion };
  };
  try {
    return await ask(offered);
  } catch (error) {
    if (!(error instanceof UpstreamRpcError)) throw error;
    const named = versionsNamedIn(error);
    const common = legacyVersions.find((known) => known !== offered && named.includes(known));
    if (common !== undefined) return await ask(common);
    if (named.some((other) => other !== offered))
      throw noCommonVersion(options.serverName, offered, `supports ${named.join(", ")}`, error);
    throw error;
  }
}

function versionsNamedIn({ rpc }: UpstreamRpcError): string[] {
  const supported = isJsonObject(rpc.data) ? rpc.data["supported"] : undefined;
  const text = supported === undefined ? rpc.message : JSON.stringify(supported);
  return text.match(/\b\d{4}-\d\d-\d\d\b/g) ?? [];
}

function noCommonVersion(server: string, offered: string, said: string, cause?: unknown): UpstreamError {
  return new UpstreamError(
    "UPSTREAM_PROTOCOL",
    `Server "${server}" ${said} when offered protocol revision "${offered}"`,
    { hint: `The gateway speaks ${legacyVersions.join(", ")} to servers`, cause, data: { server } },
  );
}
