/** Errors by what the catcher does with them. Thrown anywhere, translated once per edge (see `mcp/error-answer.ts`). */
import { type Json, type JsonObject, mapStrings } from "../lib/json.ts";
import { errorCodes, type GatewayErrorCode } from "./error-codes.ts";

export interface ErrorDetails {
  /** What the reader can do about it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** Machine-readable facts, e.g. `{ server: "x", retry_after_ms: 1200 }`; never a secret. */
  readonly data?: JsonObject | undefined;
}

export class GatewayError extends Error {
  readonly code: GatewayErrorCode;
  readonly hint: string | undefined;
  readonly data: JsonObject | undefined;

  constructor(code: GatewayErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint;
    this.data = details.data;
  }

  /** Milliseconds after which a retry makes sense, where known. */
  get retryAfterMs(): number | undefined {
    const value = this.data?.["retry_after_ms"];
    return typeof value === "number" ? value : undefined;
  }

  /** Takes secrets out of what the error shows. */
  redact(redact: (text: string) => string): void {
    this.message = redact(this.message);
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }
}

/** Of any error: what is none of ours is a defect. */
export function errorCodeOf(error: unknown): GatewayErrorCode {
  return error instanceof GatewayError ? error.code : "INTERNAL";
}

/** Whether a server answered that it wants other credentials, or of somebody else (HTTP 401, 403). */
export function wantsOtherCredentials({ data }: GatewayError): boolean {
  return data?.["status"] === 401 || data?.["status"] === 403;
}

/** The user's file is wrong: show the text, change nothing. */
export class ConfigError extends GatewayError {
  constructor(message: string, details?: ErrorDetails) {
    super("CONFIG_INVALID", message, details);
  }
}

/** A policy said no: the upstream was not asked, so neither breaker nor retry may count it. */
export class DeniedError extends GatewayError {}

/** The upstream gave no usable answer: breaker and retry count it. */
export class UpstreamError extends GatewayError {}

/** There was no connection, so that nothing was sent: a replica of the server may be asked in its place, whatever the call does. */
export class UnreachedError extends UpstreamError {}

/** Its server waits before it is started again: worth waiting for, but the upstream was not asked, so no breaker may count it. */
export class NotStartedYetError extends UpstreamError {}

/** The upstream answered, with a JSON-RPC error: a healthy server; relayed verbatim, but for secrets of ours. */
export class UpstreamRpcError extends GatewayError {
  rpc: { readonly code: number; readonly message: string; readonly data?: Json | undefined };

  constructor(rpc: { code: number; message: string; data?: Json | undefined }, server: string, hint?: string) {
    super("UPSTREAM_ERROR", rpc.message, { hint, data: { server } });
    this.rpc = rpc;
  }

  override redact(redact: (text: string) => string): void {
    super.redact(redact);
    this.rpc = mapStrings(this.rpc, redact) as typeof this.rpc;
  }
}

/** A client answered what a server had asked it with a JSON-RPC error; relayed verbatim. */
export class ClientRpcError extends GatewayError {
  readonly rpc: { readonly code: number; readonly message: string; readonly data?: Json | undefined };

  constructor(rpc: { readonly code: number; readonly message: string; readonly data?: Json | undefined }) {
    super("INVALID_REQUEST", rpc.message);
    this.rpc = rpc;
  }
}

/** The caller went away: nobody failed. */
export class CancelledError extends GatewayError {
  constructor(message = "The request was cancelled", details?: ErrorDetails) {
    super("CANCELLED", message, details);
  }
}
