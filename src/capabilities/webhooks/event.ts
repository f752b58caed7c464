/** What clients are told of a delivery: its fields as the webhook's `transform` arranges them, or all of them. */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { valueAt } from "../response.ts";
import { placeholdersIn, renderText, renderValue, type Scope } from "../template.ts";
import type { HeaderOf } from "./signatures.ts";
import type { Webhook } from "./webhook.ts";

/** Where services say what happened, and which delivery it is; the rest is in the payload. */
const eventHeaders = ["x-github-event", "linear-event", "x-shopify-topic", "x-gitlab-event"];
const idHeaders = [
  "webhook-id",
  "svix-id",
  "x-github-delivery",
  "linear-delivery",
  "x-shopify-webhook-id",
  // The same for every try, unlike the ids of its events.
  "idempotency-key",
];
const maxNameCharacters = 200;
/** Every session that may hear of the event keeps it for a while; a `transform` picks what is wanted of a larger one. */
const maxDataCharacters = 65_536;

/** What the service calls the delivery, equal in every try; `undefined` when it has no name for it. */
export function deliveryId(header: HeaderOf, payload: Json): string | undefined {
  const named = firstHeader(idHeaders, header);
  if (named !== undefined || !isJsonObject(payload)) return named;
  // Of Slack, and of Stripe, where the id of an event begins so.
  const { event_id, id } = payload;
  if (typeof event_id === "string") return event_id.slice(0, maxNameCharacters);
  return typeof id === "string" && id.startsWith("evt_") ? id.slice(0, maxNameCharacters) : undefined;
}

/** `isWhole` is false when `transform.event_type` names what the delivery does not have: the service's own word stands in. */
export function eventType(
  { name, transform }: Webhook,
  header: HeaderOf,
  payload: Json,
): { readonly type: string; readonly isWhole: boolean } {
  const { event_type } = transform;
  const rendered = event_type === undefined ? undefined : renderText(event_type, scopeOf(event_type, payload));
  const said = isJsonObject(payload) ? payload["type"] : undefined;
  const own = firstHeader(eventHeaders, header) ?? (typeof said === "string" ? said : name);
  return {
    type: (rendered || own).slice(0, maxNameCharacters),
    isWhole: event_type === undefined || rendered !== undefined,
  };
}

/** Keys of `transform.data` without a value are left out. */
export function eventData({ transform: { data } }: Webhook, payload: Json): Json {
  return data === undefined ? payload : (renderValue(data, scopeOf(JSON.stringify(data), payload)) ?? {});
}

/** The beginning of what is too long, marked as such. Secrets have to be out of it before, or half of one would pass. */
export function cutData(data: Json): Json {
  const text = JSON.stringify(data);
  if (text.length <= maxDataCharacters) return data;
  return { truncated: true, characters: text.length, head: text.slice(0, maxDataCharacters).toWellFormed() };
}

/** The placeholders of a template, which are paths, with the values they lead to. */
function scopeOf(template: string, payload: Json): Scope {
  const found: [string, Json][] = [];
  for (const path of placeholdersIn(template)) {
    const value = valueAt(payload, path);
    if (value !== undefined) found.push([path, value]);
  }
  const args: JsonObject = Object.fromEntries(found);
  return { args, declared: undefined, env: {}, keychain: {} };
}

function firstHeader(names: readonly string[], header: HeaderOf): string | undefined {
  for (const name of names) {
    const value = header(name);
    if (value) return value.slice(0, maxNameCharacters);
  }
  return undefined;
}
