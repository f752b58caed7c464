/** What makes a tool easy or hard for a model: one function per rule, each over one capability file. */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";

export type Severity = "pass" | "warn" | "fail";

/** One thing to correct, at a place in the file. */
export interface Finding {
  readonly severity: Exclude<Severity, "pass">;
  readonly message: string;
  readonly path: readonly PropertyKey[];
}

/** A capability file as it is written, with its defaults filled in where rules need them. */
export interface Subject {
  readonly name: string;
  readonly description: string;
  readonly isReadOnly: boolean;
  readonly properties: Readonly<Record<string, JsonObject>>;
  readonly value: JsonObject;
}

export interface Rule {
  readonly id: string;
  readonly name: string;
  check(subject: Subject): Finding[];
}

const atInput = ["schema", "input", "properties"] as const;

export const rules: readonly Rule[] = [
  {
    id: "AX-001",
    name: "Outcomes Not Operations",
    check: ({ description }) =>
      /^\s*(GET|POST|PUT|PATCH|DELETE)\s+\//.test(description) ||
      /\b(REST|HTTP|API) (endpoint|call|wrapper)\b/i.test(description)
        ? [warn(["description"], "Say what the caller gets, not which request is sent")]
        : [],
  },
  {
    id: "AX-002",
    name: "Flatten Arguments",
    check: ({ properties }) =>
      Object.entries(properties).flatMap(([name, schema]) =>
        depthOf(schema) > 2
          ? [warn([...atInput, name], `"${name}" is nested deeper than two levels: models fill flat arguments better`)]
          : [],
      ),
  },
  { id: "AX-003", name: "Instructions are Context", check: checkDescription },
  {
    id: "AX-004",
    name: "Curate Ruthlessly",
    check({ properties }) {
      const count = Object.keys(properties).length;
      const message = `There are ${count} arguments: leave out what is never set, or give it a fixed value`;
      if (count > 20) return [fail(["schema", "input"], message)];
      return count > 12 ? [warn(["schema", "input"], message)] : [];
    },
  },
  { id: "AX-005", name: "Name for Discovery", check: checkName },
  {
    id: "AX-006",
    name: "Paginate Large Results",
    check({ name, isReadOnly, properties, value }) {
      if (!isReadOnly || !/(^|_)(list|search|find|query|all)(_|$)/.test(name)) return [];
      const isBounded = Object.keys(properties).some((key) =>
        /limit|page|count|size|max|first|rows|cursor|offset|top|jql|soql|sql|query_?language/i.test(key),
      );
      const isPaged = JSON.stringify(value["providers"] ?? {}).includes('"pagination"');
      return isBounded || isPaged
        ? []
        : [warn(["schema", "input"], "A list without an argument for its length may fill the context")];
    },
  },
  { id: "AX-007", name: "Schema Completeness", check: checkSchema },
  {
    id: "AX-009",
    name: "Naming Consistency",
    check: ({ name, properties }) => [
      ...(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name) ? [] : [warn(["name"], `"${name}" is not in snake_case`)]),
      ...Object.keys(properties)
        .filter((key) => !/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(key))
        .map((key) => warn([...atInput, key], `"${key}" is not in snake_case`)),
    ],
  },
  { id: "AX-010", name: "Tool Poisoning", check: checkPoison },
];

/** Over all files at once, which no rule above can see. */
export const conflictRule = { id: "AX-008", name: "Cross-Capability Conflicts" } as const;

function checkDescription({ description }: Subject): Finding[] {
  if (description.trim() === "")
    return [fail(["description"], "There is no description: a model would not know when to use it")];
  if (description.trim().length < 30)
    return [warn(["description"], "The description is shorter than 30 characters: say what for and when")];
  if (description.length > 500)
    return [warn(["description"], "The description is longer than 500 characters: it costs context in every search")];
  return [];
}

const vagueNames = ["run", "do", "api", "tool", "call", "test", "data", "get", "execute", "request", "main", "helper"];

function checkName({ name }: Subject): Finding[] {
  if (name.length > 40) return [warn(["name"], `"${name}" is longer than 40 characters, which some clients cut off`)];
  return vagueNames.includes(name) ? [warn(["name"], `"${name}" says nothing about what it does`)] : [];
}

function checkSchema({ properties, value }: Subject): Finding[] {
  const findings = Object.entries(properties).flatMap(([name, schema]) => {
    const path = [...atInput, name];
    const isTyped = ["type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"].some(
      (key) => schema[key] !== undefined,
    );
    if (!isTyped) return [fail(path, `"${name}" has no type`)];
    return schema["description"] ? [] : [warn(path, `"${name}" has no description`)];
  });
  const input = isJsonObject(value["schema"]) ? value["schema"]["input"] : undefined;
  const onlyReceives = isJsonObject(value["webhooks"]) && Object.keys(value["providers"] ?? {}).length === 0;
  if (!isJsonObject(input) && !onlyReceives)
    findings.push(warn(["schema"], "There is no schema.input: a model would guess the arguments"));
  return findings;
}

/** Characters nobody sees, and sentences meant for a model instead of a reader (T1, T23). */
const hidden = /[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}\u001b]/u;
const orders: readonly RegExp[] = [
  /\b(ignore|disregard|forget)\b.{0,30}\b(previous|prior|above|earlier|other)\b.{0,30}\b(instructions?|prompts?|rules?|messages?)\b/i,
  /<\/?(important|system|instructions?|secret|hidden)>/i,
  /\bdo(?:n't| not)\b.{0,30}\b(tell|inform|mention|notify|reveal)\b.{0,40}\b(user|human|anyone)\b/i,
  /\b(before|after|instead of) (using|calling|invoking) (this|any|other)\b.{0,60}\b(must|always|read|call|send)\b/i,
  /\b(system prompt|chat history|conversation history)\b/i,
  /(~\/\.ssh|\.aws\/credentials|id_rsa|\.env\b)/i,
];

function checkPoison({ value }: Subject): Finding[] {
  return stringsOf(value, []).flatMap(([path, text]) => {
    if (hidden.test(text)) return [fail(path, "There are characters nobody can see")];
    // Requests are for the API; only what a model reads can give it orders.
    const isRead = path[0] === "description" || path[0] === "schema" || path[0] === "name";
    return isRead && orders.some((order) => order.test(text.slice(0, 10_000)))
      ? [fail(path, "The text gives orders to the model instead of describing the tool")]
      : [];
  });
}

function stringsOf(value: Json | undefined, path: readonly PropertyKey[]): [readonly PropertyKey[], string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(Array.isArray(value) ? [] : [[[...path, key], key] as [readonly PropertyKey[], string]]),
    ...stringsOf(inner as Json, [...path, Array.isArray(value) ? Number(key) : key]),
  ]);
}

function depthOf(schema: JsonObject): number {
  const inner = [schema["items"], ...Object.values(isJsonObject(schema["properties"]) ? schema["properties"] : {})];
  const isContainer = schema["type"] === "object" || schema["type"] === "array";
  return (isContainer ? 1 : 0) + Math.max(0, ...inner.filter(isJsonObject).map(depthOf));
}

function warn(path: readonly PropertyKey[], message: string): Finding {
  return { severity: "warn", path, message };
}

function fail(path: readonly PropertyKey[], message: string): Finding {
  return { severity: "fail", path, message };
}
