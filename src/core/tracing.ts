/** Spans as the rest of the program sees them; what becomes of them is the business of `observe/traces/`. */
import type { JsonObject } from "../lib/json.ts";
import type { Call } from "./call.ts";

/** A request of a client, as far as a span tells of it. */
export interface TracedRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params: JsonObject | undefined;
  /** Backend of `/mcp/{backend}`. */
  readonly backend: string | undefined;
  readonly sessionId: string | undefined;
  /** Name of the caller. */
  readonly caller: string;
  /** Of the gateway, as in its log. */
  readonly requestId: string;
  /** Header of the HTTP request; the one in `_meta` goes before it. */
  readonly traceparent: string | undefined;
}

export interface Span {
  /** `traceparent` and its like, for the `_meta` of whatever is done for it. */
  readonly context: JsonObject;
  /**
   * @param errorType code of the error, or `tool_error`; `undefined` when all went well
   * @param rpcCode of a JSON-RPC error of the server
   */
  end(errorType?: string, rpcCode?: number): void;
}

export interface Tracer {
  /** What the gateway does for a request. */
  spanOfRequest(request: TracedRequest): Span;
  /** What a backend does for a call; its parent is in the call's `_meta`. */
  spanOfCall(call: Call): Span;
}
