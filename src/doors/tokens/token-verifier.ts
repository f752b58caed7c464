/**
 * Access tokens that others issue (RFC 9068 and plain JWT): signature, issuer, audience and times are checked once for
 * each token and remembered until it ends; what it may do is worked out anew after every reload. jose is loaded with
 * the first token.
 */
import type { JWTPayload, JWTVerifyOptions } from "jose";
import { GatewayError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { Clock } from "../../lib/clock.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { hexOf } from "../../runtime/digest.ts";
import type { KeyHolder } from "../http/key-table.ts";
import type { AuthSettings, IssuerSettings } from "../schema.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import { holderOf, type VerifiedToken } from "./rights-of-claims.ts";

export interface TokenVerifierOptions {
  readonly clock: Pick<Clock, "now">;
  readonly log: Logger;
  /** Calendar milliseconds. */
  readonly calendar: () => number;
}

/** What tokens are held against. */
export type TokenRules = Pick<Gateway["config"], "auth" | "server">;

/** By how much the clocks of issuers may differ from ours. */
const toleranceSeconds = 30;
/** Tokens are verified again after this time, for keys that were withdrawn. */
const trustMs = 600_000;
const maxTokenLength = 8_192;
const maxRemembered = 10_000;
const minSecretBytes = 32;

/** Never `none`; and never secrets where public keys are expected, which everybody knows (RFC 8725 3.1). */
const publicKeyAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const secretAlgorithms = ["HS256", "HS384", "HS512"];

interface Remembered extends VerifiedToken {
  readonly issuer: string;
  /** How the token was verified: {@link checksOf} of the settings then. */
  readonly checks: string;
  /** Monotonic milliseconds. */
  readonly verifiedAtMs: number;
}

export class TokenVerifier {
  readonly #options: TokenVerifierOptions;
  readonly #remembered = new Map<string, Remembered>();
  readonly #keys = new Map<string, IssuerKeys>();
  /** Rights are worked out once for each token and configuration. */
  #holders = new WeakMap<AuthSettings, Map<string, KeyHolder>>();

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
  }

  /**
   * Who shows a token that was verified before; `undefined` when it has to be, again.
   * @throws GatewayError UNAUTHENTICATED when it has expired, InsufficientTokenError
   */
  known(digest: Uint8Array, rules: TokenRules): KeyHolder | undefined {
    const id = hexOf(digest);
    const token = this.#remembered.get(id);
    if (token === undefined) return undefined;
    if (this.#options.calendar() >= token.validUntil) throw expired();
    let holders = this.#holders.get(rules.auth);
    if (holders === undefined) {
      holders = new Map();
      this.#holders.set(rules.auth, holders);
    }
    const settings = issuerOf(rules, token.issuer);
    const isTrusted =
      settings !== undefined &&
      token.checks === checksOf(settings, rules) &&
      this.#options.clock.now() - token.verifiedAtMs < trustMs;
    if (!isTrusted) {
      this.#remembered.delete(id);
      holders.delete(id);
      return undefined;
    }
    let holder = holders.get(id);
    if (holder === undefined) {
      holder = holderOf(token, settings);
      if (holders.size >= maxRemembered) holders.clear();
      holders.set(id, holder);
    }
    return holder;
  }

  /**
   * Verifies a token, after which {@link known} knows it.
   * @throws GatewayError UNAUTHENTICATED, saying what is wrong; UPSTREAM_START_FAILED when the issuer's keys cannot be had
   */
  async verify(token: string, digest: Uint8Array, rules: TokenRules): Promise<void> {
    if (token.length > maxTokenLength) throw invalid(`The token is longer than ${maxTokenLength} characters`);
    const { header, claims } = unverified(token);
    const settings = issuerOf(rules, claims["iss"]);
    if (settings === undefined) throw invalid("The token is of no issuer that is accepted here");
    // Cheaper than a signature: clients show old tokens often.
    const { exp } = claims;
    if (typeof exp !== "number") throw invalid('The token has no "exp", the time it ends');
    const validUntil = (exp + toleranceSeconds) * 1_000;
    if (this.#options.calendar() >= validUntil) throw expired();

    const options: JWTVerifyOptions = {
      issuer: settings.issuer,
      audience: audiencesOf(settings, rules),
      algorithms: settings.secret === undefined ? publicKeyAlgorithms : secretAlgorithms,
      clockTolerance: toleranceSeconds,
      requiredClaims: ["exp", "aud"],
      currentDate: new Date(this.#options.calendar()),
    };
    const verified = await this.#payload(token, header, settings, options);
    const subject = verified.sub ?? verified["client_id"];
    if (typeof subject !== "string" || subject === "") throw invalid('The token has neither "sub" nor "client_id"');
    const oldest = this.#remembered.keys().next().value;
    if (this.#remembered.size >= maxRemembered && oldest !== undefined) this.#remembered.delete(oldest);
    this.#remembered.set(hexOf(digest), {
      claims: verified as JsonObject,
      subject,
      validUntil,
      issuer: settings.issuer,
      checks: checksOf(settings, rules),
      verifiedAtMs: this.#options.clock.now(),
    });
  }

  async #payload(
    token: string,
    header: JsonObject,
    settings: IssuerSettings,
    options: JWTVerifyOptions,
  ): Promise<JWTPayload> {
    const jose = await import("jose");
    const { alg, kid } = header;
    if (typeof alg !== "string" || !options.algorithms?.includes(alg))
      throw invalid("The token is signed by an algorithm that is not accepted from its issuer");
    try {
      if (settings.secret !== undefined) {
        const secret = new TextEncoder().encode(settings.secret);
        if (secret.byteLength < minSecretBytes)
          throw new TypeError(`the secret has fewer than ${minSecretBytes} bytes`);
        return (await jose.jwtVerify(token, secret, options)).payload;
      }
      if (settings.public_key !== undefined)
        return (await jose.jwtVerify(token, await jose.importSPKI(settings.public_key, alg), options)).payload;
      const keys = await this.#keysOf(settings).get(typeof kid === "string" ? kid : undefined);
      return (await jose.jwtVerify(token, jose.createLocalJWKSet(keys), options)).payload;
    } catch (error) {
      if (error instanceof jose.errors.JWTExpired) throw expired();
      if (error instanceof jose.errors.JWTClaimValidationFailed)
        throw invalid(`The token's "${error.claim}" is not one that is accepted here`);
      if (error instanceof jose.errors.JOSEError) throw invalid("The token's signature is not valid");
      const cause = error instanceof GatewayError ? error.cause : error;
      this.#options.log.warn("Tokens of an issuer cannot be checked", {
        issuer: settings.issuer,
        reason: String(cause),
      });
      throw error instanceof GatewayError ? error : invalid("The token cannot be checked with the key of its issuer");
    }
  }

  #keysOf({ issuer, jwks_uri }: IssuerSettings): IssuerKeys {
    const id = JSON.stringify([issuer, jwks_uri]);
    let keys = this.#keys.get(id);
    if (keys === undefined) {
      keys = new IssuerKeys(issuer, jwks_uri, this.#options.clock);
      this.#keys.set(id, keys);
    }
    return keys;
  }
}

function issuerOf({ auth }: TokenRules, issuer: unknown): IssuerSettings | undefined {
  return auth.issuers.find((settings) => settings.issuer === issuer);
}

/** Tokens made for others are refused, whoever signed them (RFC 8707, RFC 9068 4). */
function audiencesOf({ audiences }: IssuerSettings, { server: { public_url } }: TokenRules): string[] {
  if (audiences.length > 0 || public_url === undefined) return [...audiences];
  const base = public_url.replace(/\/+$/, "");
  return [base, `${base}/`, `${base}/mcp`];
}

/** Everything that decides whether a token is good; what it may do is not in it. */
function checksOf(settings: IssuerSettings, rules: TokenRules): string {
  const { jwks_uri, public_key, secret } = settings;
  return JSON.stringify([jwks_uri, public_key, secret, audiencesOf(settings, rules)]);
}

/** What the token says of itself. @throws GatewayError UNAUTHENTICATED */
function unverified(token: string): { header: JsonObject; claims: JsonObject } {
  const [header, claims] = token.split(".", 2).map((part) => {
    try {
      return JSON.parse(Buffer.from(part, "base64url").toString()) as unknown;
    } catch {
      return undefined;
    }
  });
  if (!isJsonObject(header) || !isJsonObject(claims)) throw invalid("The token is not a well-formed JWT");
  return { header, claims };
}

function expired(): GatewayError {
  return new GatewayError("UNAUTHENTICATED", "The token has expired", { data: { expired: true } });
}

function invalid(message: string): GatewayError {
  return new GatewayError("UNAUTHENTICATED", message);
}
