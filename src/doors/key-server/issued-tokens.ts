/**
 * The gateway tokens that are out, as digests, in memory alone: one that was taken back cannot come back from a disk, and
 * all that a restart costs is one more exchange. Sessions do not suffer by it: they are bound to the identity, not to the
 * token, and go on with the next.
 */
import type { Clock } from "../../lib/clock.ts";
import { randomToken } from "../../runtime/random.ts";
import type { KeyHolder } from "../http/key-table.ts";
import { withRole } from "../roles/role-of-identity.ts";
import type { TokenRules } from "../tokens/token-source.ts";
import { type GrantedScope, holderOfIdentity, type Identity } from "./identity.ts";

/** Of each of the three things that are remembered here. */
const maxRemembered = 10_000;

export interface IssuedToken {
  /** Its name where it is taken back; no secret. */
  readonly jti: string;
  readonly identity: Identity;
  readonly granted: GrantedScope;
  /** Monotonic milliseconds. */
  readonly endsAtMs: number;
  /** The same end, in calendar milliseconds. */
  readonly validUntil: number;
}

interface Entry extends IssuedToken {
  /** Worked out once for each configuration. */
  held?: { readonly rules: TokenRules; readonly holder: KeyHolder };
}

export interface Order {
  /** Digest of the new token, in hex. */
  readonly id: string;
  readonly identity: Identity;
  readonly granted: GrantedScope;
  readonly lifeMs: number;
  /** Tokens the identity may hold at once. */
  readonly most: number;
  /** What it is given for: its digest, in hex, and how long it could be shown again. */
  readonly idToken: { readonly id: string; readonly remainingMs: number };
}

export class IssuedTokens {
  readonly #clock: Clock;
  readonly #calendar: () => number;
  readonly #sweepMs: () => number;
  readonly #tokens = new Map<string, Entry>();
  /** ID tokens that were exchanged, and until when they could be shown again. */
  readonly #used = new Map<string, number>();
  /** By subject: ID tokens up to this calendar second are refused, until all of them are too old anyway. */
  readonly #refused = new Map<string, { readonly upToSeconds: number; readonly endsAtMs: number }>();
  #cancelSweep: (() => void) | undefined;

  /** @param sweepMs time between two looks for what has expired, asked anew each time */
  constructor(clock: Clock, calendar: () => number, sweepMs: () => number) {
    this.#clock = clock;
    this.#calendar = calendar;
    this.#sweepMs = sweepMs;
  }

  /** Whether the ID token of this digest was exchanged before, or is from before its subject's tokens were taken back. */
  isSpent(id: string, subject: string, issuedAtSeconds: number): boolean {
    const refused = this.#refused.get(subject);
    return this.#used.has(id) || (refused !== undefined && issuedAtSeconds <= refused.upToSeconds);
  }

  /** A number is the milliseconds until there is room for another one, of the identity or at all. */
  issue({ id, identity, granted, lifeMs, most, idToken }: Order): IssuedToken | number {
    this.#forgetExpired();
    const now = this.#clock.now();
    const all = [...this.#tokens.values()];
    const own = all.filter((token) => isOf(token, identity));
    const isFull = all.length >= maxRemembered || this.#used.size >= maxRemembered;
    if (isFull || own.length >= most) {
      const ends = (isFull ? all : own).map(({ endsAtMs }) => endsAtMs);
      return Math.min(...ends, now + lifeMs) - now;
    }
    const jti = randomToken(16);
    const token = { jti, identity, granted, endsAtMs: now + lifeMs, validUntil: this.#calendar() + lifeMs };
    this.#tokens.set(id, token);
    this.#used.set(idToken.id, now + idToken.remainingMs);
    this.#sweepLater();
    return token;
  }

  /** @throws InsufficientTokenError when no policy gives its identity anything any more */
  find(id: string, rules: TokenRules): KeyHolder | undefined {
    const token = this.#tokens.get(id);
    const settings = rules.key_server;
    if (token === undefined || settings?.enabled !== true || token.endsAtMs <= this.#clock.now()) return undefined;
    if (token.held?.rules !== rules) {
      const { identity, granted, validUntil } = token;
      const holder = holderOfIdentity(identity, settings, granted, validUntil);
      // Whoever asked for it may have asked for less than all, and nothing is less for an admin.
      token.held = { rules, holder: withRole(holder, identity, rules.control_plane, "operator") };
    }
    return token.held.holder;
  }

  /** Takes tokens back; returns them. */
  revoke(isMeant: (token: IssuedToken) => boolean): IssuedToken[] {
    this.#forgetExpired();
    const gone = [...this.#tokens].filter(([, token]) => isMeant(token));
    for (const [id] of gone) this.#tokens.delete(id);
    return gone.map(([, token]) => token);
  }

  /** Takes no ID token of the subject any more that is out already. @param forMs after which all those are too old */
  refuseEarlier(subject: string, forMs: number): void {
    this.#refused.delete(subject);
    const upToSeconds = Math.floor(this.#calendar() / 1_000);
    this.#refused.set(subject, { upToSeconds, endsAtMs: this.#clock.now() + forMs });
    const oldest = this.#refused.keys().next().value;
    if (this.#refused.size > maxRemembered && oldest !== undefined) this.#refused.delete(oldest);
    this.#sweepLater();
  }

  has(identity: Identity): boolean {
    return [...this.#tokens.values()].some((token) => isOf(token, identity));
  }

  end(): void {
    this.#cancelSweep?.();
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#clock.after(this.#sweepMs(), () => {
      this.#cancelSweep = undefined;
      this.#forgetExpired();
      if (this.#tokens.size + this.#used.size + this.#refused.size > 0) this.#sweepLater();
    });
  }

  #forgetExpired(): void {
    const now = this.#clock.now();
    for (const [id, { endsAtMs }] of this.#tokens) if (endsAtMs <= now) this.#tokens.delete(id);
    for (const [id, endsAtMs] of this.#used) if (endsAtMs <= now) this.#used.delete(id);
    for (const [subject, { endsAtMs }] of this.#refused) if (endsAtMs <= now) this.#refused.delete(subject);
  }
}

function isOf({ identity }: IssuedToken, { issuer, subject }: Identity): boolean {
  return identity.issuer === issuer && identity.subject === subject;
}
