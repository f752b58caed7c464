/**
 * Access tokens for `key: oauth:NAME`, renewed before they end and when an API no longer takes one. One renewal at a
 * time per login, because many endpoints take a refresh token only once; the new one is kept before it is used.
 */
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { fetchFrom } from "../runtime/pinned-fetch.ts";
import type { Environment } from "../runtime/process.ts";
import type { AuthSettings } from "./definition-schema.ts";
import { keySource } from "./key-source.ts";
import { type Login, loginHint, readLogin, saveLogin } from "./oauth-login.ts";
import { Refusal } from "./refusal.ts";
import { readSecret } from "./secrets.ts";
import type { CheckTarget } from "./ssrf.ts";

/** A token is renewed so long before its end, so that it does not end on its way. */
const marginMs = 60_000;
const renewTimeoutMs = 30_000;
const maxAnswerCharacters = 65_536;

interface Token {
  readonly value: string;
  /** Calendar time in milliseconds. */
  readonly expiresAtMs: number;
}

export interface TokenContext {
  readonly env: Environment;
  readonly stateDirectory: string;
  readonly checkTarget: CheckTarget;
  readonly signal: AbortSignal;
}

export class OAuthTokens {
  readonly #tokens = new Map<string, Token>();
  readonly #rejected = new Set<string>();
  readonly #renewing = new Map<string, Promise<Token>>();

  /** @throws Refusal saying how to log in */
  async get(provider: string, auth: AuthSettings, context: TokenContext): Promise<string> {
    const key = JSON.stringify([provider, auth.token_endpoint ?? "", auth.scopes]);
    const known = this.#tokens.get(key);
    if (known !== undefined && known.expiresAtMs - marginMs > Date.now() && !this.#rejected.has(known.value))
      return known.value;
    let renewal = this.#renewing.get(key);
    if (renewal === undefined) {
      // Others wait for it too, so it does not end with the call it began for.
      const shared = { ...context, signal: AbortSignal.timeout(renewTimeoutMs) };
      renewal = this.#renew(provider, auth, shared).finally(() => this.#renewing.delete(key));
      this.#renewing.set(key, renewal);
    }
    const token = await renewal;
    this.#tokens.set(key, token);
    return token.value;
  }

  /** The API did not take it, whatever its end was said to be. */
  reject(token: string): void {
    // Refused tokens never come back, and there must not be more of them than logins.
    if (this.#rejected.size > 100) this.#rejected.clear();
    this.#rejected.add(token);
  }

  async #renew(provider: string, auth: AuthSettings, context: TokenContext): Promise<Token> {
    const { stateDirectory, env } = context;
    const login = await readLogin(stateDirectory, provider, env);
    const { accessToken, expiresAtMs } = login;
    // Another process may have renewed it meanwhile.
    const isFresh = expiresAtMs === undefined || expiresAtMs - marginMs > Date.now();
    if (accessToken !== undefined && isFresh && !this.#rejected.has(accessToken))
      return { value: accessToken, expiresAtMs: expiresAtMs ?? Number.POSITIVE_INFINITY };
    const answer = await this.#ask(provider, auth, login, context);
    const value = answer["access_token"];
    if (typeof value !== "string") throw failed(provider, "its answer has no access_token");
    const lifeMs = typeof answer["expires_in"] === "number" ? answer["expires_in"] * 1_000 : 3_600_000;
    const token = { value, expiresAtMs: Date.now() + lifeMs };
    const { refresh_token } = answer;
    await saveLogin(stateDirectory, provider, {
      access_token: value,
      expires_at: Math.floor(token.expiresAtMs / 1_000),
      ...(typeof refresh_token === "string" && { refresh_token }),
    });
    return token;
  }

  async #ask(provider: string, auth: AuthSettings, login: Login, context: TokenContext): Promise<JsonObject> {
    const hint = loginHint(context.stateDirectory, provider);
    const endpoint = auth.token_endpoint ?? login.tokenEndpoint;
    const clientId = (await configured(auth.client_id, context)) ?? login.clientId;
    const clientSecret = (await configured(auth.client_secret, context)) ?? login.clientSecret;
    const { refreshToken } = login;
    if (refreshToken === undefined && (clientId === undefined || clientSecret === undefined))
      throw new Refusal(`There is no login for "${provider}"`, auth.description || hint, { outcome: "unsent" });
    if (endpoint === undefined || !URL.canParse(endpoint))
      throw new Refusal(
        `The login for "${provider}" has no token endpoint`,
        "Set auth.token_endpoint of the capability, or token_endpoint in the login file",
        { outcome: "unsent" },
      );
    const form = new URLSearchParams(
      refreshToken === undefined
        ? { grant_type: "client_credentials" }
        : { grant_type: "refresh_token", refresh_token: refreshToken },
    );
    if (clientId !== undefined) form.set("client_id", clientId);
    if (clientSecret !== undefined) form.set("client_secret", clientSecret);
    if (refreshToken === undefined && auth.scopes.length > 0) form.set("scope", auth.scopes.join(" "));
    const url = new URL(endpoint);
    const [address] = (await context.checkTarget(url)) ?? [];
    const { status, body } = await post(provider, url, address, form, context.signal);
    if (status === 200) return body;
    const code = typeof body["error"] === "string" ? body["error"] : "";
    if (code === "invalid_grant")
      throw new Refusal(`The login for "${provider}" has ended or was withdrawn`, `Log in again: ${hint}`, {
        outcome: "unsent",
      });
    throw failed(provider, `it answered HTTP ${status}${/^[\w.-]{1,60}$/.test(code) ? ` (${code})` : ""}`);
  }
}

async function post(
  provider: string,
  url: URL,
  address: string | undefined,
  form: URLSearchParams,
  signal: AbortSignal,
) {
  const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
  let response: Response;
  try {
    const init = { method: "POST", headers, body: form.toString(), redirect: "manual", signal } as const;
    response = await fetchFrom(url, address, init);
  } catch {
    throw failed(provider, signal.aborted ? `no answer within ${renewTimeoutMs / 1_000} s` : "it cannot be reached");
  }
  try {
    const body: unknown = JSON.parse((await response.text()).slice(0, maxAnswerCharacters));
    return { status: response.status, body: isJsonObject(body) ? body : {} };
  } catch {
    // What it said may hold a token, so it is not shown.
    return { status: response.status, body: {} };
  }
}

async function configured(key: string | undefined, { env, signal }: TokenContext): Promise<string | undefined> {
  const source = key === undefined ? undefined : keySource(key);
  return source === undefined || source.from === "oauth" ? undefined : (await readSecret(source, env, signal)).secret;
}

function failed(provider: string, what: string): Refusal {
  return new Refusal(`No access token for "${provider}" from its token endpoint: ${what}`, undefined, {
    outcome: "unsent",
  });
}
