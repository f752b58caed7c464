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
import { surveyText, type TextSurvey } from "../lib/text-survey/text-survey.ts";
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

/**
 * The quick way for a compact answer to a numeric id; `undefined` for every other text, which then needs {@link decodeValue}.
 * @param survey of the text, where there is one; the answer takes it over
 */
export function decodeAnswer(text: string, survey?: TextSurvey): DecodedMessage | undefined {
  const last = text.length - 1;
  if (text.charCodeAt(last) !== 0x7d) return undefined;
  if (text.startsWith(idFirst)) {
    const end = digitsAfter(text, idFirst.length);
    if (!text.startsWith(thenResult, end)) return undefined;
    return cut(text, end + thenResult.length, last, text.slice(idFirst.length, end), survey);
  }
  if (text.startsWith(resultFirst)) {
    const start = digitsBefore(text, last);
    const end = start - thenId.length;
    if (end < resultFirst.length || !text.startsWith(thenId, end)) return undefined;
    return cut(text, resultFirst.length, end, text.slice(start, last), survey);
  }
  return undefined;
}

function cut(
  text: string,
  from: number,
  to: number,
  digits: string,
  whole: TextSurvey | undefined,
): DecodedMessage | undefined {
  // JSON has no leading zeros, and a longer number may not be the integer it looks like.
  if (digits === "" || digits.length > mostDigits || (digits.length > 1 && digits.startsWith("0"))) return undefined;
  const result = text.slice(from, to);
  const survey = whole?.cut(result, from, to) ?? surveyText(result);
  const skeleton = survey?.skeleton ?? result;
  // A line break is allowed between tokens, but would break the frame of whoever sends the text on (SSE, stdio).
  if (skeleton.includes("\n") || skeleton.includes("\r")) return undefined;
  const value = parseOrUndefined(skeleton);
  if (!isJsonObject(value)) return undefined;
  const answer = Answer.ofText(result, skeleton === result ? value : undefined, survey);
  return { kind: "answer", id: Number(digits), answer };
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
