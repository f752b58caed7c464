/**
 * Tokens that others sign (RFC 9068 and plain JWT): signature, issuer, audience and times are checked once for each token
 * and remembered until it ends; what it may do is worked out anew after every reload. jose is loaded with the first token.
 */
import type { JWTPayload, JWTVerifyOptions } from "jose";
import { GatewayError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Clock } from "../../lib/clock.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { hexOf } from "../../runtime/digest.ts";
import { agentSources, type ToolOf } from "../agent-auth/agent-source.ts";
import type { KeyHolder } from "../http/key-table.ts";
import { identitySources } from "../key-server/identity-source.ts";
import { IssuerKeys, type IssuerPlace } from "./issuer-keys.ts";
import { issuerSource } from "./issuer-source.ts";
import type { TokenRules, TokenSource, VerifiedToken } from "./token-source.ts";

export interface TokenVerifierOptions {
  readonly clock: Pick<Clock, "now">;
  readonly log: Logger;
  /** Calendar milliseconds. */
  readonly calendar: () => number;
  readonly toolOf: ToolOf;
}

/** Tokens are verified again after this time, for keys that were withdrawn. */
const trustMs = 600_000;
const maxTokenLength = 8_192;
const maxRemembered = 10_000;
const minSecretBytes = 32;

interface Remembered {
  readonly token: VerifiedToken;
  /** {@link checksOf} of the source it was verified by. */
  readonly checks: string;
  /** Monotonic milliseconds. */
  readonly verifiedAtMs: number;
}

/** What is worked out once for each configuration. */
interface Prepared {
  readonly sources: readonly TokenSource[];
  /** By {@link checksOf}. */
  readonly byChecks: ReadonlyMap<string, TokenSource>;
  readonly holders: Map<string, KeyHolder>;
}

export class TokenVerifier {
  readonly #options: TokenVerifierOptions;
  readonly #remembered = new Map<string, Remembered>();
  readonly #keys = new Map<string, IssuerKeys>();
  readonly #prepared = new WeakMap<TokenRules, Prepared>();

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
  }

  /**
   * Who shows a token that was verified before; `undefined` when it has to be, again.
   * @throws GatewayError UNAUTHENTICATED when it has expired, InsufficientTokenError
   */
  known(digest: Uint8Array, rules: TokenRules): KeyHolder | undefined {
    const id = hexOf(digest);
    const known = this.#remembered.get(id);
    if (known === undefined) return undefined;
    if (this.#options.calendar() >= known.token.validUntil) throw expired();
    const { byChecks, holders } = this.#preparedFor(rules);
    const source = byChecks.get(known.checks);
    if (source === undefined || this.#options.clock.now() - known.verifiedAtMs >= trustMs) {
      this.#remembered.delete(id);
      holders.delete(id);
      return undefined;
    }
    let holder = holders.get(id);
    if (holder === undefined) {
      holder = source.holderOf(known.token);
      if (holders.size >= maxRemembered) holders.clear();
      holders.set(id, holder);
    }
    return holder;
  }

  /**
   * Verifies a token that is shown as a credential, after which {@link known} knows it.
   * @throws as {@link check}
   */
  async verify(token: string, digest: Uint8Array, rules: TokenRules): Promise<void> {
    const { source, ...verified } = await this.check(token, this.#preparedFor(rules).sources);
    const oldest = this.#remembered.keys().next().value;
    if (this.#remembered.size >= maxRemembered && oldest !== undefined) this.#remembered.delete(oldest);
    this.#remembered.set(hexOf(digest), {
      token: verified,
      checks: checksOf(source),
      verifiedAtMs: this.#options.clock.now(),
    });
  }

  /**
   * Holds a token against the source it names.
   * @throws GatewayError UNAUTHENTICATED, saying what is wrong; UPSTREAM_START_FAILED when the issuer's keys cannot be had
   */
  async check(token: string, sources: readonly TokenSource[]): Promise<VerifiedToken & { source: TokenSource }> {
    if (token.length > maxTokenLength) throw invalid(`The token is longer than ${maxTokenLength} characters`);
    const { header, claims } = unverified(token);
    const source = sources.find((candidate) => candidate.isNamedBy(claims, header["alg"]));
    if (source === undefined) throw invalid("The token is of no issuer or agent that is accepted here");
    const { issuer, audiences, mayOmitAudience, algorithms, toleranceSeconds, maxAgeSeconds } = source.checks;
    // Cheaper than a signature: clients show old tokens often.
    const { exp, aud } = claims;
    if (typeof exp !== "number") throw invalid('The token has no "exp", the time it ends');
    if (this.#options.calendar() >= (exp + toleranceSeconds) * 1_000) throw expired();

    const options: JWTVerifyOptions = {
      algorithms: [...algorithms],
      clockTolerance: toleranceSeconds,
      requiredClaims: ["exp"],
      currentDate: new Date(this.#options.calendar()),
      ...(issuer !== undefined && { issuer }),
      ...(!(mayOmitAudience && aud === undefined) && { audience: [...audiences] }),
      ...(maxAgeSeconds !== undefined && { maxTokenAge: maxAgeSeconds }),
    };
    const verified = await this.#payload(token, header, source, options);
    const subject = verified.sub ?? verified["client_id"];
    if (typeof subject !== "string" || subject === "") throw invalid('The token has neither "sub" nor "client_id"');
    const oldest = maxAgeSeconds === undefined ? exp : (verified.iat ?? 0) + maxAgeSeconds;
    const validUntil = (Math.min(exp, oldest) + toleranceSeconds) * 1_000;
    return { source, claims: verified as JsonObject, subject, validUntil };
  }

  async #payload(
    token: string,
    header: JsonObject,
    { checks: { name, key } }: TokenSource,
    options: JWTVerifyOptions,
  ): Promise<JWTPayload> {
    const jose = await import("jose");
    const { alg, kid } = header;
    if (typeof alg !== "string" || !options.algorithms?.includes(alg))
      throw invalid("The token is signed by an algorithm that is not accepted from its issuer");
    try {
      if ("secret" in key) {
        const secret = new TextEncoder().encode(key.secret);
        if (secret.byteLength < minSecretBytes)
          throw new TypeError(`the secret has fewer than ${minSecretBytes} bytes`);
        return (await jose.jwtVerify(token, secret, options)).payload;
      }
      if ("publicKey" in key)
        return (await jose.jwtVerify(token, await jose.importSPKI(key.publicKey, alg), options)).payload;
      const keys = await this.#keysOf(key).get(typeof kid === "string" ? kid : undefined);
      return (await jose.jwtVerify(token, jose.createLocalJWKSet(keys), options)).payload;
    } catch (error) {
      if (error instanceof jose.errors.JWTExpired) throw expired();
      if (error instanceof jose.errors.JWTClaimValidationFailed)
        throw invalid(`The token's "${error.claim}" is not one that is accepted here`);
      if (error instanceof jose.errors.JOSEError) throw invalid("The token's signature is not valid");
      const cause = error instanceof GatewayError ? error.cause : error;
      this.#options.log.warn("Tokens of an issuer cannot be checked", { issuer: name, reason: String(cause) });
      throw error instanceof GatewayError ? error : invalid("The token cannot be checked with the key of its issuer");
    }
  }

  #keysOf(key: IssuerPlace): IssuerKeys {
    const id = JSON.stringify(key);
    let keys = this.#keys.get(id);
    if (keys === undefined) {
      keys = new IssuerKeys(key, this.#options.clock);
      this.#keys.set(id, keys);
    }
    return keys;
  }

  #preparedFor(rules: TokenRules): Prepared {
    let prepared = this.#prepared.get(rules);
    if (prepared === undefined) {
      const sources = sourcesOf(rules, this.#options.toolOf);
      const byChecks = new Map(sources.map((source) => [checksOf(source), source]));
      prepared = { sources, byChecks, holders: new Map() };
      this.#prepared.set(rules, prepared);
    }
    return prepared;
  }
}

/** Of tokens that are credentials; the first that a token names decides. */
function sourcesOf(rules: TokenRules, toolOf: ToolOf): TokenSource[] {
  return [
    ...rules.auth.issuers.map((settings) => issuerSource(settings, rules)),
    ...(rules.key_server?.delegated_bearer === true ? identitySources(rules) : []),
    ...agentSources(rules, toolOf),
  ];
}

/** Everything that decides whether a token is good; what it may do is not in it. */
function checksOf({ checks }: TokenSource): string {
  return JSON.stringify(checks);
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
