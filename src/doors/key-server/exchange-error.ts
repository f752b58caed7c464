/** What the key server answers when it refuses: `error` and `error_description` of RFC 6749 5.2, and `message` as all of ours. */
import { errorCodes, type GatewayErrorCode } from "../../core/error-codes.ts";
import { GatewayError } from "../../core/errors.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { Refusal, sendJson } from "../http/respond.ts";
import type { Visit } from "../http/visit.ts";

/** With the name clients tell refusals apart by, where the code of the gateway's own table does not say it. */
export class ExchangeError extends Refusal {
  readonly oauthError: string;

  constructor(status: number, oauthError: string, message: string, waitMs?: number) {
    const seconds = waitMs === undefined ? undefined : String(Math.ceil(waitMs / 1_000));
    super(status, message, seconds === undefined ? {} : { headers: { "retry-after": seconds } });
    this.oauthError = oauthError;
  }
}

const names: Partial<Record<GatewayErrorCode, string>> = {
  UNAUTHENTICATED: "invalid_token",
  FORBIDDEN: "access_denied",
  TOO_MANY_ATTEMPTS: "too_many_attempts",
  UPSTREAM_START_FAILED: "temporarily_unavailable",
};

/** Rethrows what is not thrown on purpose. */
export function refuseExchange(visit: Visit, error: unknown): Response {
  if (!(error instanceof GatewayError)) throw error;
  const { code, retryAfterMs } = error;
  const name = error instanceof ExchangeError ? error.oauthError : (names[code] ?? "invalid_request");
  const status = error instanceof Refusal ? error.status : errorCodes[code].http;
  const message = escapeHidden(error.message);
  return sendJson(visit, status, JSON.stringify({ error: name, error_description: message, message }), {
    ...(error instanceof Refusal && error.headers),
    ...(status === 401 && { "www-authenticate": "Bearer" }),
    ...(retryAfterMs !== undefined && { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) }),
  });
}
