/** What an argument of a capability is called, and of which type it is, whatever the API says. */
import type { Json, JsonObject } from "../../lib/json.ts";

const maxLength = 64;

/** Letters, digits and _; the place stands before a name that is taken. */
export function argumentName(apiName: string, place: string, isTaken: (name: string) => boolean): string {
  const plain =
    apiName
      .slice(0, maxLength)
      .replace(/\W+/g, "_")
      .replace(/^_+|_+$/g, "") || place;
  const base = /^\d/.test(plain) ? `_${plain}` : plain;
  let name = isTaken(base) ? `${place}_${base}` : base;
  for (let count = 2; isTaken(name); count++) name = `${place}_${base}_${count}`;
  return name;
}

const jsonTypes = ["string", "number", "integer", "boolean", "array", "object", "null"];
const otherWords = ["enum", "const", "anyOf", "oneOf", "allOf"];
const anyType: readonly Json[] = ["string", "number", "boolean", "object", "array"];

/** A model that is told no type guesses one, and a type that is none tells nothing. */
export function typed(schema: JsonObject): JsonObject {
  const { type, ...rest } = schema;
  const types = Array.isArray(type) ? (type as Json[]) : [type];
  if (types.length > 0 && types.every((each) => jsonTypes.includes(each as string))) return schema;
  return otherWords.some((word) => rest[word] !== undefined) ? rest : { type: anyType, ...rest };
}
