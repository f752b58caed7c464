/**
 * The configuration in force as it may be shown: durations as the file has them, secrets hidden. The schemas say which
 * settings are secrets; names that sound like one, variables and headers are hidden too, whatever is in them.
 */
import type { GenericSchema } from "valibot";
import { durationText } from "../lib/duration.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { looksSecret } from "./backend-secrets.ts";
import { schemaFor } from "./full-schema.ts";
import { type BackendConfig, backendEntrySchema, type Config } from "./schema.ts";
import { shapeOf } from "./shape.ts";

const hidden = "••••••";
const secretName = /key|token|secret|pass|pwd|auth|credential|cookie|private|dsn|signature/i;
/** No key of these says whether its value is a secret, so all of them count as one. */
const secretMaps = ["env", "headers"];

type Redact = (text: string) => string;

/** Arguments are nobody's field: what looks like a key in them goes as a whole, whether or not it is known to be one. */
const argumentLists = ["command", "args"];

/** @param redact takes known secrets out of every other text, such as the arguments of a command */
export async function configView(config: Config, redact: Redact): Promise<JsonObject> {
  return shown(config as unknown as Json, await schemaFor(Object.keys(config)), redact) as JsonObject;
}

export function entryView(entry: BackendConfig, redact: Redact): JsonObject {
  return shown(entry as unknown as Json, backendEntrySchema, redact) as JsonObject;
}

function shown(value: Json, schema: GenericSchema | undefined, redact: Redact, name = ""): Json {
  const kind = schema && shapeOf(schema).kind;
  if (typeof value === "number") return kind?.is === "duration" ? durationText(value) : value;
  if (typeof value === "string") {
    if (value === "") return value;
    if (kind?.is === "secret" || secretName.test(name)) return hidden;
    return argumentLists.includes(name) && looksSecret(value) ? hidden : redact(value);
  }
  if (Array.isArray(value)) {
    const item = kind?.is === "list" ? kind.item : undefined;
    return value.map((one: Json) => shown(one, item, redact, name));
  }
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, one]): [string, Json][] => {
    if (one === undefined) return [];
    if (secretMaps.includes(name)) return [[key, hidden]];
    const entry = kind?.is === "object" ? kind.entries[key] : kind?.is === "map" ? kind.value : undefined;
    return [[key, shown(one, entry, redact, key)]];
  });
  return Object.fromEntries(entries);
}
