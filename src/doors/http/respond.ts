/** Every response is made here, so that none goes out without its request id and the headers that protect browsers. */
import { errorCodes } from "../../core/error-codes.ts";
import { GatewayError } from "../../core/errors.ts";
import { toRpcError } from "../../mcp/error-answer.ts";
import { encodeError, type RequestId } from "../../mcp/json-rpc.ts";
import type { Asker } from "./visit.ts";

export type ExtraHeaders = Readonly<Record<string, string>>;

/** An answer of HTTP's own for which the table of error codes has no status: 405, 406, 415 and the like. */
export class Refusal extends GatewayError {
  readonly status: number;
  readonly headers: ExtraHeaders | undefined;

  constructor(status: number, message: string, details: { hint?: string; headers?: ExtraHeaders } = {}) {
    super("INVALID_REQUEST", message, { hint: details.hint });
    this.status = status;
    this.headers = details.headers;
  }
}

/** Nothing but the dashboard is to be shown, framed or kept by a browser. */
const protection: ExtraHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};
const bodiless = new Headers(protection);
// Copying a Headers object costs a quarter of building one from names and values.
const ofJson = new Headers({ ...protection, "content-type": "application/json" });

export function send(
  asker: Asker,
  status: number,
  contentType: string,
  body: string | ReadableStream<Uint8Array>,
  extra?: ExtraHeaders,
): Response {
  return respond(asker, status, bodiless, body, { "content-type": contentType, ...extra });
}

export function sendJson(
  asker: Asker,
  status: number,
  text: string | ReadableStream<Uint8Array>,
  extra?: ExtraHeaders,
): Response {
  return respond(asker, status, ofJson, text, extra);
}

/** 202, 204 or a redirect. */
export function sendEmpty(asker: Asker, status: number, extra?: ExtraHeaders): Response {
  return respond(asker, status, bodiless, null, extra);
}

function respond(
  asker: Asker,
  status: number,
  base: Headers,
  body: string | ReadableStream<Uint8Array> | null,
  extra: ExtraHeaders | undefined,
): Response {
  // Set before they are copied: the headers of a response become an object of their own when they are reached for.
  base.set("x-request-id", asker.requestId);
  const response = new Response(body, { status, headers: base });
  if (extra === undefined && asker.crossOrigin === undefined) return response;
  const { headers } = response;
  if (extra !== undefined) for (const [name, value] of Object.entries(extra)) headers.set(name, value);
  if (asker.crossOrigin !== undefined) {
    headers.set("access-control-allow-origin", asker.crossOrigin);
    headers.set("access-control-expose-headers", "Mcp-Session-Id, X-Request-Id, WWW-Authenticate, Retry-After");
    headers.set("vary", "Origin");
  }
  return response;
}

/** The one translation of errors at this edge: HTTP status and a JSON-RPC error, whatever the route. */
export function refuse(asker: Asker, error: unknown, id: RequestId | null = null): Response {
  const text = encodeError(id, toRpcError(error, asker.requestId));
  if (error instanceof Refusal) return sendJson(asker, error.status, text, error.headers);
  if (!(error instanceof GatewayError)) return sendJson(asker, errorCodes.INTERNAL.http, text);
  return sendJson(asker, errorCodes[error.code].http, text, headersOf(error));
}

function headersOf(error: GatewayError): ExtraHeaders | undefined {
  if (error.code === "UNAUTHENTICATED") return { "www-authenticate": "Bearer" };
  const { retryAfterMs } = error;
  return retryAfterMs === undefined ? undefined : { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) };
}
