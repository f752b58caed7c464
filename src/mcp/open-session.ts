/**
 * Opens a duplex connection to a server in the era it speaks (basic/versioning of 2026-07-28, "stdio"). Servers of the
 * legacy eras may exit at a request they do not expect, so `initialize` goes first; one that knows nothing but the newer
 * revision refuses it, and lives.
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
import type { Peer } from "./peer.ts";

/** `Method not found`, and `UnsupportedProtocolVersionError` of 2026-07-28. */
const refusalCodes: ReadonlySet<number> = new Set([-32_601, -32_022]);

export interface OpenSessionOptions {
  readonly serverName: string;
  readonly clock: Clock;
  /** Aborting ends the opening. */
  readonly signal: CancelSignal;
  /** Revision to offer first; `2026-07-28` means that era and no other. */
  readonly offer: string | undefined;
  readonly peer: Peer;
  readonly events: ConnectionEvents;
}

export interface OpenedSession {
  readonly description: ServerDescription;
  request(request: RpcRequest): Promise<Answer>;
  notify(method: string, params: JsonObject): void;
  /** A notification of the server that belongs to no request. */
  onNotification(method: string, params: JsonObject): void;
  close(): void;
}

/** @throws as {@link handshake} */
export async function openSession(options: OpenSessionOptions): Promise<OpenedSession> {
  if (options.offer === modernVersion) return openModern(options);
  const { serverName, signal, offer, peer, events } = options;
  try {
    const description = await handshake({
      serverName,
      signal,
      offer,
      request: peer.request,
      notify: peer.notify,
    });
    const { request, notify } = peer;
    return { description, request, notify, onNotification: events.onNotification, close() {} };
  } catch (error) {
    if (!isRefusal(error) || offer !== undefined) throw error;
    return await openModern(options).catch(() => {
      throw error;
    });
  }
}

/** Whether the server answered as one does that has no `initialize`. */
function isRefusal(error: unknown): boolean {
  const refusal = error instanceof Error && error.cause instanceof UpstreamRpcError ? error.cause : error;
  if (!(refusal instanceof UpstreamRpcError)) return false;
  const { rpc } = refusal;
  return refusalCodes.has(rpc.code) || JSON.stringify(rpc).includes(modernVersion);
}

async function openModern({ serverName, clock, signal, peer, events }: OpenSessionOptions): Promise<OpenedSession> {
  // Few stdio servers are of that era alone; the others are not to pay for it at their start.
  const { ModernSession } = await import("./modern-session.ts");
  const exchange = (request: RpcRequest) =>
    // What a listening tells names no request here, and log messages are not for it.
    peer.request(request.method === "subscriptions/listen" ? { ...request, onNotification: undefined } : request);
  const options = { serverName, clock, events, exchange };
  const { session, description } = await ModernSession.discover(options, signal);
  return {
    description,
    request: (request) => session.request(request),
    notify() {},
    onNotification: (method, params) => session.onNotification(method, params),
    close: () => session.close(),
  };
}
