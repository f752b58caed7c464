/** What the official OAuth client asks of the one it works for: who we are, and where what it gets is kept. */
import type { OAuthClientProvider } from "@modelcontextprotocol/client";
import { GatewayError } from "../../core/errors.ts";
import { version } from "../../core/version.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { OAuthSettings } from "./schema.ts";
import type { SavedAccess } from "./token-store.ts";

type Provider = Required<
  Pick<
    OAuthClientProvider,
    "clientInformation" | "saveClientInformation" | "tokens" | "saveTokens" | "invalidateCredentials"
  >
>;
type ClientInformation = Parameters<Provider["saveClientInformation"]>[0];
type Tokens = Parameters<Provider["saveTokens"]>[0];
type Discovery = Parameters<NonNullable<OAuthClientProvider["saveDiscoveryState"]>>[0];

export interface OAuthProviderOptions {
  readonly server: string;
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  readonly grantType: OAuthSettings["grant_type"];
  /** The only authorization server that is to know of us; whichever the server names, if left out. */
  readonly issuer: string | undefined;
  readonly scopes: readonly string[];
  /** As kept; what changes is handed to {@link onSaved}. */
  readonly saved: SavedAccess;
  /** Calendar time in milliseconds. */
  calendar(): number;
  onSaved(access: SavedAccess): Promise<void>;
  /** Of a login; without one the provider can only renew. */
  readonly login?: {
    readonly redirectUrl: string;
    readonly state: string;
    onAuthorizationUrl(url: URL): void;
  };
}

export class OAuthProvider implements OAuthClientProvider {
  /** A client id that is an address names a document about the client, which servers read instead of registering it. */
  readonly clientMetadataUrl?: string;
  #saved: SavedAccess;
  #verifier = "";
  #discovery: Discovery | undefined;
  readonly #options: OAuthProviderOptions;

  constructor(options: OAuthProviderOptions) {
    this.#options = options;
    this.#saved = options.saved;
    if (options.clientId?.startsWith("https://")) this.clientMetadataUrl = options.clientId;
  }

  /**
   * Without a login none is needed; the address the client was registered with keeps the metadata the same. None at all
   * tells the official client that nobody is to be asked.
   */
  get redirectUrl(): string | undefined {
    if (this.#asksNobody) return undefined;
    return this.#options.login?.redirectUrl ?? this.#saved.redirectUrl ?? "http://localhost/oauth/callback";
  }

  /** Whether client id and secret are enough (RFC 6749 4.4): so the settings say, or the server has nothing else. */
  get #asksNobody(): boolean {
    const { grantType, clientSecret } = this.#options;
    if (grantType !== undefined || clientSecret === undefined) return grantType === "client_credentials";
    const grants = this.#discovery?.authorizationServerMetadata?.grant_types_supported;
    return grants?.includes("client_credentials") === true && !grants.includes("authorization_code");
  }

  prepareTokenRequest(scope?: string): URLSearchParams | undefined {
    if (!this.#asksNobody) return undefined;
    return new URLSearchParams({ grant_type: "client_credentials", ...(scope !== undefined && { scope }) });
  }

  get clientMetadata() {
    const { server, scopes, clientSecret } = this.#options;
    return {
      client_name: `MCP Gateway - ${server}`,
      software_id: "mcp-gateway",
      software_version: version,
      redirect_uris: this.redirectUrl === undefined ? [] : [this.redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: clientSecret === undefined ? "none" : "client_secret_basic",
      ...(scopes.length > 0 ? { scope: scopes.join(" ") } : {}),
    };
  }

  state(): string {
    return this.#options.login?.state ?? "";
  }

  clientInformation(context?: { issuer?: string }): ClientInformation | undefined {
    const { clientId, clientSecret, login } = this.#options;
    if (clientId !== undefined && this.clientMetadataUrl === undefined)
      return {
        client_id: clientId,
        ...(clientSecret !== undefined && { client_secret: clientSecret }),
        // They are for the server the settings mean, which saveDiscoveryState sees to.
        ...(context?.issuer !== undefined && { issuer: context.issuer }),
      };
    const { client, redirectUrl } = this.#saved;
    // Servers hold a client to the address it was registered with.
    if (client === undefined || (login !== undefined && redirectUrl !== login.redirectUrl)) return undefined;
    return isOf(client, context?.issuer) ? (client as unknown as ClientInformation) : undefined;
  }

  async saveClientInformation(client: ClientInformation): Promise<void> {
    await this.#save({ ...this.#saved, client: client as unknown as JsonObject, redirectUrl: this.redirectUrl });
  }

  tokens(context?: { issuer?: string }): Tokens | undefined {
    const { tokens } = this.#saved;
    return tokens !== undefined && isOf(tokens, context?.issuer) ? (tokens as unknown as Tokens) : undefined;
  }

  async saveTokens(tokens: Tokens): Promise<void> {
    const { expires_in } = tokens;
    const expiresAt = expires_in === undefined ? undefined : this.#options.calendar() + expires_in * 1_000;
    await this.#save({ ...this.#saved, tokens: tokens as unknown as JsonObject, expiresAt });
  }

  redirectToAuthorization(url: URL): void {
    if (this.#options.login === undefined)
      throw new GatewayError("LOGIN_REQUIRED", "The access cannot be renewed without a login");
    this.#options.login.onAuthorizationUrl(url);
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  async invalidateCredentials(what: "all" | "client" | "tokens" | "verifier" | "discovery"): Promise<void> {
    if (what === "verifier") this.#verifier = "";
    if (what === "discovery" || what === "all") this.#discovery = undefined;
    if (what === "tokens") await this.#save({ ...this.#saved, tokens: undefined, expiresAt: undefined });
    if (what === "client") await this.#save({ ...this.#saved, client: undefined });
    if (what === "all") await this.#save({});
  }

  /** @throws GatewayError where it is about another authorization server than the settings name */
  saveDiscoveryState(state: Discovery): void {
    const { server, issuer } = this.#options;
    const named = state.authorizationServerMetadata?.issuer ?? state.authorizationServerUrl;
    if (issuer !== undefined && named.replace(/\/$/, "") !== issuer.replace(/\/$/, ""))
      throw new GatewayError("UPSTREAM_START_FAILED", `Server "${server}" names ${named}, "oauth.issuer" another one`);
    this.#discovery = state;
  }

  discoveryState(): Discovery | undefined {
    return this.#discovery;
  }

  #save(access: SavedAccess): Promise<void> {
    this.#saved = access;
    return this.#options.onSaved(access);
  }
}

/** Credentials of one authorization server are nobody else's (2026-07-28, basic/authorization). */
function isOf(stored: JsonObject, issuer: string | undefined): boolean {
  return issuer === undefined || stored["issuer"] === undefined || stored["issuer"] === issuer;
}
