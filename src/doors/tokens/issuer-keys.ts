/**
 * The public keys of one issuer: fetched when first needed, kept, and fetched again for a key id they do not have, but
 * not more often than every {@link minIntervalMs}: key ids come from anybody. What the configuration names is trusted
 * like the address of a backend; what the issuer's metadata names may lead only where the issuer is itself, or from a
 * public issuer to public addresses over TLS (T11). Redirects are not followed.
 */
import type { JSONWebKeySet } from "jose";
import { GatewayError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { isAddress, isPublicAddress, resolveAddresses } from "../../runtime/internet-address.ts";

const minIntervalMs = 30_000;
/** Age at which keys are fetched anew although they are known: an issuer withdraws them by leaving them out. */
export const maxAgeMs = 600_000;
/** The same while there are none at all. */
const retryMs = 5_000;
const timeoutMs = 5_000;
const maxBytes = 262_144;

export interface IssuerPlace {
  readonly issuer: string;
  readonly jwksUri: string | undefined;
  readonly discoveryUrl: string | undefined;
}

export class IssuerKeys {
  readonly #issuer: string;
  readonly #discoveryUrl: string | undefined;
  readonly #clock: Pick<Clock, "now">;
  #address: string | undefined;
  #keys: JSONWebKeySet | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #keptAtMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  #problem: unknown;

  /** Where the keys are; without `jwksUri` the issuer's metadata says so, at `discoveryUrl` or where it belongs. */
  constructor({ issuer, jwksUri, discoveryUrl }: IssuerPlace, clock: Pick<Clock, "now">) {
    this.#issuer = issuer;
    this.#address = jwksUri;
    this.#discoveryUrl = discoveryUrl;
    this.#clock = clock;
  }

  /**
   * Keys that have this id, if it may be had; any keys where a token names none.
   * @throws GatewayError UPSTREAM_START_FAILED when there are no keys and none can be fetched
   */
  async get(keyId: string | undefined): Promise<JSONWebKeySet> {
    const nowMs = this.#clock.now();
    const isOld = nowMs - this.#keptAtMs > maxAgeMs;
    const knows = this.#keys?.keys.some(({ kid }) => keyId === undefined || kid === keyId) === true;
    if (this.#fetching !== undefined) await this.#fetching;
    else if ((isOld || !knows) && nowMs - this.#askedAtMs >= (this.#keys ? minIntervalMs : retryMs)) {
      this.#askedAtMs = nowMs;
      this.#fetching = this.#refresh();
      await this.#fetching;
    }
    if (this.#keys !== undefined) return this.#keys;
    // The reason is for the log: it may name addresses that callers have no business with.
    throw new GatewayError("UPSTREAM_START_FAILED", `The keys of the issuer "${this.#issuer}" cannot be had`, {
      cause: this.#problem,
    });
  }

  /** Never rejects: old keys are better than none. */
  async #refresh(): Promise<void> {
    try {
      this.#address ??= await discover(this.#issuer, this.#discoveryUrl);
      const found = await fetchJson(this.#address);
      const { keys } = found;
      if (!Array.isArray(keys) || !keys.every(isJsonObject))
        throw new TypeError(`"${this.#address}" answers with no key set`);
      this.#keys = { keys } as unknown as JSONWebKeySet;
      this.#keptAtMs = this.#clock.now();
      this.#problem = undefined;
    } catch (error) {
      this.#problem = error;
    } finally {
      this.#fetching = undefined;
    }
  }
}

/** OpenID Connect Discovery 4, then RFC 8414 3.1. */
async function discover(issuer: string, discoveryUrl: string | undefined): Promise<string> {
  const places = discoveryUrl === undefined ? usualPlaces(issuer) : [discoveryUrl];
  let problem: unknown;
  for (const place of places) {
    try {
      const metadata = await fetchJson(place);
      // Whoever may write one document at that host would be the issuer otherwise.
      if (metadata["issuer"] !== issuer) throw new TypeError(`"${place}" is the metadata of another issuer`);
      const address = metadata["jwks_uri"];
      if (typeof address !== "string") throw new TypeError(`"${place}" names no "jwks_uri"`);
      await assertMayLead(new URL(place), new URL(address));
      return address;
    } catch (error) {
      problem ??= error;
    }
  }
  throw problem;
}

function usualPlaces(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

async function assertMayLead(from: URL, to: URL): Promise<void> {
  if (from.origin === to.origin) return;
  if (to.protocol === "https:" && (await leadsToPublic(to))) return;
  if (["http:", "https:"].includes(to.protocol) && !(await leadsToPublic(from)) && from.protocol === to.protocol)
    return;
  throw new TypeError(`The issuer names "${to.origin}", which is no public address over TLS`);
}

async function leadsToPublic({ hostname }: URL): Promise<boolean> {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = isAddress(host) ? [host] : await resolveAddresses(host).catch(() => []);
  return addresses.length > 0 && addresses.every(isPublicAddress);
}

/** @throws TypeError, or what `fetch` throws */
async function fetchJson(address: string): Promise<JsonObject> {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(address, { redirect: "manual", signal, headers: { accept: "application/json" } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new TypeError(`"${address}" answers with HTTP ${response.status}`);
  }
  const value: unknown = JSON.parse(await limitedText(response, address));
  if (!isJsonObject(value)) throw new TypeError(`"${address}" answers with no JSON object`);
  return value;
}

async function limitedText(response: Response, address: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let total = 0;
  for await (const chunk of response.body ?? []) {
    total += chunk.byteLength;
    if (total > maxBytes) throw new TypeError(`"${address}" answers with more than ${maxBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
