/**
 * The MCP server the clients talk to, without a transport: doors hand in parsed messages and carry the answers out.
 * One face serves `/mcp` and every `/mcp/{backend}`; the session knows which.
 */

import type { ClientEnvelope, ClientLink, NetworkPeer } from "../core/call.ts";
import type { Caller, Credentials } from "../core/caller.ts";
import type { TracedRequest } from "../core/tracing.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { RequestId, RpcMessage } from "../mcp/json-rpc.ts";
import type { Session } from "./session.ts";

/** The client of a request of 2026-07-28: all that is known of it came with the request. */
export interface ModernClient {
  readonly envelope: ClientEnvelope;
  /** The way to ask it something for that server; `undefined` when there is nothing it could be asked. */
  linkFor(server: string): ClientLink | undefined;
  /**
   * Whether the headers repeat the arguments that the tool wants repeated; without headers nothing is wrong.
   * @throws GatewayError HEADER_MISMATCH
   */
  assertHeaders(tool: JsonObject | undefined, args: Json | undefined): void;
}

export interface FaceContext {
  readonly caller: Caller;
  /** Of the request; absent where its transport has none. */
  readonly credentials?: Credentials | undefined;
  /** `undefined` only for `initialize` and for requests of 2026-07-28. */
  readonly session: Session | undefined;
  /** Only for requests of 2026-07-28. */
  readonly modern?: ModernClient | undefined;
  /** Backend of `/mcp/{backend}`; `undefined` on `/mcp`. */
  readonly backend: string | undefined;
  readonly requestId: string;
  /** Routing profile that the transport asks for: of the session that `initialize` makes, or of a request without one. */
  readonly profile?: string | undefined;
  /** Address of the request, where it has one; its query may say which tools are to be listed. */
  readonly address?: string | undefined;
  /** The other end of the connection; `undefined` where there is no network between. */
  readonly peer?: NetworkPeer | undefined;
  /** Header of the request, where it has one; see {@link TracedRequest}. */
  readonly traceparent?: string | undefined;
  /** Aborted when the client can no longer take an answer and the transport treats that as cancellation. */
  readonly signal: CancelSignal;
  /**
   * JSON text of a notification or request that belongs on the response stream of this request, before the response.
   * False when there can be no such stream: the client takes nothing but JSON, or has its answer already.
   */
  emit(messageText: string): boolean;
  /**
   * Takes the result of a long answer as it is, where the transport can send it so: putting megabytes together with the
   * few characters around them costs as much as sending them. {@link Face.handle} then resolves with `undefined`.
   */
  answerLong?(id: RequestId, resultText: string): boolean;
}

export interface Face {
  /** Loads what the first request needs, so that it does not have to wait for it. */
  warmUp(): Promise<void>;
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
