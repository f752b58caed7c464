/**
 * Whether a delivery comes from who shares the secret. How a service signs is told from the name of its header; each way
 * is as the service describes it:
 *
 * | Header | Signed | Signature |
 * | --- | --- | --- |
 * | `X-Hub-Signature-256` and any other | the body | hex or base64, with or without `sha256=` (GitHub) |
 * | `Linear-Signature` | the body, with `webhookTimestamp` in it | hex |
 * | `X-Shopify-Hmac-Sha256` | the body | base64 |
 * | `Stripe-Signature` | `t.body` | `t=…,v1=hex`, several `v1` while a secret is renewed |
 * | `X-Slack-Signature` | `v0:X-Slack-Request-Timestamp:body` | `v0=hex` |
 * | `Webhook-Signature`, `Svix-Signature` | `Webhook-Id.Webhook-Timestamp.body` | `v1,base64`, several (Standard Webhooks) |
 * | `X-Gitlab-Token` | nothing | the secret itself |
 */
import { GatewayError } from "../../core/errors.ts";
import { equalDigests, hmacSha256, sha256 } from "../../runtime/digest.ts";

/** What all of these services recommend, in either direction; a signature that is older was recorded. */
export const toleranceMs = 300_000;

/** A header of the delivery by its name in lower case. */
export type HeaderOf = (name: string) => string | null;

interface SignedDelivery {
  /** In lower case. */
  readonly signatureHeader: string;
  readonly secret: string;
  readonly header: HeaderOf;
  /** As it came: written out again, it would have another signature. */
  readonly body: Uint8Array;
  /** Calendar time in milliseconds. */
  readonly nowMs: number;
}

interface Claim {
  readonly given: readonly Uint8Array[];
  readonly signed: readonly (string | Uint8Array)[];
  /** In seconds, as text. */
  readonly timestamp?: string;
}

interface Scheme {
  /** `undefined` when the header is not of this form, or another one is missing. */
  claim(value: string, delivery: SignedDelivery): Claim | undefined;
  expected(secret: string, signed: Claim["signed"]): Uint8Array;
}

const withSecret = (secret: string, signed: Claim["signed"]) => hmacSha256(secret, ...signed);

const ofBody: Scheme = {
  claim(value, { body }) {
    const given = digestOf(value.replace(/^sha256=/i, ""));
    return given && { given: [given], signed: [body] };
  },
  expected: withSecret,
};

const stripe: Scheme = {
  claim(value, { body }) {
    const parts = value.split(",").map((part) => part.trim());
    const timestamp = parts.find((part) => part.startsWith("t="))?.slice(2);
    const given = digestsOf(parts, "v1=");
    return timestamp === undefined ? undefined : { given, signed: [`${timestamp}.`, body], timestamp };
  },
  expected: withSecret,
};

const slack: Scheme = {
  claim(value, { body, header }) {
    const timestamp = header("x-slack-request-timestamp");
    if (timestamp === null) return undefined;
    return { given: digestsOf([value], "v0="), signed: [`v0:${timestamp}:`, body], timestamp };
  },
  expected: withSecret,
};

const standard: Scheme = {
  claim(value, { body, header, signatureHeader }) {
    const prefix = signatureHeader.slice(0, -"signature".length);
    const id = header(`${prefix}id`);
    const timestamp = header(`${prefix}timestamp`);
    if (id === null || timestamp === null) return undefined;
    return { given: digestsOf(value.split(" "), "v1,"), signed: [`${id}.${timestamp}.`, body], timestamp };
  },
  expected(secret, signed) {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    // Everybody has an empty key.
    if (key.byteLength === 0) throw unauthenticated("The secret of this webhook is not base64 as its service gives it");
    return hmacSha256(key, ...signed);
  },
};

const token: Scheme = {
  claim: (value) => ({ given: [sha256(value)], signed: [] }),
  expected: (secret) => sha256(secret),
};

const schemes: Readonly<Record<string, Scheme>> = {
  "stripe-signature": stripe,
  "x-slack-signature": slack,
  "webhook-signature": standard,
  "svix-signature": standard,
  "x-gitlab-token": token,
};

/**
 * Gives what tells this delivery from others of its service, where it is signed: the signature that was right.
 * @throws GatewayError UNAUTHENTICATED that says what is missing or wrong
 */
export function verifySignature(delivery: SignedDelivery): Uint8Array | undefined {
  const { signatureHeader, secret, header, nowMs } = delivery;
  const scheme = Object.hasOwn(schemes, signatureHeader) ? (schemes[signatureHeader] as Scheme) : ofBody;
  const value = header(signatureHeader);
  if (value === null) throw unauthenticated(`The delivery has no "${signatureHeader}" header`);
  const claim = scheme.claim(value, delivery);
  if (claim === undefined) throw unauthenticated(`The "${signatureHeader}" header is not of the form of its service`);
  const expected = scheme.expected(secret, claim.signed);
  if (!claim.given.some((given) => equalDigests(given, expected)))
    throw unauthenticated("The signature is not that of this delivery and this secret");
  if (claim.timestamp !== undefined)
    assertRecent(/^\d{1,12}$/.test(claim.timestamp) ? Number(claim.timestamp) * 1_000 : Number.NaN, nowMs);
  return scheme === token ? undefined : expected;
}

/** @throws GatewayError UNAUTHENTICATED */
export function assertRecent(sentMs: number, nowMs: number): void {
  if (!(Math.abs(nowMs - sentMs) <= toleranceMs))
    throw unauthenticated(`The delivery was not signed within ${toleranceMs / 60_000} minutes of the gateway's time`);
}

function digestsOf(parts: readonly string[], prefix: string): Uint8Array[] {
  const found = parts.filter((part) => part.startsWith(prefix)).map((part) => digestOf(part.slice(prefix.length)));
  return found.filter((digest) => digest !== undefined);
}

/** Of a SHA-256 in hex or base64. */
function digestOf(text: string): Uint8Array | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  return /^[A-Za-z0-9+/]{43}=$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

function unauthenticated(message: string): GatewayError {
  return new GatewayError("UNAUTHENTICATED", message);
}
