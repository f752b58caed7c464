/**
 * Takes deliveries of services: limited, checked against the secret, told to clients once, counted. What is remembered of
 * webhooks and senders outlives reloads. Loaded with the first capability that has a webhook.
 */
import { GatewayError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Clock } from "../../lib/clock.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import { hexOf } from "../../runtime/digest.ts";
import type { Environment } from "../../runtime/process.ts";
import { type FoundSecret, readSecret } from "../secrets.ts";
import { cutData, deliveryId, eventData, eventType } from "./event.ts";
import { readPayload } from "./payload.ts";
import type { WebhooksSettings } from "./schema.ts";
import type { SeenDeliveries } from "./seen-deliveries.ts";
import { assertRecent, type HeaderOf, toleranceMs, verifySignature } from "./signatures.ts";
import type { Webhook } from "./webhook.ts";

const maxBodyBytes = 1_048_576;
/** Longer than services try again in earnest. */
const rememberedMs = 86_400_000;
/** For what has no id: a later one like it may be meant. A signature with a time in it is not good for longer. */
const rememberedWithoutIdMs = 2 * toleranceMs;
/** Webhooks and addresses whose deliveries are limited; the one that has been quiet for the longest is forgotten first. */
const maxBuckets = 10_000;
const secretTimeoutMs = 10_000;

/** One request to a webhook. */
export interface Delivery {
  readonly requestId: string;
  /** Of the other end, as the socket has it. */
  readonly address: string;
  readonly header: HeaderOf;
  /** @throws GatewayError BODY_TOO_LARGE */
  readBody(maxBytes: number): Promise<Uint8Array>;
}

export interface Receipt {
  /** Whether any session was told. */
  readonly notified: boolean;
  readonly sessions: number;
  /** What Slack wants to be answered when an address is entered there. */
  readonly challenge?: string | undefined;
}

interface WebhookCounts {
  /** Deliveries that came, whatever became of them. */
  received: number;
  /** Of which sessions were told. */
  delivered: number;
  /** That had come before. */
  repeated: number;
  signature_failures: number;
  /** Whose `transform.event_type` names what they do not have; they are told all the same. */
  transform_failures: number;
  /** ISO 8601. */
  last_received_at: string | null;
}

export interface Endpoint {
  readonly webhook: Webhook;
  readonly counts: Readonly<WebhookCounts>;
}

export interface ReceiverOptions {
  readonly settings: () => WebhooksSettings;
  readonly seen: SeenDeliveries;
  readonly log: Logger;
  readonly clock: Clock;
  /** Calendar time in milliseconds. */
  readonly calendar: () => number;
  learnSecret(value: string): void;
  /** The params as they may be shown; `undefined` where a rule keeps them back. */
  inspect(webhook: Webhook, params: JsonObject, requestId: string): Promise<JsonObject | undefined>;
  /** Tells everybody who may know; how many that were. */
  tell(webhook: Webhook, params: JsonObject): number;
}

interface OpenEndpoint extends Endpoint {
  readonly counts: WebhookCounts;
  /** What was said last of why nothing is taken here. */
  objection: string | undefined;
  secret: string | undefined;
}

export class WebhookReceiver {
  readonly #options: ReceiverOptions;
  readonly #buckets = new Map<string, TokenBucket>();
  #ratePerMinute = 0;
  #endpoints: ReadonlyMap<string, OpenEndpoint> = new Map();
  #env: Environment = {};

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  get endpoints(): readonly Endpoint[] {
    return [...this.#endpoints.values()];
  }

  find(path: string): Endpoint | undefined {
    return this.#endpoints.get(path);
  }

  /** From now on these, with the environment their secrets are in; those that were there keep their counts. */
  configure(webhooks: readonly Webhook[], env: Environment): void {
    const before = new Map(Array.from(this.#endpoints.values(), (endpoint) => [nameOf(endpoint.webhook), endpoint]));
    this.#env = env;
    this.#endpoints = new Map(
      webhooks.map((webhook) => {
        const { counts, objection, secret } = before.get(nameOf(webhook)) ?? newState();
        return [webhook.path, { webhook, counts, objection, secret }];
      }),
    );
    // What can be said without asking a file or a keychain is said now, and not with the first delivery.
    for (const endpoint of this.#endpoints.values())
      if ((endpoint.webhook.secret?.from ?? "environment") === "environment")
        void this.#secretOf(endpoint).catch(() => {});
  }

  /**
   * @param path of a webhook that {@link find} finds
   * @throws GatewayError RATE_LIMITED, UNAUTHENTICATED, BODY_TOO_LARGE, PARSE_ERROR
   */
  async receive(path: string, delivery: Delivery): Promise<Receipt> {
    const endpoint = this.#endpoints.get(path);
    if (endpoint === undefined) throw new GatewayError("RESOURCE_NOT_FOUND", "There is no webhook at this path");
    const { webhook, counts } = endpoint;
    const { header } = delivery;
    this.#limit(webhook, delivery.address);
    counts.received++;
    counts.last_received_at = new Date(this.#options.calendar()).toISOString();
    const secret = await this.#secretOf(endpoint);
    const body = await delivery.readBody(maxBodyBytes);
    const signature = secret === undefined ? undefined : this.#verify(endpoint, secret, header, body);
    const payload = readPayload(header("content-type"), body);
    this.#assertRecent(endpoint, payload);
    const challenge = challengeIn(webhook, payload);
    if (challenge !== undefined) return { ...nobody, challenge };

    const id = deliveryId(header, payload);
    const marks = marksOf(webhook, id, signature);
    if (this.#options.seen.has(marks)) {
      counts.repeated++;
      return nobody;
    }
    this.#options.seen.add(marks, id === undefined ? rememberedWithoutIdMs : rememberedMs);
    try {
      return await this.#announce(endpoint, payload, id, delivery);
    } catch (error) {
      // The service is told that it failed, and will send it again.
      this.#options.seen.remove(marks);
      throw error;
    }
  }

  async #announce(
    { webhook, counts }: OpenEndpoint,
    payload: Json,
    id: string | undefined,
    { header, requestId }: Delivery,
  ): Promise<Receipt> {
    const { type, isWhole } = eventType(webhook, header, payload);
    if (!isWhole) counts.transform_failures++;
    if (!webhook.notify) return nobody;
    const event = {
      source: webhook.capability,
      event_type: type,
      data: eventData(webhook, payload),
      event_id: id ?? requestId,
      received_at: counts.last_received_at,
    };
    const params = { level: "info", logger: `webhook.${nameOf(webhook)}`, data: event };
    const shown = await this.#options.inspect(webhook, params, requestId);
    if (shown === undefined) return nobody;
    const data = shown["data"] as JsonObject;
    const sessions = this.#options.tell(webhook, { ...shown, data: { ...data, data: cutData(data["data"] as Json) } });
    if (sessions > 0) counts.delivered++;
    return { notified: sessions > 0, sessions };
  }

  /** @throws GatewayError RATE_LIMITED */
  #limit(webhook: Webhook, address: string): void {
    const { rate_limit } = this.#options.settings();
    if (rate_limit !== this.#ratePerMinute) this.#buckets.clear();
    this.#ratePerMinute = rate_limit;
    if (rate_limit === 0) return;
    const key = `${webhook.path} ${address}`;
    const bucket = this.#buckets.get(key) ?? new TokenBucket(rate_limit / 60, rate_limit, this.#options.clock);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const quietest = this.#buckets.keys().next().value;
    if (this.#buckets.size > maxBuckets && quietest !== undefined) this.#buckets.delete(quietest);
    if (bucket.take()) return;
    throw new GatewayError("RATE_LIMITED", `More than ${rate_limit} deliveries a minute came from this address`, {
      data: { retry_after_ms: bucket.waitMs },
    });
  }

  /** `undefined` where there is none and none is needed. @throws GatewayError UNAUTHENTICATED */
  async #secretOf(endpoint: OpenEndpoint): Promise<string | undefined> {
    const { secret: source } = endpoint.webhook;
    if (source === undefined && !this.#options.settings().require_signature) return undefined;
    const found =
      source === undefined ? noSecret : await readSecret(source, this.#env, AbortSignal.timeout(secretTimeoutMs));
    this.#note(endpoint, found);
    if (found.secret !== undefined) return found.secret;
    throw new GatewayError("UNAUTHENTICATED", "This webhook takes no deliveries until its secret is configured");
  }

  #note(endpoint: OpenEndpoint, { secret, missing }: FoundSecret): void {
    const { settings, log, learnSecret } = this.#options;
    if (secret !== undefined && secret !== endpoint.secret) learnSecret(secret);
    endpoint.secret = secret;
    const objection = secret === undefined ? missing : undefined;
    if (objection === endpoint.objection || !settings().enabled) return;
    endpoint.objection = objection;
    if (objection !== undefined)
      log.warn(`${endpoint.webhook.place}  The webhook refuses every delivery: ${objection}`);
  }

  #verify(endpoint: OpenEndpoint, secret: string, header: HeaderOf, body: Uint8Array): Uint8Array | undefined {
    const { signatureHeader } = endpoint.webhook;
    return this.#counted(endpoint, () =>
      verifySignature({ signatureHeader, secret, header, body, nowMs: this.#options.calendar() }),
    );
  }

  /** Linear has the time of its signature in the body. */
  #assertRecent(endpoint: OpenEndpoint, payload: Json): void {
    if (endpoint.webhook.signatureHeader !== "linear-signature") return;
    const sentMs = isJsonObject(payload) ? Number(payload["webhookTimestamp"]) : Number.NaN;
    this.#counted(endpoint, () => assertRecent(sentMs, this.#options.calendar()));
  }

  #counted<T>({ webhook, counts }: OpenEndpoint, check: () => T): T {
    try {
      return check();
    } catch (error) {
      counts.signature_failures++;
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log.debug("A webhook refused a delivery", { webhook: nameOf(webhook), reason });
      throw error;
    }
  }
}

const noSecret: FoundSecret = {
  secret: undefined,
  missing: 'it has no "secret", and webhooks.require_signature wants one',
};
const nobody: Receipt = { notified: false, sessions: 0 };

function newState(): Omit<OpenEndpoint, "webhook"> {
  const counts: WebhookCounts = {
    received: 0,
    delivered: 0,
    repeated: 0,
    signature_failures: 0,
    transform_failures: 0,
    last_received_at: null,
  };
  return { counts, objection: undefined, secret: undefined };
}

function nameOf({ capability, name }: Webhook): string {
  return `${capability}.${name}`;
}

/**
 * The signature as well as the id: many services do not sign the id, so whoever has recorded a delivery could give it
 * another one.
 */
function marksOf(webhook: Webhook, id: string | undefined, signature: Uint8Array | undefined): string[] {
  const marks = id === undefined ? [] : [`${nameOf(webhook)} id ${id}`];
  return signature === undefined ? marks : [...marks, `${nameOf(webhook)} signature ${hexOf(signature)}`];
}

function challengeIn({ signatureHeader }: Webhook, payload: Json): string | undefined {
  if (signatureHeader !== "x-slack-signature" || !isJsonObject(payload)) return undefined;
  const { type, challenge } = payload;
  return type === "url_verification" && typeof challenge === "string" ? challenge : undefined;
}
