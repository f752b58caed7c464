/** Arguments of the meta-tools, read leniently where the meaning is plain; errors name the argument and the fix. */
import { GatewayError } from "../core/errors.ts";
import { parseExact } from "../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

/** The first of the names that is present. An empty string counts as absent. */
export function readString(args: JsonObject, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = args[name];
    if (value === undefined || value === null || value === "") continue;
    if (typeof value === "string") return value;
    throw invalid(`Argument "${name}" must be a string, not ${kindOf(value)}`);
  }
  return undefined;
}

/** A whole number from `min`; a larger one than `max` counts as `max`. */
export function readInteger(
  args: JsonObject,
  name: string,
  { fallback, min, max }: { fallback: number; min: number; max: number },
): number {
  const value = args[name];
  if (value === undefined || value === null) return fallback;
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= min) return Math.min(number, max);
  throw invalid(`Argument "${name}" must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}`);
}

export function readBoolean(args: JsonObject, name: string): boolean {
  const value = args[name];
  if (value === undefined || value === null || value === false || value === "false") return false;
  if (value === true || value === "true") return true;
  throw invalid(`Argument "${name}" must be true or false, not ${JSON.stringify(value)}`);
}

/** An object, or its JSON text as some models send it; absent means empty. */
export function readObject(args: JsonObject, ...names: readonly string[]): JsonObject {
  for (const name of names) {
    const value = args[name];
    if (value === undefined || value === null || value === "") continue;
    if (isJsonObject(value)) return value;
    if (typeof value !== "string") throw invalid(`Argument "${name}" must be an object, not ${kindOf(value)}`);
    const parsed = parse(name, value, "object");
    if (isJsonObject(parsed)) return parsed;
    throw invalid(`Argument "${name}" must be the JSON text of an object, not of ${kindOf(parsed)}`);
  }
  return {};
}

/** A list, or its JSON text; absent means `undefined`. */
export function readList(args: JsonObject, name: string): readonly Json[] | undefined {
  const value = args[name];
  if (value === undefined || value === null || value === "") return undefined;
  const list = typeof value === "string" ? parse(name, value, "list") : value;
  if (Array.isArray(list)) return list;
  throw invalid(`Argument "${name}" must be a list, not ${kindOf(list)}`);
}

export function invalid(message: string, hint?: string): GatewayError {
  return new GatewayError("INVALID_PARAMS", message, { hint });
}

function parse(name: string, text: string, wanted: string): unknown {
  try {
    return parseExact(text);
  } catch (cause) {
    throw new GatewayError("INVALID_PARAMS", `Argument "${name}" is a string that is not valid JSON`, {
      hint: `Pass "${name}" as a JSON ${wanted}`,
      cause,
    });
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}
