/**
 * JSON in which whole numbers too long for JavaScript keep their digits: a 64-bit id must reach the other side as it
 * was written. Such a number becomes what `JSON.rawJSON` makes, which `JSON.stringify` writes out again unchanged.
 */

import type { Json } from "./json.ts";

const longNumber = /[[:,\s]-?\d{16}/;
const wholeNumber = /^\s*-?\d{16,}\s*$/;

/** A cheap look; it may see one where none is, in a string. */
export function mayHoldLongNumbers(text: string): boolean {
  return longNumber.test(text);
}

/** `JSON.parse`, but for long whole numbers. */
export function parseExact(text: string): unknown {
  return mayHoldLongNumbers(text) || wholeNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
}

/** A list or a map as JSON text: what tools without structured results send. `undefined` for any other text. */
export function structureIn(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return parseExact(text) as Json;
  } catch {
    return undefined;
  }
}

/** Whether it is one of them; it looks like an object. */
export function isLongNumber(value: unknown): boolean {
  return isRawJson(value);
}

/** The value with every long number as the nearest one JavaScript has, for code that calculates. */
export function withPlainNumbers<T>(value: T): T {
  const text = JSON.stringify(value);
  return mayHoldLongNumbers(text) ? JSON.parse(text) : value;
}

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return wholeNumber.test(source) && String(value) !== source ? rawJson(source) : value;
}

/** Both runtimes have it, TypeScript does not know it yet. */
const { rawJSON: rawJson, isRawJSON: isRawJson } = JSON as typeof JSON & {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
};
