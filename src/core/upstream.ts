/** What the gateway needs of anything that stands behind it: an MCP server over any transport, an A2A agent, or a folder of capabilities. */
import type { CancelSignal } from "../lib/cancellation.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Answer } from "./answer.ts";
import type { RpcRequest } from "./call.ts";

/** `sse` is the HTTP+SSE transport of 2024-11-05; `group` are replicas behind one name, each of a kind of its own. */
export type UpstreamKind = "stdio" | "http" | "sse" | "websocket" | "unix" | "a2a" | "capability" | "group";

/**
 * `dormant`: never started, or stopped because idle; the next request starts it.
 * `backoff`: the last start or run failed; the next start is allowed at `retryAtMs`.
 */
export type UpstreamState =
  | { readonly is: "dormant" }
  | { readonly is: "starting" }
  | { readonly is: "ready" }
  | { readonly is: "backoff"; readonly error: string; readonly retryAtMs: number }
  | { readonly is: "stopped" };

export interface UpstreamStatus {
  readonly state: UpstreamState;
  /** Times a running connection was lost and replaced, or a start failed and was tried again. */
  readonly restartCount: number;
  readonly requestCount: number;
  readonly inFlight: number;
  readonly consecutiveFailures: number;
  readonly healthy: boolean;
  readonly pid: number | undefined;
  readonly lastError: string | undefined;
  /** Only of a `group`; the rest then speaks of all of them together. */
  readonly replicas?: readonly ReplicaStatus[];
}

export interface ReplicaStatus extends UpstreamStatus {
  /** Names it among the replicas of its server. */
  readonly id: string;
  readonly kind: UpstreamKind;
  /** Scheme and host, or the program; nothing of either that could be a secret. */
  readonly address: string;
  readonly weight: number;
  /** Requests it gave no usable answer to, failed starts included. */
  readonly failureCount: number;
  /** False while its calls go to the others because it failed. */
  readonly inRotation: boolean;
}

/** Of what was never used. */
export const asleep: UpstreamStatus = {
  state: { is: "dormant" },
  restartCount: 0,
  requestCount: 0,
  inFlight: 0,
  consecutiveFailures: 0,
  healthy: true,
  pid: undefined,
  lastError: undefined,
};

/** Of what is configured but switched off. */
export const switchedOff: UpstreamStatus = { ...asleep, state: { is: "stopped" } };

/** What the server said of itself in its `initialize` result. */
export interface ServerDescription {
  readonly protocolVersion: string;
  readonly serverInfo: JsonObject;
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
}

export interface UpstreamEvents {
  /** A notification that belongs to no request: `notifications/tools/list_changed` and its like. */
  onNotification?(upstream: Upstream, method: string, params: JsonObject): void;
  /** A connection or a new session was made (first start, wake, restart); {@link Upstream.description} is current. */
  onConnected?(upstream: Upstream): void;
  onDisconnected?(upstream: Upstream, reason: string): void;
}

/** Replicas, as far as others than their group have to know that there are several. */
export interface UpstreamGroup {
  /** Those that answer now, the one whose lists count first. */
  readonly sources: readonly Upstream[];
  /** Whether one of them answers as it should: a failure of another is then not the server's. */
  readonly isSound: boolean;
}

export interface Upstream {
  /** Configured name: the only identity of a server; `serverInfo.name` is never one. */
  readonly name: string;
  readonly kind: UpstreamKind;
  /** From the last connection; `undefined` before the first. */
  readonly description: ServerDescription | undefined;
  /** Whether a request would be sent at once, without a start. */
  readonly isReady: boolean;
  /** Only of a `group` that was used. */
  readonly group?: UpstreamGroup | undefined;
  /**
   * Starts the server when needed and sends one request.
   * @throws UpstreamRpcError when the server answered with a JSON-RPC error (relay it verbatim)
   * @throws UpstreamError when there is no answer (exit, protocol fault, start failure)
   * @throws CancelledError or the signal's reason when aborted
   */
  request(request: RpcRequest): Promise<Answer>;
  /** Sends a notification if connected; does nothing while dormant. */
  notify(method: string, params: JsonObject): void;
  /** Connects if not connected; shares one start among all who wait. */
  start(signal: CancelSignal): Promise<ServerDescription>;
  /** Drops the connection and makes a new one at the next request, ignoring back-off. */
  restart(): Promise<void>;
  status(): UpstreamStatus;
  /** Stops for good; resolves when no process or socket of it is left. Running requests get `graceMs` to finish. */
  close(graceMs: number): Promise<void>;
}

/** One live, initialized session with one server: what a transport provides and the lifecycle manages. */
export interface Connection {
  readonly description: ServerDescription;
  readonly pid: number | undefined;
  request(request: RpcRequest): Promise<Answer>;
  notify(method: string, params: JsonObject): void;
  /** Resolves with the reason once the connection is unusable, however that came about. Never rejects. */
  readonly closed: Promise<string>;
  /** Ends it in the transport's own order (stdio: stdin, SIGTERM, SIGKILL of the group). Idempotent. */
  close(): Promise<void>;
}

export interface ConnectionEvents {
  onNotification(method: string, params: JsonObject): void;
  /** The server forgot the session and has a new one: whatever it was told before, it must be told again. */
  onRenewed?(): void;
}

/** Makes a connection including the `initialize` handshake, or rejects with an `UpstreamError` that says why. */
export type Connect = (signal: CancelSignal, events: ConnectionEvents) => Promise<Connection>;
