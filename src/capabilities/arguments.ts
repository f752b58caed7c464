/**
 * Checks arguments against `schema.input` and repairs what is only written differently (`"5"` for 5): models do that.
 * Understands type, required, enum, minimum, maximum, properties, items, additionalProperties: false and default;
 * other keywords are hints for the model, and the API has the last word on them.
 */
import { isLongNumber, parseExact } from "../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

export interface CheckedArguments {
  readonly value: JsonObject;
  /** One line per violation, naming path and fix; empty when the arguments are good. */
  readonly problems: readonly string[];
  /** `_full: true`, which is no argument of the API: the answer is wanted as it is. */
  readonly isFull: boolean;
}

export function checkArguments(schema: JsonObject, given: JsonObject): CheckedArguments {
  const problems: string[] = [];
  const { properties } = schema;
  const isOwn = isJsonObject(properties) && Object.hasOwn(properties, "_full");
  const { _full: full, ...own } = given;
  const value = checkObject(schema, isOwn ? given : own, "", problems);
  return { value, problems, isFull: !isOwn && full === true };
}

function check(schema: JsonObject, given: Json, path: string, problems: string[]): Json {
  const types = typesOf(schema);
  const value = coerce(types, given);
  if (types.length > 0 && !types.some((type) => hasType(value, type))) {
    problems.push(`"${path}" must be ${types.map(article).join(" or ")}, not ${show(value)}`);
    return value;
  }
  const choices = schema["enum"];
  if (Array.isArray(choices) && !choices.some((choice) => JSON.stringify(choice) === JSON.stringify(value)))
    problems.push(`"${path}" must be one of ${choices.map(show).join(", ")}, not ${show(value)}`);
  const { minimum, maximum, items } = schema;
  if (isNumber(value)) {
    const size = Number(JSON.stringify(value));
    if (typeof minimum === "number" && size < minimum)
      problems.push(`"${path}" must be at least ${minimum}, not ${show(value)}`);
    if (typeof maximum === "number" && size > maximum)
      problems.push(`"${path}" must be at most ${maximum}, not ${show(value)}`);
  }
  if (hasType(value, "object")) return checkObject(schema, value as JsonObject, path, problems);
  if (Array.isArray(value) && isJsonObject(items))
    return value.map((item: Json, index) => check(items, item, `${path}[${index}]`, problems));
  return value;
}

function checkObject(schema: JsonObject, given: JsonObject, path: string, problems: string[]): JsonObject {
  const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  // A spread copies an own "__proto__" as data; assigning to that key would not, and the loader refuses it in schemas.
  const value: Record<string, Json | undefined> = { ...given };
  for (const [name, property] of Object.entries(properties)) {
    if (!isJsonObject(property)) continue;
    const isRequired = required.includes(name);
    const found = Object.hasOwn(value, name) ? value[name] : undefined;
    // Many models send null for what they leave out.
    const isLeftOut = found === undefined || (found === null && !isRequired && !typesOf(property).includes("null"));
    if (!isLeftOut) value[name] = check(property, found, at(name), problems);
    else if (property["default"] !== undefined) value[name] = property["default"];
    else delete value[name];
  }
  for (const name of required) {
    if (typeof name !== "string" || (Object.hasOwn(value, name) && value[name] !== undefined)) continue;
    problems.push(`"${at(name)}" is missing${describe(properties[name])}`);
  }
  if (schema["additionalProperties"] === false) {
    const known = Object.keys(properties);
    for (const name of Object.keys(value))
      if (!Object.hasOwn(properties, name))
        problems.push(`"${at(name)}" is not an argument: use ${known.map((key) => `"${key}"`).join(", ") || "none"}`);
  }
  return value;
}

function typesOf(schema: JsonObject): readonly string[] {
  const { type } = schema;
  if (typeof type === "string") return [type];
  return Array.isArray(type) ? type.filter((each): each is string => typeof each === "string") : [];
}

function hasType(value: Json, type: string): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value) || isLongNumber(value);
    case "number":
      return isNumber(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isJsonObject(value) && !isLongNumber(value);
    case "null":
      return value === null;
    default:
      return typeof value === type;
  }
}

function isNumber(value: Json): boolean {
  return typeof value === "number" || isLongNumber(value);
}

function coerce(types: readonly string[], value: Json): Json {
  if (types.some((type) => hasType(value, type))) return value;
  if (types.includes("string") && (isNumber(value) || typeof value === "boolean")) return JSON.stringify(value);
  if (typeof value !== "string") return value;
  // Only the forms JSON has: "0x10" and "" are not numbers, "yes" is not a boolean.
  const parsed = parseJson(value.trim());
  return parsed !== undefined && parsed !== null && types.some((type) => hasType(parsed, type)) ? parsed : value;
}

function parseJson(text: string): Json | undefined {
  try {
    return parseExact(text) as Json;
  } catch {
    return undefined;
  }
}

const longestShown = 60;

function show(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

function article(type: string): string {
  return type === "null" ? "null" : `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`;
}

function describe(schema: Json | undefined): string {
  if (!isJsonObject(schema)) return "";
  const types = typesOf(schema).join(" or ");
  const description = typeof schema["description"] === "string" ? schema["description"] : "";
  const facts = [types, description].filter((fact) => fact !== "").join(", ");
  return facts === "" ? "" : ` (${facts})`;
}
