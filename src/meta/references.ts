/** Arguments that take their value from an earlier step: `{"$from": "step1.items[0].id"}`, with `"default"` if it may be missing. */
import { isLongNumber } from "../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { invalid } from "./arguments.ts";
import { parseValuePath, readValuePath, type ValuePath } from "./value-path.ts";

const key = "$from";

/** Every reference in the value. @throws GatewayError INVALID_PARAMS for one that is not written right */
export function referencesIn(value: Json, place: string): ValuePath[] {
  if (Array.isArray(value)) return value.flatMap((item) => referencesIn(item, place));
  if (!isJsonObject(value)) return [];
  if (value[key] !== undefined) return [readReference(value, place)];
  return Object.values(value).flatMap((item) => (item === undefined ? [] : referencesIn(item, place)));
}

/** The same value with every reference replaced. @throws GatewayError INVALID_PARAMS for one that leads nowhere */
export function resolveReferences(value: Json, values: ReadonlyMap<string, Json>, place: string): Json {
  if (Array.isArray(value)) return value.map((item) => resolveReferences(item, values, place));
  if (!isJsonObject(value) || isLongNumber(value)) return value;
  if (value[key] !== undefined) return follow(value, values, place);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      item === undefined ? item : resolveReferences(item, values, place),
    ]),
  );
}

function follow(reference: JsonObject, values: ReadonlyMap<string, Json>, place: string): Json {
  const path = readReference(reference, place);
  const start = values.get(path.head);
  const found = start === undefined ? { missing: `there is no "${path.head}"` } : readValuePath(start, path);
  if ("value" in found) return found.value;
  if (reference["default"] !== undefined) return reference["default"];
  throw invalid(
    `${place} refers to "${path.text}", but ${found.missing}`,
    'Correct the path, or give the reference a "default"',
  );
}

function readReference(reference: JsonObject, place: string): ValuePath {
  const text = reference[key];
  const stray = Object.keys(reference).find((name) => name !== key && name !== "default");
  const path = typeof text === "string" && stray === undefined ? parseValuePath(text) : undefined;
  if (path !== undefined) return path;
  throw invalid(
    `${place} has the reference ${JSON.stringify(reference).slice(0, 200)}, which is not of the form {"$from": "step1.path[0].key"}`,
  );
}
