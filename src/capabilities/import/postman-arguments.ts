/**
 * What a saved request has as example values, as arguments: sent as it was saved when nothing is given. Secrets of the
 * collection never become a default.
 */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { argumentName, typed } from "./argument-name.ts";
import { hasReference, hasSecret, isSecretName, isSecretValue, type PostmanVariables } from "./postman-variables.ts";

export type Place = "path" | "query" | "header" | "body";

interface Argument {
  readonly schema: JsonObject;
  readonly isRequired: boolean;
}

/** Before a reference that stands outside of quotes in JSON: its value is of any type. */
const anyTypeMark = "\ue000";
/** Of a default, as JSON. */
const maxDefault = 2_000;

export class PostmanArguments {
  readonly #variables: PostmanVariables;
  readonly #all = new Map<string, Argument>();
  /** Names of the arguments that stand for `{{name}}`. */
  readonly #references = new Map<string, string>();

  constructor(variables: PostmanVariables) {
    this.#variables = variables;
  }

  /** Returns the name it got. */
  add(apiName: string, place: Place, schema: JsonObject, isRequired: boolean): string {
    const name = argumentName(apiName, place, (each) => this.#all.has(each));
    this.#all.set(name, { schema: typed(schema), isRequired });
    return name;
  }

  /** `{{name}}` as `{name}`, or as the operator's setting. */
  text(text: string, place: Place): string {
    if (isSecretValue(text)) throw new Error("something that looks like a secret stands among its variables");
    return this.#variables.template(text, (name, value) => this.#reference(name, value, place, false));
  }

  /** The template of one value of the request. @param name what the API calls it */
  value(name: string, value: Json, place: Place): Json {
    if (!mentions(value)) return this.#example(name, value, place);
    if (typeof value === "string") {
      if (!value.startsWith(anyTypeMark)) return this.text(value, place);
      return this.#variables.template(value.slice(1), (each, text) => this.#reference(each, text, place, true));
    }
    if (Array.isArray(value)) return value.map((item: Json) => this.value(name, item, place));
    return this.members(value as JsonObject, place);
  }

  members(object: JsonObject, place: Place): JsonObject {
    const entries = Object.entries(object).map(([key, inner]) => [key, this.value(key, inner ?? null, place)]);
    return Object.fromEntries(entries) as JsonObject;
  }

  /** A key that stands in a query as it is, is the operator's. */
  parameter(name: string, value: string): Json {
    if (hasReference(value)) return this.text(value, "query");
    if (isSecretName(name) || hasSecret(value)) return this.#variables.hide(name);
    return this.value(name, plainValue(value), "query");
  }

  schema(): JsonObject {
    const required = Array.from(this.#all).flatMap(([name, { isRequired }]) => (isRequired ? [name] : []));
    return {
      type: "object",
      properties: Object.fromEntries(Array.from(this.#all, ([name, { schema }]) => [name, schema])),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
    };
  }

  #example(name: string, value: Json, place: Place): Json {
    const isSecret = isSecretName(name) || hasSecret(value);
    const isShown = !isSecret && value !== null && value !== "" && JSON.stringify(value).length <= maxDefault;
    const schema = {
      ...typeOf(value),
      description: `"${name.slice(0, 100)}" of the request`,
      ...(isShown && { default: value }),
    };
    return `{${this.add(name, place, schema, isSecret)}}`;
  }

  #reference(name: string, value: string | undefined, place: Place, isAnyType: boolean): string {
    const known = this.#references.get(name);
    if (known !== undefined) return known;
    const shown = value === undefined || value === "" ? undefined : isAnyType ? plainValue(value) : value;
    const schema = {
      ...(isAnyType ? {} : { type: "string" }),
      description: `"${name}" of the collection`,
      ...(shown !== undefined && { default: shown }),
    };
    const argument = this.add(name, place, schema, shown === undefined);
    this.#references.set(name, argument);
    return argument;
  }
}

/** JSON in which references may stand outside of quotes. @throws Error when it is none */
export function readRawJson(text: string): Json {
  try {
    return JSON.parse(quoteReferences(text)) as Json;
  } catch {
    throw new Error("its body is not valid JSON");
  }
}

function quoteReferences(text: string): string {
  let quoted = "";
  let isInside = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    const found = isInside || character !== "{" ? null : /^\{\{[^{}]{1,120}\}\}/.exec(text.slice(at, at + 124));
    if (found !== null) {
      quoted += JSON.stringify(`${anyTypeMark}${found[0]}`);
      at += found[0].length - 1;
      continue;
    }
    if (character === '"') isInside = !isInside;
    quoted += character;
    if (isInside && character === "\\") quoted += text.charAt(++at);
  }
  return quoted;
}

function mentions(value: Json): boolean {
  if (typeof value === "string") return hasReference(value);
  if (Array.isArray(value)) return value.some((item: Json) => mentions(item));
  return (
    isJsonObject(value) && Object.values(value as JsonObject).some((inner) => inner !== undefined && mentions(inner))
  );
}

/** A number or a boolean where writing it again gives the same text. */
function plainValue(text: string): Json {
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d{1,15}$/.test(text) && String(Number(text)) === text ? Number(text) : text;
}

function typeOf(value: Json): JsonObject {
  if (value === null) return {};
  if (Array.isArray(value)) return { type: "array" };
  if (typeof value === "number") return { type: Number.isInteger(value) ? "integer" : "number" };
  return { type: typeof value };
}
