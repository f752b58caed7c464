/**
 * From the text of a message to what it is. The result of a response keeps its own text where that can be cut out
 * for certain, so that a relay which only reads it never writes it out again.
 *
 * Certain means: the text is one of the two compact envelopes that servers in the wild write, around a part that is
 * one valid JSON value by itself. Such a text has exactly the members of the envelope, so duplicates cannot hide in it.
 */
import { Answer, maxAnswerDepth } from "../core/answer.ts";
import { GatewayError } from "../core/errors.ts";
import { isJsonObject, type JsonObject, nestsDeeper } from "../lib/json.ts";
import {
  classifyMessage,
  type RequestId,
  type RpcNotificationMessage,
  type RpcRequestMessage,
  type RpcResponseMessage,
} from "./json-rpc.ts";

export type DecodedMessage =
  | RpcRequestMessage
  | RpcNotificationMessage
  | { readonly kind: "answer"; readonly id: RequestId | null; readonly answer: Answer }
  | { readonly kind: "error"; readonly id: RequestId | null; readonly error: NonNullable<RpcResponseMessage["error"]> };

const idFirst = '{"jsonrpc":"2.0","id":';
const thenResult = ',"result":';
const resultFirst = '{"result":';
const thenId = ',"jsonrpc":"2.0","id":';
const mostDigits = 15;
/**
 * What a parsed value is, when {@link decodeAnswer} did not tell.
 * @throws GatewayError INVALID_REQUEST when it is not a JSON-RPC 2.0 message, or nested without reason
 */
export function decodeValue(value: unknown): DecodedMessage {
  if (nestsDeeper(value, maxAnswerDepth))
    throw new GatewayError("INVALID_REQUEST", `The message is nested deeper than ${maxAnswerDepth} levels`);
  const message = classifyMessage(value);
  if (message.kind !== "response") return message;
  const { id, result, error } = message;
  if (error !== undefined) return { kind: "error", id, error };
  return { kind: "answer", id, answer: Answer.of(result as JsonObject) };
}

/** The quick way for a compact answer to a numeric id; `undefined` for every other text, which then needs {@link decodeValue}. */
export function decodeAnswer(text: string): DecodedMessage | undefined {
  const last = text.length - 1;
  if (text.charCodeAt(last) !== 0x7d) return undefined;
  if (text.startsWith(idFirst)) {
    const end = digitsAfter(text, idFirst.length);
    if (!text.startsWith(thenResult, end)) return undefined;
    return cut(text, end + thenResult.length, last, text.slice(idFirst.length, end));
  }
  if (text.startsWith(resultFirst)) {
    const start = digitsBefore(text, last);
    const end = start - thenId.length;
    if (end < resultFirst.length || !text.startsWith(thenId, end)) return undefined;
    return cut(text, resultFirst.length, end, text.slice(start, last));
  }
  return undefined;
}

function cut(text: string, from: number, to: number, digits: string): DecodedMessage | undefined {
  // JSON has no leading zeros, and a longer number may not be the integer it looks like.
  if (digits === "" || digits.length > mostDigits || (digits.length > 1 && digits.startsWith("0"))) return undefined;
  const result = text.slice(from, to);
  const skeleton = withoutLongStrings(result);
  // A line break is allowed between tokens, but would break the frame of whoever sends the text on (SSE, stdio).
  if (skeleton.includes("\n") || skeleton.includes("\r")) return undefined;
  const value = parseOrUndefined(skeleton);
  if (!isJsonObject(value)) return undefined;
  const answer = Answer.ofText(result, skeleton === result ? value : undefined, skeleton);
  return { kind: "answer", id: Number(digits), answer };
}

const controlCharacter = /[\u0000-\u001f]/;
const longStringChars = 16_384;
const mostStrings = 256;
/** Where more of a string is escaped, the parser is quicker with it. */
const charsPerEscape = 16;

/**
 * The text with long strings emptied: valid JSON exactly if the text is. Images, files and prose come as strings with no
 * escapes or few, and making megabytes of them, to see that they are valid, would take a fifth of the time and half the
 * memory of relaying them. A string with `\u` stays: who looks for what is written so must find it.
 */
function withoutLongStrings(text: string): string {
  if (text.length < longStringChars) return text;
  let kept = "";
  let from = 0;
  const control = text.search(controlCharacter);
  const certainEnd = control < 0 ? text.length : control;
  let backslash = indexOrEnd(text, "\\", 0);
  let start = text.indexOf('"');
  for (let seen = 0; start >= 0 && seen < mostStrings; seen++) {
    let end = indexOrEnd(text, '"', start + 1);
    let escapes = 0;
    while (backslash < end && isSimpleEscape(text.charCodeAt(backslash + 1))) {
      if (++escapes * charsPerEscape > backslash - start + longStringChars) break;
      if (backslash + 1 === end) end = indexOrEnd(text, '"', end + 1);
      backslash = indexOrEnd(text, "\\", backslash + 2);
    }
    if (backslash < end || end >= certainEnd) break;
    if (end - start > longStringChars) {
      kept += text.slice(from, start + 1);
      from = end;
    }
    start = text.indexOf('"', end + 1);
  }
  return from === 0 ? text : kept + text.slice(from);
}

function isSimpleEscape(code: number): boolean {
  switch (code) {
    case 0x22 /* " */:
    case 0x5c /* \\ */:
    case 0x2f /* / */:
    case 0x62 /* b */:
    case 0x66 /* f */:
    case 0x6e /* n */:
    case 0x72 /* r */:
    case 0x74 /* t */:
      return true;
    default:
      return false;
  }
}

function indexOrEnd(text: string, character: string, from: number): number {
  const at = text.indexOf(character, from);
  return at < 0 ? text.length : at;
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function digitsAfter(text: string, from: number): number {
  let at = from;
  while (at - from <= mostDigits && isDigit(text.charCodeAt(at))) at++;
  return at;
}

function digitsBefore(text: string, to: number): number {
  let at = to;
  while (to - at <= mostDigits && isDigit(text.charCodeAt(at - 1))) at--;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
