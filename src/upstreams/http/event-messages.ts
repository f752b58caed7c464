/** JSON-RPC messages out of an event stream of a server, and its failures as errors of ours. */
import type { UpstreamError } from "../../core/errors.ts";
import { parseExact } from "../../lib/exact-json.ts";
import type { TextSurvey } from "../../lib/text-survey/text-survey.ts";
import { type DecodedMessage, decodeAnswer, decodeValue } from "../../mcp/decode-answer.ts";
import { SseEventTooLarge, SseReader } from "../../mcp/sse.ts";
import { answerTooLarge, excerpt, protocolError, reasonOf } from "./http-errors.ts";
import type { ResponseHead } from "./http-exchange.ts";

export function isSuccess({ status }: ResponseHead): boolean {
  return status >= 200 && status < 300;
}

/** Without parameters, in lower case; empty when there is none. */
export function contentType({ headers }: ResponseHead): string {
  const value = headers.get("content-type") ?? "";
  const end = value.indexOf(";");
  return (end < 0 ? value : value.slice(0, end)).trim().toLowerCase();
}

export function isEventStream(head: ResponseHead): boolean {
  return isSuccess(head) && contentType(head) === "text/event-stream";
}

/**
 * One message, or the several of a batch, which servers of 2025-03-26 may answer with.
 * @param survey of the text, where there is one
 * @throws UpstreamError UPSTREAM_PROTOCOL
 */
export function decodeMessages(server: string, text: string, survey?: TextSurvey): readonly DecodedMessage[] {
  const answer = decodeAnswer(text, survey);
  if (answer !== undefined) return [answer];
  try {
    const value = parseExact(text);
    return Array.isArray(value) ? value.map(decodeValue) : [decodeValue(value)];
  } catch (cause) {
    throw protocolError(server, `gave an invalid answer: ${reasonOf(cause)}: ${excerpt(text)}`, { cause });
  }
}

/** Reads the stream and calls back with the data of every message in it; other kinds of events are of no interest here. */
export function messageReader(maxEventBytes: number, onData: (data: string) => void): SseReader {
  return new SseReader(maxEventBytes, ({ event, data }) => {
    if (event === "message" && data !== "") onData(data);
  });
}

const defaultRetryMs = 1_000;
const shortestRetryMs = 100;
const longestRetryMs = 60_000;

/** The pause before a stream is asked for again, as the server wants it (`retry:`) within reason. */
export function reconnectMs(retryMs = defaultRetryMs): number {
  return Math.min(Math.max(retryMs, shortestRetryMs), longestRetryMs);
}

/** @throws UpstreamError for a stream that cannot be read on */
export function readEvents(reader: SseReader, bytes: Uint8Array, server: string, maxEventBytes: number): void {
  try {
    reader.push(bytes);
  } catch (error) {
    throw streamError(error, server, maxEventBytes);
  }
}

function streamError(error: unknown, server: string, maxEventBytes: number): UpstreamError | unknown {
  if (error instanceof SseEventTooLarge) return answerTooLarge(server, maxEventBytes);
  if (error instanceof TypeError) return protocolError(server, "sent events that are not UTF-8", { cause: error });
  return error;
}
