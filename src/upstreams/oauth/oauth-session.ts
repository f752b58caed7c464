/**
 * The gateway's access to one HTTP server by OAuth 2.1: tokens are renewed before they end and when they are refused,
 * once for all who wait, and where that is not enough the user is asked to log in. The protocol itself (discovery,
 * registration, PKCE, issuer checks) is the official client's, loaded when there is something to do.
 */
import { GatewayError, UpstreamError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Access } from "../http/authorized-exchange.ts";
import { guardedFetch } from "./guarded-fetch.ts";
import { beginLogin, type Login } from "./login.ts";
import { OAuthProvider } from "./oauth-provider.ts";
import type { OAuthSettings } from "./schema.ts";
import { endsWithin, type SavedAccess, type TokenStore } from "./token-store.ts";

export interface OAuthSessionOptions {
  readonly server: string;
  readonly url: URL;
  /** `undefined`: only where the server itself says that it wants OAuth. */
  readonly settings: OAuthSettings | undefined;
  /** Whether the server may be in a private network; true by default. */
  readonly isTrusted?: boolean | undefined;
  readonly store: TokenStore;
  readonly clock: Clock;
  /** Calendar time in milliseconds. */
  calendar(): number;
  readonly log: Logger;
  /** Told every token, so that none turns up in a log. */
  onSecret(value: string): void;
  /** Told when there is something to be let in by. */
  onAccess?: (() => void) | undefined;
  /** Told when nothing but a login helps. */
  onLoginRequired?: (() => void) | undefined;
  /** Told the id of a login that is done. */
  onLoggedIn?: ((id: string) => void) | undefined;
}

const defaultBufferSeconds = 300;

export class OAuthSession implements Access {
  readonly #options: OAuthSessionOptions;
  #saved: SavedAccess | undefined;
  /** Of what is in {@link #saved}. */
  #saving: Promise<void> | undefined;
  #renewing: Promise<boolean> | undefined;
  #login: Promise<Login> | undefined;
  /** From the last refusal: where the server describes what it wants. */
  #metadataUrl: URL | undefined;
  #scope: string | undefined;

  constructor(options: OAuthSessionOptions) {
    this.#options = options;
  }

  async header(): Promise<string | undefined> {
    const saved = this.#saved ?? (await this.#look());
    if (this.#isDue(saved))
      await this.#renew().catch((error) =>
        this.#options.log.warn("The access could not be renewed in time", { error: String(error) }),
      );
    return headerOf(this.#saved ?? saved);
  }

  async refused(status: number, challenge: string | undefined, sent: string | undefined): Promise<boolean> {
    const { settings } = this.#options;
    const wanted = parseChallenge(challenge);
    if (settings === undefined && wanted.metadataUrl === undefined) return false;
    this.#metadataUrl = wanted.metadataUrl ?? this.#metadataUrl;
    if (status === 403) {
      if (wanted.error !== "insufficient_scope") return false;
      this.#scope = unionOf(this.#scope, String(this.#saved?.tokens?.["scope"] ?? ""), wanted.scope);
      if (this.#needsNobody) return this.#renew();
      throw await this.#loginRequired("wants more rights than were given to the gateway");
    }
    this.#scope = wanted.scope ?? this.#scope;
    // Another call may have renewed it since this one was sent.
    const header = headerOf(this.#saved ?? {});
    if ((header !== undefined && header !== sent) || (await this.#renew())) return true;
    throw await this.#loginRequired("wants a login");
  }

  /** Begins a login, or gives the one that waits for its user. */
  login(): Promise<Login> {
    this.#login ??= this.#beginLogin();
    return this.#login;
  }

  /** For people. */
  async describe(): Promise<string> {
    const saved = await this.#load();
    if (headerOf(saved) === undefined) return this.#needsNobody ? "needs no login" : "not logged in";
    const { expiresAt } = saved;
    const renewal = this.#canRenew(saved) ? "renewed by itself" : "not renewed";
    return expiresAt === undefined ? "logged in" : `logged in until ${new Date(expiresAt).toISOString()}, ${renewal}`;
  }

  /** Forgets what the server gave us. */
  async logOut(): Promise<void> {
    this.#saved = {};
    await this.#options.store.remove();
  }

  async #beginLogin(): Promise<Login> {
    const { server, url, settings, log, clock, onLoggedIn } = this.#options;
    const forget = () => {
      this.#login = undefined;
    };
    try {
      const login = await beginLogin({
        server,
        settings,
        clock,
        provider: (parts) => this.#provider(parts),
        authorize: (provider, answer) => this.#authorize(provider, { ...answer, forceReauthorization: true }),
      });
      login.done.then(
        () => {
          log.info("Logged in", { url: url.origin });
          onLoggedIn?.(login.id);
        },
        (error) => log.warn("The login failed", { error: String(error) }),
      );
      login.done.then(forget, forget);
      return login;
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Whether tokens are to be had with client id and secret alone. */
  get #needsNobody(): boolean {
    return this.#options.settings?.grant_type === "client_credentials";
  }

  #canRenew(saved: SavedAccess): boolean {
    return hasRefreshToken(saved) || this.#needsNobody;
  }

  /** Whether a token is to be had before the next request: one that cannot be renewed is used to its end. */
  #isDue(saved: SavedAccess): boolean {
    if (headerOf(saved) === undefined) return this.#needsNobody;
    const { settings, calendar } = this.#options;
    const bufferSeconds = settings?.token_refresh_buffer_secs ?? defaultBufferSeconds;
    // Many last for five minutes only, and would be renewed for every request.
    const halfLife = Number(saved.tokens?.["expires_in"] ?? Number.POSITIVE_INFINITY) / 2;
    return this.#canRenew(saved) && endsWithin(saved, Math.min(bufferSeconds, halfLife) * 1_000, calendar);
  }

  /** Whether there is a new token. */
  #renew(): Promise<boolean> {
    this.#renewing ??= this.#renewNow().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewNow(): Promise<boolean> {
    const before = headerOf(this.#saved ?? {});
    const saved = await this.#look();
    const header = headerOf(saved);
    // Refresh tokens are good once: another process may have used ours. Or somebody has logged in there.
    if (header !== undefined && header !== before) return true;
    const { client_id: id, client_secret: secret, grant_type: grant } = this.#options.settings ?? {};
    const mayNeedNobody = grant === undefined && id !== undefined && secret !== undefined;
    if (!this.#canRenew(saved) && !mayNeedNobody) return false;
    try {
      await this.#authorize(this.#provider({}), {});
      return true;
    } catch (error) {
      if (error instanceof GatewayError && error.code === "LOGIN_REQUIRED") return false;
      const { server } = this.#options;
      throw new UpstreamError(
        "UPSTREAM_START_FAILED",
        `The access to server "${server}" cannot be renewed: ${reasonOf(error)}`,
        {
          cause: error,
          data: { server },
        },
      );
    }
  }

  #provider(parts: Pick<ConstructorParameters<typeof OAuthProvider>[0], "login">): OAuthProvider {
    const { server, settings, calendar, store } = this.#options;
    return new OAuthProvider({
      server,
      clientId: settings?.client_id,
      clientSecret: settings?.client_secret,
      grantType: settings?.grant_type,
      issuer: settings?.issuer,
      scopes: settings?.scopes ?? [],
      saved: this.#saved ?? {},
      calendar,
      onSaved: async (access) => {
        this.#saved = access;
        this.#tellSecrets(access);
        this.#saving = store.save(access);
        await this.#saving;
      },
      ...parts,
    });
  }

  async #authorize(
    provider: OAuthProvider,
    answer: { authorizationCode?: string; iss?: string; forceReauthorization?: boolean },
  ): Promise<void> {
    const { auth } = await import("@modelcontextprotocol/client");
    const { url, settings } = this.#options;
    const configured = (settings?.scopes ?? []).join(" ");
    const scope = unionOf(configured, this.#scope);
    await auth(provider, {
      serverUrl: url,
      fetchFn: guardedFetch(url, this.#options.isTrusted ?? true),
      ...(this.#metadataUrl === undefined ? {} : { resourceMetadataUrl: this.#metadataUrl }),
      ...(scope === undefined ? {} : { scope }),
      ...answer,
    });
  }

  async #loginRequired(why: string): Promise<GatewayError> {
    const { server, onLoginRequired } = this.#options;
    onLoginRequired?.();
    const command = `Run: mcp-gateway auth login ${server}`;
    try {
      const { id, url } = await this.login();
      return new GatewayError("LOGIN_REQUIRED", `Server "${server}" ${why}`, {
        hint: `Open ${url} in a browser and call again. Or: ${command}`,
        data: { server, login_url: url, login_id: id },
      });
    } catch (error) {
      return new GatewayError("LOGIN_REQUIRED", `Server "${server}" ${why}, which cannot begin: ${reasonOf(error)}`, {
        hint: `Check "oauth" of the backend. ${command}`,
        cause: error,
        data: { server },
      });
    }
  }

  /** What other processes may have written. What we got ourselves meanwhile is newer, and stays. */
  async #look(): Promise<SavedAccess> {
    await this.#saving;
    const known = this.#saved;
    const found = await this.#load();
    if (this.#saved === known) this.#saved = found;
    return this.#saved ?? found;
  }

  async #load(): Promise<SavedAccess> {
    const saved = await this.#options.store.load();
    this.#tellSecrets(saved);
    return saved;
  }

  #tellSecrets({ tokens, client }: SavedAccess): void {
    if (tokens !== undefined) this.#options.onAccess?.();
    for (const value of [
      tokens?.["access_token"],
      tokens?.["refresh_token"],
      tokens?.["id_token"],
      client?.["client_secret"],
    ])
      if (typeof value === "string") this.#options.onSecret(value);
  }
}

function headerOf({ tokens }: SavedAccess): string | undefined {
  const token = tokens?.["access_token"];
  return typeof token === "string" && /^[\x21-\x7e]+$/.test(token) ? `Bearer ${token}` : undefined;
}

function hasRefreshToken({ tokens }: SavedAccess): boolean {
  return typeof tokens?.["refresh_token"] === "string";
}

interface Challenge {
  readonly metadataUrl: URL | undefined;
  readonly scope: string | undefined;
  readonly error: string | undefined;
}

/** Of a Bearer challenge (RFC 6750 3, RFC 9728 5.1); the parameters of others are of no interest. */
function parseChallenge(header = ""): Challenge {
  const bearer = /\bbearer\b(.*)/is.exec(header.slice(0, 4_096))?.[1] ?? "";
  const parameter = (name: string) => new RegExp(`\\b${name}="([^"]*)"`, "i").exec(bearer)?.[1];
  const metadata = parameter("resource_metadata");
  return {
    metadataUrl: metadata === undefined ? undefined : (URL.parse(metadata) ?? undefined),
    scope: parameter("scope"),
    error: parameter("error"),
  };
}

function unionOf(...scopes: (string | undefined)[]): string | undefined {
  const all = new Set(scopes.flatMap((scope) => scope?.split(" ").filter((one) => one !== "") ?? []));
  return all.size === 0 ? undefined : [...all].join(" ");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
