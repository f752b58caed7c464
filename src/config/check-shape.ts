/** Holds plain values against the schemas: wrong values, missing and unknown keys, in words that say what is right. */
import * as v from "valibot";
import { suggestion } from "../lib/did-you-mean.ts";
import { looksSecret } from "./backend-secrets.ts";
import { type Path, withoutPath } from "./path.ts";
import { listed, type Problem } from "./problem.ts";
import { childOf, type Shape, shapeAt, shapeOf } from "./shape.ts";

/**
 * The parsed value with all defaults, and what is wrong with the given one. What is wrong is left out and the rest
 * parsed again, so that one mistake does not hide those that other rules find; `undefined` when nothing is left.
 */
export function parseForgiving<const TSchema extends v.GenericSchema>(
  schema: TSchema,
  value: unknown,
): { readonly output: v.InferOutput<TSchema> | undefined; readonly problems: readonly Problem[] } {
  const problems = new Map<string, Problem>();
  let rest = value;
  for (const found of listsForMaps(schema, value)) {
    problems.set(JSON.stringify(found.path), found);
    rest = withoutPath(rest, found.path);
  }
  for (let round = 0; round < 5; round += 1) {
    const result = v.safeParse(schema, rest);
    if (result.success) return { output: result.output, problems: [...problems.values()] };
    for (const issue of result.issues) {
      const found = wrongValue(schema, issue);
      const id = JSON.stringify(found.path);
      if (!problems.has(id)) problems.set(id, found);
      rest = withoutPath(rest, found.path);
    }
  }
  return { output: undefined, problems: [...problems.values()] };
}

/** Lists where a map is due: valibot takes them for maps with the keys 0, 1 and so on. */
function listsForMaps(schema: v.GenericSchema, value: unknown, path: Path = []): Problem[] {
  if (typeof value !== "object" || value === null) return [];
  const isList = Array.isArray(value);
  const shape = shapeOf(schema);
  if (isList && shape.kind.is === "map") return [{ path, text: `must be ${phrase(shape)}, not a list` }];
  return Object.entries(value).flatMap(([name, inner]) => {
    const key = isList ? Number(name) : name;
    const child = childOf(schema, key);
    return child === undefined ? [] : listsForMaps(child, inner, [...path, key]);
  });
}

/** Keys the schema does not have, with the nearest one it has. */
export function unknownKeys(schema: v.GenericSchema, value: object, path: Path = [], found: Problem[] = []): Problem[] {
  const isList = Array.isArray(value);
  for (const [name, inner] of Object.entries(value)) {
    const key = isList ? Number(name) : name;
    const child = childOf(schema, key);
    if (child !== undefined) {
      if (typeof inner === "object" && inner !== null) unknownKeys(child, inner, [...path, key], found);
      continue;
    }
    const shape = shapeOf(schema);
    if (shape.kind.is !== "object" || shape.kind.open) continue;
    found.push({ path: [...path, key], text: `is not a known setting${suggestion(name, knownKeys(shape))}` });
  }
  return found;
}

/** What a value of this shape looks like: `a whole number from 0 to 65535`. */
export function phrase(shape: Shape): string {
  const { kind } = shape;
  switch (kind.is) {
    case "object":
    case "map":
      return "a map of settings";
    case "list":
      return `${shape.minLength ? "a list with at least one entry" : "a list"}`;
    case "either":
      return listed([...new Set(kind.options.map((option) => phrase(shapeOf(option))))]);
    case "choice":
      return `${kind.values.length > 1 ? "one of " : ""}${listed(kind.values.map((value) => `"${value}"`))}`;
    case "duration":
      return 'a duration like "30s", "500ms", "1h30m" or a number of seconds';
    case "boolean":
      return "true or false";
    case "number":
      return numberPhrase(shape);
    case "string":
    case "secret":
      if (shape.prefix !== undefined) return `a string that begins with "${shape.prefix}"`;
      return shape.minLength ? "a string that is not empty" : "a string";
  }
}

function numberPhrase({ whole, minimum, above, maximum }: Shape): string {
  const noun = whole ? "a whole number" : "a number";
  if (minimum !== undefined && maximum !== undefined) return `${noun} from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${noun} of at least ${minimum}`;
  return above === undefined ? noun : `${noun} greater than ${above}`;
}

function wrongValue(schema: v.GenericSchema, issue: v.BaseIssue<unknown>): Problem {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  const name = String(path.at(-1));
  if (issue.type === "strict_object" && issue.expected === "never") {
    const parent = shapeAt(schema, path.slice(0, -1));
    return { path, text: `is not a known setting${suggestion(name, parent ? knownKeys(parent) : [])}` };
  }
  if (issue.received === "undefined") return { path: path.slice(0, -1), text: `needs "${name}"` };
  const shape = shapeAt(schema, path);
  if (shape === undefined) return { path, text: "has a wrong value" };
  const value = issue.input;
  const found = shape.kind.is === "secret" ? "" : `, not ${show(value)}`;
  const hint = shape.kind.is === "choice" && typeof value === "string" ? suggestion(value, shape.kind.values) : "";
  const unquoted = acceptsText(shape) && (typeof value === "number" || typeof value === "boolean");
  return { path, text: `must be ${phrase(shape)}${found}${hint}${unquoted ? ": put it in quotes" : ""}` };
}

function knownKeys({ kind }: Shape): readonly string[] {
  return kind.is === "object" ? Object.keys(kind.entries) : [];
}

function acceptsText({ kind }: Shape): boolean {
  return kind.is === "string" || kind.is === "secret";
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "a map";
  const text = JSON.stringify(value) ?? String(value);
  if (looksSecret(text)) return "what looks like a key";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
