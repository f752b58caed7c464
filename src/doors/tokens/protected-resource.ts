/** The gateway as an OAuth 2.1 resource server: its metadata (RFC 9728), and what a refused client is told (RFC 6750 3). */
import { GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { Refusal, sendJson } from "../http/respond.ts";
import type { Visit } from "../http/visit.ts";
import { InsufficientTokenError } from "./insufficient-token-error.ts";

export const metadataPath = "/.well-known/oauth-protected-resource";

type Config = Pick<Gateway["config"], "auth" | "key_server" | "mtls" | "server">;

/**
 * Of the gateway as a whole, or of `/mcp` where the path goes on so.
 * @throws Refusal 404 when no issuer is configured, for then there is nothing to log in to
 */
export function resourceMetadata(config: Config, visit: Visit): Response {
  const { auth } = config;
  const providers = delegatedProviders(config);
  if (!auth.enabled || auth.issuers.length + providers.length === 0)
    throw new Refusal(404, "The gateway takes no OAuth tokens", { hint: 'Issuers are configured in "auth.issuers"' });
  const base = baseOf(config, visit.request.headers);
  if (base === undefined)
    return sendJson(
      visit,
      503,
      JSON.stringify({
        error: "protected_resource_metadata_unavailable",
        message: 'The gateway does not know its own address: set "server.public_url"',
      }),
    );
  const scopes = [...new Set(auth.issuers.flatMap(({ required_scopes }) => required_scopes))];
  const body = {
    resource: base + visit.path.slice(metadataPath.length),
    // Who shares a secret or a single key with the gateway need not be an authorization server.
    authorization_servers: [
      ...auth.issuers.filter(({ secret, public_key }) => secret === undefined && public_key === undefined),
      ...providers,
    ].map(({ issuer }) => issuer),
    bearer_methods_supported: ["header"],
    scopes_supported: scopes,
    resource_name: "MCP Gateway",
  };
  return sendJson(visit, 200, JSON.stringify(body));
}

/** Providers whose tokens are good here as they are; what has to be exchanged first is not for a client that logs in. */
function delegatedProviders({ key_server }: Config) {
  return key_server?.enabled === true && key_server.delegated_bearer ? key_server.oidc : [];
}

/** The `WWW-Authenticate` header of a refusal; `undefined` when another login would not help. */
export function challengeOf(error: unknown, config: Config, headers: Headers): string | undefined {
  const { auth } = config;
  const isInsufficient = error instanceof InsufficientTokenError;
  if (!isInsufficient && !(error instanceof GatewayError && error.code === "UNAUTHENTICATED")) return undefined;
  const parameters: string[] = [];
  if (isInsufficient) parameters.push('error="insufficient_scope"');
  else if (headers.has("authorization")) parameters.push('error="invalid_token"');
  const scopes = isInsufficient ? error.scopes : auth.issuers.flatMap(({ required_scopes }) => required_scopes);
  if (scopes.length > 0) parameters.push(`scope="${[...new Set(scopes)].map(quotable).join(" ")}"`);
  const hasMetadata = auth.issuers.length + delegatedProviders(config).length > 0;
  const base = hasMetadata ? baseOf(config, headers) : undefined;
  // Inserted after the origin, before the path of the resource (RFC 9728 3.1).
  if (base !== undefined) parameters.push(`resource_metadata="${quotable(metadataAddress(base))}"`);
  const bearer = parameters.length > 0 ? `Bearer ${parameters.join(", ")}` : "Bearer";
  return auth.users.length > 0 && !isInsufficient ? `${bearer}, Basic realm="MCP Gateway", charset="UTF-8"` : bearer;
}

function metadataAddress(base: string): string {
  const { origin, pathname } = new URL(base);
  return `${origin}${metadataPath}${pathname.replace(/\/+$/, "")}/mcp`;
}

/** Where clients reach the gateway; on this machine alone, by the name they used, which was checked to be its own. */
function baseOf({ mtls, server: { public_url, host } }: Config, headers: Headers): string | undefined {
  if (public_url !== undefined) return public_url.replace(/\/+$/, "");
  const isLocal = /^(localhost|127\.[\d.]+|\[?::1\]?)$/i.test(host);
  return isLocal ? `${mtls?.enabled === true ? "https" : "http"}://${headers.get("host")}` : undefined;
}

function quotable(text: string): string {
  return text.replace(/["\\\r\n]/g, "");
}
