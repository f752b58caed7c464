/**
 * A session over a duplex connection, in the era the server speaks (basic/versioning of 2026-07-28, "stdio"). Servers of
 * the legacy eras may exit at a request they do not expect, so `initialize` goes first; one that knows nothing but the
 * newer revision refuses it, and lives.
 */
import type { Answer } from "../core/answer.ts";
import type { RpcRequest } from "../core/call.ts";
import { UpstreamRpcError } from "../core/errors.ts";
import type { ConnectionEvents, ServerDescription } from "../core/upstream.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import { modernVersion } from "./envelope.ts";
import { handshake } from "./handshake.ts";
import type { ModernSession } from "./modern-session.ts";
import type { Peer } from "./peer.ts";

export interface DuplexSessionOptions {
  readonly serverName: string;
  readonly clock: Clock;
  /** Revision to offer first; `2026-07-28` means that era and no other. */
  readonly offer: string | undefined;
  readonly peer: Peer;
  readonly events: ConnectionEvents;
}

/** `Method not found`, and `UnsupportedProtocolVersionError` of 2026-07-28. */
const refusalCodes: ReadonlySet<number> = new Set([-32_601, -32_022]);

export class DuplexSession {
  readonly #options: DuplexSessionOptions;
  #modern: ModernSession | undefined;

  constructor(options: DuplexSessionOptions) {
    this.#options = options;
  }

  /** @throws as {@link handshake} */
  async open(signal: CancelSignal): Promise<ServerDescription> {
    const { serverName, offer, peer } = this.#options;
    if (offer === modernVersion) return this.#openModern(signal);
    try {
      return await handshake({ serverName, signal, offer, request: peer.request, notify: peer.notify });
    } catch (error) {
      if (!isRefusal(error) || offer !== undefined) throw error;
      return await this.#openModern(signal).catch(() => {
        throw error;
      });
    }
  }

  /** A promise more would cost every call of the legacy eras. */
  get request(): (request: RpcRequest) => Promise<Answer> {
    const modern = this.#modern;
    return modern === undefined ? this.#options.peer.request : (request) => modern.request(request);
  }

  notify(method: string, params: JsonObject): void {
    if (this.#modern === undefined) this.#options.peer.notify(method, params);
  }

  /** A notification of the server that belongs to no request. */
  onNotification(method: string, params: JsonObject): void {
    (this.#modern ?? this.#options.events).onNotification(method, params);
  }

  close(): void {
    this.#modern?.close();
  }

  async #openModern(signal: CancelSignal): Promise<ServerDescription> {
    // Few servers on pipes are of that era alone; the others are not to pay for it at their start.
    const { ModernSession } = await import("./modern-session.ts");
    const { serverName, clock, events, peer } = this.#options;
    const exchange = (request: RpcRequest) =>
      // What a listening tells names no request here, and log messages are not for it.
      peer.request(request.method === "subscriptions/listen" ? { ...request, onNotification: undefined } : request);
    const { session, description } = await ModernSession.discover({ serverName, clock, events, exchange }, signal);
    this.#modern = session;
    await session.listening(signal);
    return description;
  }
}

/** Whether the server answered as one does that has no `initialize`. */
function isRefusal(error: unknown): boolean {
  const refusal = error instanceof Error && error.cause instanceof UpstreamRpcError ? error.cause : error;
  if (!(refusal instanceof UpstreamRpcError)) return false;
  const { rpc } = refusal;
  return refusalCodes.has(rpc.code) || JSON.stringify(rpc).includes(modernVersion);
}
