/**
 * JSON from a client, checked for shape in one pass before it is parsed: nesting is bounded, so that a few bytes cannot
 * cost a deep stack (T17), and no member of an envelope comes twice, so that nobody reads another message than we (T18).
 */
import { GatewayError } from "../core/errors.ts";
import { parseExact } from "../lib/exact-json.ts";
import { decodeUtf8 } from "../lib/utf8.ts";

export const maxDepth = 64;
/** The envelope has five members; what vendors add is counted in ones. */
const maxEnvelopeMembers = 32;

/** @throws GatewayError PARSE_ERROR */
export function decodeBody(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    throw new GatewayError("PARSE_ERROR", "The message is not valid UTF-8", { cause });
  }
}

/** @throws GatewayError PARSE_ERROR, INVALID_REQUEST */
export function parseJson(text: string): unknown {
  checkShape(text);
  try {
    return parseExact(text);
  } catch (cause) {
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    throw new GatewayError("PARSE_ERROR", `The message is not valid JSON${why}`, { cause });
  }
}

/** Looks at structure only; whatever else is wrong with the text, `JSON.parse` will say. */
function checkShape(text: string): void {
  let depth = 0;
  let envelopeDepth = 0;
  let keyComes = false;
  let keys: string[] = [];
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22 /* " */:
        {
          const end = endOfString(text, at);
          if (end < 0) return;
          if (keyComes && depth === envelopeDepth) {
            keyComes = false;
            addKey(keys, text, at, end);
          }
          at = end;
          break;
        }
      case 0x7b /* { */:
        if (depth === 0) envelopeDepth = 1;
        enter(++depth);
        if (depth === envelopeDepth) {
          keys = [];
          keyComes = true;
        }
        break;
      case 0x5b /* [ */:
        // The messages of a batch lie one level deeper.
        if (depth === 0) envelopeDepth = 2;
        enter(++depth);
        break;
      case 0x7d /* } */:
      case 0x5d /* ] */:
        depth--;
        break;
      case 0x2c /* , */:
        if (depth === envelopeDepth) keyComes = true;
    }
  }
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}

function addKey(keys: string[], text: string, start: number, end: number): void {
  let key = text.slice(start + 1, end);
  // `"m\u0065thod"` is "method" to the parser.
  if (key.includes("\\")) key = unescaped(text.slice(start, end + 1));
  if (keys.includes(key))
    throw new GatewayError("INVALID_REQUEST", `The message has "${key}" twice`, { hint: "Send every member once" });
  if (keys.length === maxEnvelopeMembers)
    throw new GatewayError("INVALID_REQUEST", `The message has more than ${maxEnvelopeMembers} members`);
  keys.push(key);
}

function unescaped(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}

function enter(depth: number): void {
  if (depth > maxDepth)
    throw new GatewayError("INVALID_REQUEST", `The message is nested deeper than ${maxDepth} levels`);
}
