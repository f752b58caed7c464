/** JSON values as TypeScript sees them; the vocabulary of everything that crosses the wire. */

import { isLongNumber } from "./exact-json.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON with the keys of every object sorted: equal values give equal text, whatever order they were written in. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isJsonObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

/** Whether the text is JSON as a whole. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether arrays and objects lie in each other deeper than this. */
export function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (nestsDeeper(item, levels - 1)) return true;
  } else {
    for (const key in value) if (nestsDeeper(value[key as never], levels - 1)) return true;
  }
  return false;
}

/** The same value with every string in it replaced, keys excepted. */
export function mapStrings(value: Json, replace: (text: string) => string): Json {
  if (typeof value === "string") return replace(value);
  if (typeof value !== "object" || value === null || isLongNumber(value)) return value;
  if (Array.isArray(value)) return value.map((item: Json) => mapStrings(item, replace));
  const entries = Object.entries(value).flatMap(([key, item]) =>
    item === undefined ? [] : [[key, mapStrings(item, replace)] as const],
  );
  return Object.fromEntries(entries);
}

/** Whether `test` is true of any string in the value, keys excepted. */
export function someString(value: Json | undefined, test: (text: string) => boolean): boolean {
  if (typeof value === "string") return test(value);
  if (typeof value !== "object" || value === null) return false;
  return (Array.isArray(value) ? value : Object.values(value)).some((inner: Json | undefined) =>
    someString(inner, test),
  );
}

/** Indented for readers, except where indentation would make a small text large: many values, deep inside (T17). */
export function readableJson(value: Json): string {
  return nestsDeeper(value, 16) ? JSON.stringify(value) : JSON.stringify(value, undefined, 2);
}
