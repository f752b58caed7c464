/**
 * What a request of 2026-07-28 repeats in its headers, so that proxies need not read bodies (transports/streamable-http,
 * "Standard Request Headers" and "Custom Headers from Tool Parameters"): `Mcp-Method`, `Mcp-Name`, and `Mcp-Param-…` for
 * every argument whose property in the tool's `inputSchema` has `x-mcp-header`.
 */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { decodeHeaderValue, encodeHeaderValue } from "./header-value.ts";

/** Member of the params that `Mcp-Name` repeats, by method. */
const nameMembers: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};

/** An argument that travels as a header, too. */
export interface MirroredParam {
  /** Names of properties, from the arguments inwards. */
  readonly path: readonly string[];
  /** Lower-case, with `mcp-param-`. */
  readonly header: string;
  readonly isNumber: boolean;
}

/** `undefined` where the method has no such header. */
function namedBy(method: string, params: JsonObject | undefined): string | undefined {
  const member = Object.hasOwn(nameMembers, method) ? nameMembers[method] : undefined;
  const name = member === undefined ? undefined : params?.[member];
  return typeof name === "string" ? name : undefined;
}

/** Lower-case names. */
export function routingHeaders(
  method: string,
  params: JsonObject | undefined,
  mirrored: readonly MirroredParam[],
): Record<string, string> {
  const headers: Record<string, string> = { "mcp-method": method };
  const name = namedBy(method, params);
  if (name !== undefined) headers["mcp-name"] = encodeHeaderValue(name);
  for (const { path, header } of mirrored) {
    const value = textOf(valueAt(params?.["arguments"], path));
    if (value !== undefined) headers[header] = encodeHeaderValue(value);
  }
  return headers;
}

/** What is wrong with the headers of a request; `undefined` when they repeat its body faithfully. */
export function headerMismatch(
  get: (header: string) => string | null,
  method: string,
  params: JsonObject | undefined,
): string | undefined {
  const sentMethod = get("mcp-method");
  if (sentMethod === null) return '"Mcp-Method" is missing';
  if (sentMethod.trim() !== method) return `"Mcp-Method" is not the method of the body, "${method}"`;
  const name = namedBy(method, params);
  const sentName = get("mcp-name");
  if (sentName === null) return name === undefined ? undefined : '"Mcp-Name" is missing';
  const decoded = decodeHeaderValue(sentName);
  if (decoded === undefined) return '"Mcp-Name" is not valid Base64 of UTF-8';
  if (name !== undefined && decoded !== name) return '"Mcp-Name" is not what the body names';
  return undefined;
}

/** As {@link headerMismatch}, for the arguments. One that the body lacks may have any header. */
export function paramMismatch(
  get: (header: string) => string | null,
  args: Json | undefined,
  mirrored: readonly MirroredParam[],
): string | undefined {
  for (const { path, header, isNumber } of mirrored) {
    const value = valueAt(args, path);
    const text = textOf(value);
    if (text === undefined) continue;
    const sent = get(header);
    if (sent === null) return `"${header}" is missing, though the argument "${path.join(".")}" is there`;
    const decoded = decodeHeaderValue(sent);
    if (decoded === undefined) return `"${header}" is not valid Base64 of UTF-8`;
    const isSame = decoded === text || (isNumber && /^-?\d+(\.\d+)?$/.test(decoded) && Number(decoded) === value);
    if (!isSame) return `"${header}" is not the argument "${path.join(".")}"`;
  }
  return undefined;
}

/** The type of a property that may be repeated in a header. */
const headerTypes: ReadonlySet<unknown> = new Set(["string", "integer", "boolean"]);
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Deeper than any schema that somebody wrote. */
const maxDepth = 64;

/** The arguments a tool wants repeated; `undefined` when its schema asks for that in a way it must not. */
export function mirroredParams(inputSchema: Json | undefined): readonly MirroredParam[] | undefined {
  if (!mentionsHeader(inputSchema, 0)) return [];
  const found: MirroredParam[] = [];
  return collect(inputSchema, [], found) ? found : undefined;
}

function collect(schema: Json | undefined, path: readonly string[], found: MirroredParam[]): boolean {
  if (!isJsonObject(schema)) return true;
  const name = schema["x-mcp-header"];
  if (name !== undefined) {
    if (path.length === 0 || typeof name !== "string" || !token.test(name) || !headerTypes.has(schema["type"]))
      return false;
    const header = `mcp-param-${name.toLowerCase()}`;
    if (found.some((other) => other.header === header)) return false;
    found.push({ path, header, isNumber: schema["type"] === "integer" });
  }
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties" && isJsonObject(value)) {
      for (const [property, inner] of Object.entries(value))
        if (!collect(inner, [...path, property], found)) return false;
    } else if (subschemas.has(key) && mentionsHeader(value, 0)) return false;
  }
  return true;
}

/** Where a property is not always there, or is not one property. */
const subschemas: ReadonlySet<string> = new Set([
  "items",
  "prefixItems",
  "contains",
  "additionalProperties",
  "unevaluatedProperties",
  "unevaluatedItems",
  "propertyNames",
  "patternProperties",
  "dependentSchemas",
  "oneOf",
  "anyOf",
  "allOf",
  "not",
  "if",
  "then",
  "else",
  "$defs",
  "definitions",
]);

function mentionsHeader(value: Json | undefined, depth: number): boolean {
  if (typeof value !== "object" || value === null || depth > maxDepth) return false;
  if (Array.isArray(value)) return value.some((inner) => mentionsHeader(inner, depth + 1));
  return Object.entries(value as JsonObject).some(
    ([key, inner]) => key === "x-mcp-header" || mentionsHeader(inner, depth + 1),
  );
}

function valueAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  let at = value;
  for (const key of path) at = isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  return at;
}

/** `undefined` for what no header is sent of. */
function textOf(value: Json | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}
