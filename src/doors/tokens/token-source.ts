/** One kind of tokens that is accepted: how it is recognised and checked, and what it may do. */
import type { Gateway } from "../../gateway/gateway.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { KeyHolder } from "../http/key-table.ts";
import type { IssuerPlace } from "./issuer-keys.ts";

/** What tokens are held against. */
export type TokenRules = Pick<Gateway["config"], "auth" | "server" | "key_server" | "agent_auth" | "control_plane">;

/** What of a token is kept once it is verified. */
export interface VerifiedToken {
  readonly claims: JsonObject;
  /** Of the issuer, or of a client that acts for itself (RFC 9068 2.2). */
  readonly subject: string;
  /** Calendar milliseconds. */
  readonly validUntil: number;
}

/** A secret, one public key in PEM form, or the keys an issuer publishes. */
export type TokenKey = { readonly secret: string } | { readonly publicKey: string } | IssuerPlace;

/** How tokens are checked, as plain data: a token is good for as long as this is the same. */
export interface TokenChecks {
  /** Of the issuer or the agent, for the log. */
  readonly name: string;
  /** `undefined` where a token need not name one. */
  readonly issuer: string | undefined;
  /** A token must be made for one of them (RFC 8707, RFC 9068 4). */
  readonly audiences: readonly string[];
  /** Whether a token made for nobody in particular will do. */
  readonly mayOmitAudience?: boolean;
  /** Never `none`; and never secrets where public keys are expected, which everybody knows (RFC 8725 3.1). */
  readonly algorithms: readonly string[];
  readonly key: TokenKey;
  /** By how much the clock of the issuer may differ from ours. */
  readonly toleranceSeconds: number;
  /** Greatest age by `iat`; `undefined` where the token's own end is all that counts. */
  readonly maxAgeSeconds?: number | undefined;
}

export interface TokenSource {
  readonly checks: TokenChecks;
  /** Whether a token says that it is of this source, which proves nothing yet. */
  isNamedBy(claims: JsonObject, algorithm: unknown): boolean;
  /** Worked out once for each token and configuration. @throws InsufficientTokenError */
  holderOf(token: VerifiedToken): KeyHolder;
}

export const publicKeyAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];

/** Of the gateway itself, as tokens may name it; none while it does not know its address. */
export function ownAudiences({ server: { public_url } }: Pick<TokenRules, "server">): string[] {
  if (public_url === undefined) return [];
  const base = public_url.replace(/\/+$/, "");
  return [base, `${base}/`, `${base}/mcp`];
}
