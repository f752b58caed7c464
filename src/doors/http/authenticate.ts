/** Who is calling, by bearer token or API key, before any work is done for them. */
import type { SessionTable } from "../../clients/session.ts";
import { anonymousCaller, type Caller } from "../../core/caller.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import { sha256 } from "../../runtime/digest.ts";
import type { Peer } from "../../runtime/serve.ts";
import type { AuthSettings } from "../schema.ts";
import { FailedAttempts } from "./failed-attempts.ts";
import { createKeyTable, type KeyHolder, type KeyTable, publicCaller } from "./key-table.ts";

/** Paths that say nothing worth protecting: probes of an orchestrator, and the page of the dashboard without its data. */
const openPaths = ["/readiness", "/liveness", "/ui"];

/** Limits outlive a reload of the configuration; the table of keys is made once for each. */
export class Authenticator {
  readonly #clock: Pick<Clock, "now">;
  readonly #failures: FailedAttempts;
  readonly #sessions: Pick<SessionTable, "has">;
  readonly #tables = new WeakMap<AuthSettings, KeyTable>();
  readonly #buckets = new Map<string, { readonly ratePerMinute: number; readonly bucket: TokenBucket }>();

  constructor(clock: Pick<Clock, "now">, sessions: Pick<SessionTable, "has">) {
    this.#clock = clock;
    this.#sessions = sessions;
    this.#failures = new FailedAttempts(clock);
  }

  /**
   * A token that is shown is always checked, also where none is needed.
   * @param sessionId what the request belongs to, if it says
   * @throws GatewayError UNAUTHENTICATED, TOO_MANY_ATTEMPTS
   */
  identify(
    headers: Headers,
    path: string,
    peer: Pick<Peer, "address">,
    auth: AuthSettings,
    sessionId: string | null = headers.get("mcp-session-id"),
  ): Caller {
    if (!auth.enabled) return anonymousCaller;
    const token = tokenOf(headers);
    if (token === undefined) {
      if (isPublic(path, auth.public_paths)) return publicCaller;
      throw new GatewayError("UNAUTHENTICATED", missingToken(headers));
    }
    const digest = sha256(token);
    const holder = this.#tableOf(auth).find(digest);
    if (holder === undefined) throw this.#failed(peer.address, digest);
    const lockedMs = this.#failures.isEmpty ? 0 : this.#failures.lockedMs(peer.address);
    if (lockedMs > 0 && !this.#isAtWork(sessionId, holder.caller))
      throw tooMany(`Too many wrong tokens came from ${peer.address}`, lockedMs);
    if (holder.ratePerMinute > 0) this.#count(holder);
    return holder.caller;
  }

  /** Whether the caller was let in before: its token then is no guess that hit. */
  #isAtWork(sessionId: string | null, { principal }: Caller): boolean {
    return sessionId !== null && this.#sessions.has(sessionId, principal);
  }

  #tableOf(auth: AuthSettings): KeyTable {
    let table = this.#tables.get(auth);
    if (table === undefined) {
      table = createKeyTable(auth);
      this.#tables.set(auth, table);
    }
    return table;
  }

  #failed(address: string, digest: Uint8Array): GatewayError {
    const waitMs = this.#failures.add(address, digest);
    return waitMs > 0
      ? tooMany(`Too many failed authentications came from ${address}`, waitMs)
      : new GatewayError("UNAUTHENTICATED", "The bearer token or API key is not valid");
  }

  #count({ caller, ratePerMinute }: KeyHolder): void {
    let limit = this.#buckets.get(caller.principal);
    if (limit?.ratePerMinute !== ratePerMinute) {
      limit = { ratePerMinute, bucket: new TokenBucket(ratePerMinute / 60, ratePerMinute, this.#clock) };
      this.#buckets.set(caller.principal, limit);
    }
    if (!limit.bucket.take())
      throw tooMany(`Key "${caller.name}" has used up its ${ratePerMinute} requests per minute`, limit.bucket.waitMs);
  }
}

function tokenOf(headers: Headers): string | undefined {
  const authorization = headers.get("authorization");
  const bearer = authorization === null ? undefined : /^bearer +(\S+)$/i.exec(authorization)?.[1];
  return bearer ?? headers.get("x-api-key") ?? undefined;
}

function missingToken(headers: Headers): string {
  return headers.has("authorization")
    ? "The Authorization header is not of the form: Authorization: Bearer <token>"
    : "Missing Authorization header. Use: Authorization: Bearer <token>";
}

/** By whole segments: `/health` opens `/health/x`, never `/healthy`. */
function isPublic(path: string, publicPaths: readonly string[]): boolean {
  const opens = (open: string) => path === open || path.startsWith(open.endsWith("/") ? open : `${open}/`);
  return path === "/" || openPaths.some(opens) || publicPaths.some(opens);
}

function tooMany(message: string, waitMs: number): GatewayError {
  return new GatewayError("TOO_MANY_ATTEMPTS", message, { data: { retry_after_ms: waitMs } });
}
