/**
 * JSON in the one form that two sides can sign and compare: RFC 8785 (JCS). Whole numbers that JavaScript has no room
 * for, which that RFC leaves out (3.1, I-JSON), keep the digits they were written with.
 */
import { isLongNumber } from "./exact-json.ts";
import type { Json } from "./json.ts";

/** Members are in the order of their UTF-16 code units (3.2.3), also those that look like numbers. */
export function canonicalJson(value: Json): string {
  if (typeof value !== "object" || value === null || isLongNumber(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
}
