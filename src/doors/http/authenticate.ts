/** Who is calling, by bearer token, API key, name and password, or a token of somebody who is trusted, before any work is done for them. */
import type { SessionTable } from "../../clients/session.ts";
import { anonymousCaller, type Caller } from "../../core/caller.ts";
import { GatewayError } from "../../core/errors.ts";
import { type SharedLimits, takeShared } from "../../core/shared-limits.ts";
import type { Clock } from "../../lib/clock.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import { sha256 } from "../../runtime/digest.ts";
import type { AuthSettings } from "../schema.ts";
import type { TokenRules } from "../tokens/token-source.ts";
import type { TokenVerifier } from "../tokens/token-verifier.ts";
import { type FailedAttempts, tooMany } from "./failed-attempts.ts";
import { basicToken, createKeyTable, type KeyHolder, type KeyTable, publicCaller } from "./key-table.ts";
import type { Guest } from "./visit.ts";

/**
 * Paths that say nothing worth protecting: probes of an orchestrator, the page of the dashboard without its data, where
 * to log in, and the public keys of the gateway.
 */
const openPaths = ["/readiness", "/liveness", "/ui", "/.well-known/oauth-protected-resource", "/.well-known/jwks.json"];
const dashboardData = "/ui/api";

/** Callers whose use is remembered: issuers may have any number of them. */
const maxBuckets = 10_000;

/** What of a guest says who it is. */
export type Entrant = Pick<Guest, "address" | "certified">;

export interface AuthenticatorOptions {
  readonly clock: Pick<Clock, "now">;
  readonly failures: FailedAttempts;
  readonly sessions: Pick<SessionTable, "has">;
  /** Loads what verifies tokens that others sign. */
  loadVerifier(): Promise<TokenVerifier>;
  /** Who a token of the key server was issued to. @throws InsufficientTokenError */
  findIssued(digest: Uint8Array, rules: TokenRules): KeyHolder | undefined;
  /** Of all gateways; `undefined` while this one counts alone. */
  sharedLimits(): Promise<SharedLimits> | undefined;
}

/** Limits outlive a reload of the configuration; the table of keys is made once for each. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #tables = new WeakMap<AuthSettings, KeyTable>();
  /** By principal, whichever of its credentials is shown. */
  readonly #buckets = new Map<string, TokenBucket>();
  #verifier: TokenVerifier | undefined;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * A token says who calls, and without one the client certificate does. A token that is shown is always checked, also
   * where none is needed. A promise comes back for signed tokens that were not seen before, and for limits that are shared.
   * @param sessionId what the request belongs to, if it says
   * @throws GatewayError UNAUTHENTICATED, TOO_MANY_ATTEMPTS; DeniedError FORBIDDEN for a good token without rights
   */
  identify(
    headers: Headers,
    path: string,
    peer: Entrant,
    rules: TokenRules,
    sessionId: string | null = headers.get("mcp-session-id"),
  ): Caller | Promise<Caller> {
    const { auth } = rules;
    const { failures } = this.#options;
    if (!auth.enabled && peer.certified === undefined) return anonymousCaller;
    // Where only certificates say who calls, tokens mean nothing.
    const token = auth.enabled ? tokenOf(headers, auth) : undefined;
    if (token === undefined) {
      const { certified } = peer;
      if (certified !== undefined && certified !== "nobody") return certified;
      if (isPublic(path, auth.public_paths)) return publicCaller;
      if (!auth.enabled)
        throw new GatewayError("UNAUTHENTICATED", "The connection was opened without a client certificate");
      throw new GatewayError("UNAUTHENTICATED", missingToken(headers));
    }
    const digest = sha256(token);
    const holder = this.#tableOf(auth).find(digest) ?? this.#options.findIssued(digest, rules);
    if (holder !== undefined) return this.#admit(holder, peer, sessionId);
    if (!takesSignedTokens(rules) || !jwtPattern.test(token)) {
      const error = new GatewayError("UNAUTHENTICATED", "The bearer token or API key is not valid");
      throw failures.counted(error, peer.address, digest);
    }
    const known = this.#verifier?.known(digest, rules);
    if (known !== undefined) return this.#admit(known, peer, sessionId);
    // Nobody who guesses makes us check signatures.
    if (sessionId === null) failures.assertOpen(peer.address);
    return this.#verify(token, digest, peer.address, rules).then((verified) => this.#admit(verified, peer, sessionId));
  }

  #admit(holder: KeyHolder, { address }: Entrant, sessionId: string | null): Caller | Promise<Caller> {
    const { failures } = this.#options;
    if (!failures.isEmpty && !this.#isAtWork(sessionId, holder.caller)) failures.assertOpen(address);
    return holder.ratePerMinute > 0 ? this.#count(holder) : holder.caller;
  }

  async #verify(token: string, digest: Uint8Array, address: string, rules: TokenRules): Promise<KeyHolder> {
    const verifier = await this.#options.loadVerifier();
    this.#verifier = verifier;
    try {
      await verifier.verify(token, digest, rules);
    } catch (error) {
      throw this.#options.failures.counted(error, address, digest);
    }
    const holder = verifier.known(digest, rules);
    if (holder === undefined) throw new GatewayError("UNAUTHENTICATED", "The token is not valid");
    return holder;
  }

  /** Whether the caller was let in before: its token then is no guess that hit. */
  #isAtWork(sessionId: string | null, { principal }: Caller): boolean {
    return sessionId !== null && this.#options.sessions.has(sessionId, principal);
  }

  #tableOf(auth: AuthSettings): KeyTable {
    let table = this.#tables.get(auth);
    if (table === undefined) {
      table = createKeyTable(auth);
      this.#tables.set(auth, table);
    }
    return table;
  }

  #count({ caller, ratePerMinute }: KeyHolder): Caller | Promise<Caller> {
    let bucket = this.#buckets.get(caller.principal);
    if (bucket === undefined) {
      bucket = new TokenBucket(ratePerMinute / 60, ratePerMinute, this.#options.clock);
      this.#buckets.set(caller.principal, bucket);
      const oldest = this.#buckets.keys().next().value;
      if (this.#buckets.size > maxBuckets && oldest !== undefined) this.#buckets.delete(oldest);
    } else bucket.configure(ratePerMinute / 60, ratePerMinute);
    const counted = bucket;
    const admitted = (waitMs: number) => {
      if (waitMs === 0) return caller;
      throw tooMany(`Key "${caller.name}" has used up its ${ratePerMinute} requests per minute`, waitMs);
    };
    const sharing = this.#options.sharedLimits();
    if (sharing === undefined) return admitted(bucket.take() ? 0 : bucket.waitMs);
    return sharing.then((limits) => takeShared(counted, `key:${caller.principal}`, limits)).then(admitted);
  }
}

function takesSignedTokens({ auth, key_server, agent_auth }: TokenRules): boolean {
  if (auth.issuers.length > 0 || agent_auth?.enabled === true) return true;
  return key_server?.enabled === true && key_server.delegated_bearer;
}

const jwtPattern = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;

function tokenOf(headers: Headers, { users }: AuthSettings): string | undefined {
  const bearer = bearerTokenOf(headers);
  if (bearer !== undefined) return bearer;
  return headers.get("x-api-key") ?? (users.length > 0 ? basicTokenOf(headers.get("authorization")) : undefined);
}

/** What the headers show in place of a key, as far as it may be a token that somebody signed. */
export function signedTokenOf(headers: Headers): string | undefined {
  const token = bearerTokenOf(headers) ?? headers.get("x-api-key") ?? "";
  return jwtPattern.test(token) ? token : undefined;
}

export function bearerTokenOf(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  return authorization === null ? undefined : /^bearer +(\S+)$/i.exec(authorization)?.[1];
}

/** Name and password of RFC 7617. */
function basicTokenOf(authorization: string | null): string | undefined {
  const encoded = /^basic +([\w+/-]+=*)$/i.exec(authorization ?? "")?.[1];
  return encoded === undefined ? undefined : basicToken(Buffer.from(encoded, "base64").toString());
}

function missingToken(headers: Headers): string {
  return headers.has("authorization")
    ? "The Authorization header is not of the form: Authorization: Bearer <token>"
    : "Missing Authorization header. Use: Authorization: Bearer <token>";
}

/** By whole segments: `/health` opens `/health/x`, never `/healthy`. */
function isPublic(path: string, publicPaths: readonly string[]): boolean {
  const isBelow = (folder: string) => path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
  return path === "/" || (openPaths.some(isBelow) && !isBelow(dashboardData)) || publicPaths.some(isBelow);
}
