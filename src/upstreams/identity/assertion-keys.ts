/**
 * The gateway's own key for what it says of callers (ES256), kept on disk so that servers need not learn a new one after
 * each restart. A key is replaced when it is old, and stays published until the last assertion it signed has ended.
 */
import type { JSONWebKeySet, JWK, JWTPayload } from "jose";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { readText, writeAtomic } from "../../runtime/files.ts";

/** Seconds an assertion lasts at most. */
export const assertionSeconds = 300;
const replacedAfterMs = 30 * 86_400_000;
/** What a retired key may have signed last, and some difference of clocks. */
const publishedAfterMs = (assertionSeconds + 60) * 1_000;
const formatVersion = 1;
const maxFileBytes = 65_536;

export interface AssertionKeysOptions {
  /** File of the keys, made when there is none; `undefined` keeps them in memory. */
  readonly path: string | undefined;
  /** Calendar milliseconds. */
  readonly now: () => number;
  /** Called when the keys cannot be kept and then hold for this process alone. */
  onProblem(error: unknown): void;
}

interface StoredKey {
  /** The whole key while it signs, the public half afterwards; with its `kid`. */
  readonly jwk: JWK;
  readonly madeAt: number;
  readonly retiredAt?: number;
}

interface SigningKey {
  readonly jwk: JWK;
  readonly key: CryptoKey;
}

export class AssertionKeys {
  readonly #options: AssertionKeysOptions;
  /** The one that signs comes first. */
  #keys: readonly StoredKey[] = [];
  #isLoaded = false;
  #renewing: Promise<void> | undefined;
  #signing: SigningKey | undefined;

  constructor(options: AssertionKeysOptions) {
    this.#options = options;
  }

  /** A compact JWT of these claims, which say themselves when they end. */
  async sign(claims: JWTPayload): Promise<string> {
    const { SignJWT } = await import("jose");
    await this.#fresh();
    const { jwk, key } = this.#signing as SigningKey;
    return new SignJWT(claims).setProtectedHeader({ alg: "ES256", typ: "JWT", kid: jwk.kid as string }).sign(key);
  }

  /** What servers verify assertions with: public halves only. */
  async published(): Promise<JSONWebKeySet> {
    await this.#fresh();
    const now = this.#options.now();
    return { keys: this.#keys.filter((key) => isPublished(key, now)).map(({ jwk }) => publicHalf(jwk)) };
  }

  #fresh(): Promise<void> {
    const [current] = this.#keys;
    const isFresh = current !== undefined && this.#options.now() - current.madeAt < replacedAfterMs;
    if (isFresh && this.#signing?.jwk === current.jwk) return Promise.resolve();
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    const { importJWK } = await import("jose");
    if (!this.#isLoaded) {
      this.#keys = await this.#read();
      this.#isLoaded = true;
    }
    const now = this.#options.now();
    const [current, ...others] = this.#keys;
    if (current === undefined || now - current.madeAt >= replacedAfterMs) {
      const retired = current === undefined ? [] : [{ ...current, jwk: publicHalf(current.jwk), retiredAt: now }];
      this.#keys = [await newKey(now), ...[...retired, ...others].filter((key) => isPublished(key, now))];
      await this.#write();
    }
    const { jwk } = this.#keys[0] as StoredKey;
    this.#signing = { jwk, key: (await importJWK(jwk, "ES256")) as CryptoKey };
  }

  /** Nothing where there is no file, or none that is ours: what an earlier key signed has ended soon anyway. */
  async #read(): Promise<StoredKey[]> {
    const { path } = this.#options;
    if (path === undefined) return [];
    try {
      const file: unknown = JSON.parse(await readText(path, maxFileBytes));
      if (!isJsonObject(file) || file["version"] !== formatVersion || !Array.isArray(file["keys"])) return [];
      const keys = file["keys"].filter(isStoredKey);
      return typeof keys[0]?.jwk.d === "string" && keys[0].retiredAt === undefined ? keys : [];
    } catch {
      return [];
    }
  }

  async #write(): Promise<void> {
    const { path, onProblem } = this.#options;
    if (path === undefined) return;
    const text = JSON.stringify({ version: formatVersion, keys: this.#keys });
    await writeAtomic(path, text, { mode: 0o600 }).catch(onProblem);
  }
}

function isPublished({ retiredAt }: StoredKey, now: number): boolean {
  return retiredAt === undefined || now - retiredAt < publishedAfterMs;
}

async function newKey(madeAt: number): Promise<StoredKey> {
  const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await import("jose");
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { jwk: { ...jwk, kid: await calculateJwkThumbprint(jwk), use: "sig", alg: "ES256" }, madeAt };
}

function publicHalf({ d: _private, ...jwk }: JWK): JWK {
  return jwk;
}

function isStoredKey(value: unknown): value is JsonObject & StoredKey {
  if (!isJsonObject(value) || !isJsonObject(value["jwk"]) || typeof value["madeAt"] !== "number") return false;
  const { kty, crv, x, y, kid } = value["jwk"];
  return kty === "EC" && crv === "P-256" && [x, y, kid].every((part) => typeof part === "string");
}
