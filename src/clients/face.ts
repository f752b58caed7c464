/**
 * The MCP server the clients talk to, without a transport: doors hand in parsed messages and carry the answers out.
 * One face serves `/mcp` and every `/mcp/{backend}`; the session knows which.
 */

import type { Caller } from "../core/caller.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { RpcMessage } from "../mcp/json-rpc.ts";
import type { Session } from "./session.ts";

export interface FaceContext {
  readonly caller: Caller;
  /** `undefined` only for `initialize` and for stateless requests. */
  readonly session: Session | undefined;
  /** Backend of `/mcp/{backend}`; `undefined` on `/mcp`. */
  readonly backend: string | undefined;
  readonly requestId: string;
  /** Aborted when the client can no longer take an answer and the transport treats that as cancellation. */
  readonly signal: CancelSignal;
  /**
   * JSON text of a notification or request that belongs on the response stream of this request, before the response.
   * False when there can be no such stream: the client takes nothing but JSON, or has its answer already.
   */
  emit(messageText: string): boolean;
}

export interface Face {
  /**
   * Handles one message. Resolves with the JSON text of the response, or `undefined` for notifications and responses.
   * Never rejects: every failure is a JSON-RPC error or an `isError` result, translated here and nowhere else.
   */
  handle(message: RpcMessage, context: FaceContext): Promise<string | undefined>;
  /**
   * Handles `initialize` and makes the session, bound to the caller's principal; `isKept` lets it outlive the process,
   * for doors through which the client can come back.
   * @throws GatewayError INVALID_PARAMS, SERVER_NOT_FOUND, FORBIDDEN, SHUTTING_DOWN
   */
  initialize(
    params: unknown,
    context: Omit<FaceContext, "session" | "emit">,
    isKept?: boolean,
  ): Promise<{ session: Session; resultText: string }>;
}
