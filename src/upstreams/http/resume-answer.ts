/**
 * An answer whose stream ended before it came is fetched from where the stream ended, if its events had ids: networks cut
 * streams, and a server may end the one of a long call on purpose, to be polled for the rest (basic/transports of
 * 2025-11-25, "Resumability and Redelivery").
 */
import { abortError } from "../../core/abort-error.ts";
import type { Answer } from "../../core/answer.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { sleep } from "../../lib/sleep.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { PostedRequest } from "./posted-request.ts";
import type { RequestHead } from "./request-head.ts";

export interface ResumeOptions {
  readonly http: HttpExchange;
  readonly clock: Clock;
  /** Of the GET that asks for what comes after this event. */
  head(lastEventId: string): RequestHead;
}

/** Attempts without a new event after which the server is believed to have lost the rest. */
const maxVainAttempts = 5;

/** Whether the error means that more of the answer may be had. */
export function isCutOff(error: unknown, posted: PostedRequest): boolean {
  return error instanceof GatewayError && error.code === "UPSTREAM_CLOSED" && posted.resumePoint !== undefined;
}

/** @throws the `error` that cut it off where the rest cannot be had, else as any request does */
export async function resumedAnswer(posted: PostedRequest, error: unknown, options: ResumeOptions): Promise<Answer> {
  const { signal } = posted;
  let vainAttempts = 0;
  while (vainAttempts < maxVainAttempts) {
    const point = posted.resumePoint;
    if (point === undefined) break;
    await sleep(point.delayMs, signal, options.clock).catch(() => {
      throw abortError(signal);
    });
    try {
      return posted.answer(await options.http.send(posted.continuedBy(options.head(point.lastEventId))));
    } catch (again) {
      if (signal.aborted) throw again;
      const isLost = again instanceof GatewayError && /^UPSTREAM_(CLOSED|START_FAILED)$/.test(again.code);
      if (!isLost) throw again;
      vainAttempts = posted.resumePoint?.lastEventId === point.lastEventId ? vainAttempts + 1 : 0;
    }
  }
  throw error;
}
