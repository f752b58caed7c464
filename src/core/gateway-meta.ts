/**
 * Keys of `_meta` that begin with `mcp-gateway/` are the gateway's own words: what it found, counted or vouches for. A
 * server that used one would speak in its name, so they are taken out of whatever servers say.
 */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { Answer } from "./answer.ts";

const prefix = "mcp-gateway";
/** A letter of it, or its hyphen, written as an escape, which no writer does without reason. */
const oddEscape = /\\u00(?:2d|6[1-9a-f]|7[0-9a])/i;

/** The very same answer where it has none of them. */
export function withoutGatewayMeta(answer: Answer): Answer {
  const { skeleton } = answer;
  if (!skeleton.includes(prefix) && !oddEscape.test(skeleton)) return answer;
  const value = answer.exactValue;
  const clean = withoutGatewayMetaIn(value);
  return clean === value ? answer : Answer.of(clean as JsonObject);
}

/** At any depth but in structured content, which is data. The very same value where it has none of them. */
function withoutGatewayMetaIn<T extends Json | undefined>(value: T): T {
  if (Array.isArray(value)) {
    const items = value.map(withoutGatewayMetaIn);
    return items.some((item, at) => item !== value[at]) ? (items as unknown as T) : value;
  }
  if (!isJsonObject(value)) return value;
  let clean: Record<string, Json | undefined> | undefined;
  for (const [key, item] of Object.entries(value)) {
    if (key === "structuredContent") continue;
    const kept = key === "_meta" && isJsonObject(item) ? othersOf(item) : withoutGatewayMetaIn(item);
    if (kept === item) continue;
    clean ??= { ...value };
    if (kept === undefined) delete clean[key];
    else clean[key] = kept;
  }
  return (clean ?? value) as T;
}

/** `undefined` when nothing else is left. */
function othersOf(meta: JsonObject): JsonObject | undefined {
  const entries = Object.entries(meta);
  const others = entries.filter(([key]) => !key.startsWith(`${prefix}/`));
  if (others.length === entries.length) return meta;
  return others.length === 0 ? undefined : Object.fromEntries(others);
}
