/** One legacy client session: who it belongs to, what was negotiated, and the stream for messages that answer no request. */
import type { Caller } from "../core/caller.ts";
import type { Cancellation } from "../lib/cancellation.ts";
import type { JsonObject } from "../lib/json.ts";
import type { LegacyVersion } from "../mcp/protocol.ts";
import type { ClientRequests } from "./client-requests.ts";
import type { Watcher } from "./subscriptions.ts";

export interface Session extends Watcher {
  /** 256 random bits, base64url; on HTTP the `Mcp-Session-Id`. A handle, never a proof of identity. */
  readonly id: string;
  readonly principal: string;
  /**
   * Who holds it, as its last request showed: what decides whether it may be told what it did not ask for. `undefined`
   * until the first request to this process, and from when rights were changed until the next.
   */
  caller: Caller | undefined;
  /** Backend of `/mcp/{backend}`; `undefined` on `/mcp`. A session id of one is unknown on the other. */
  readonly backend: string | undefined;
  readonly protocolVersion: LegacyVersion;
  readonly clientInfo: JsonObject;
  readonly clientCapabilities: JsonObject;
  /** Routing profile that was asked for; `undefined` means the key's or the default one. */
  profile: string | undefined;
  /** Decides which of the capabilities with `visible_in_states` are there. */
  state: string;
  /** Whether there is anything that servers may ask this client. */
  readonly canBeAsked: boolean;
  /** From `logging/setLevel`; `undefined` until the client sets one, which means every level. */
  logLevel: string | undefined;
  /** Monotonic milliseconds of the last message from the client. */
  lastSeenMs: number;
  /** Running requests by JSON-RPC id (`typeof` and value both count: 1 is not "1"), for `notifications/cancelled`. */
  readonly running: Map<string | number, Cancellation>;
  /** What servers asked this client and still wait for. */
  readonly questions: ClientRequests;
  /** Elicitations by address that were shown to this client, as `server\0elicitationId`: it is to hear of their end. */
  readonly elicitations: Set<string>;
  /**
   * Where messages go that belong to no request: the GET stream on HTTP, stdout on stdio. While none is attached they
   * are kept up to `buffer_size`, equal ones once, the oldest giving way first.
   */
  push(messageText: string): void;
  /** Attaches the stream; a previous one is told to end. Returns the function that detaches it. */
  attach(send: (messageText: string) => void, end: () => void): () => void;
  readonly streaming: boolean;
}

export interface SessionTable {
  /** @param isKept whether it is to outlive this process */
  open(
    init: Pick<Session, "principal" | "backend" | "protocolVersion" | "clientInfo" | "clientCapabilities"> &
      Partial<Pick<Session, "profile" | "state">>,
    isKept?: boolean,
  ): Session;
  /** Resolves when other gateways can find the new session, if there are any. */
  share(session: Session): Promise<void>;
  /** The session if it exists, belongs to this principal and this endpoint; marks it as seen. Otherwise `undefined`: the door answers 404 in every case. */
  find(id: string, principal: string, backend: string | undefined): Session | undefined;
  /** As {@link find}, for a session that an earlier process of this gateway opened, or another gateway. */
  restore(id: string, principal: string, backend: string | undefined): Promise<Session | undefined>;
  /** Keeps what changed about the session, where it is kept. */
  save(session: Session): void;
  /** Hands on a message of the client that nobody here waits for. */
  tellPeers(session: Session, messageText: string): void;
  /** Whether this principal holds the session, on whatever endpoint. */
  has(id: string, principal: string): boolean;
  /** Ends it: cancels what runs, ends its stream. Returns whether it existed for this principal. */
  close(id: string, principal: string): boolean;
  readonly size: number;
  all(): Iterable<Session>;
  /** Ends every session and the reaper; those that are kept can be restored by the next process. */
  closeAll(): Promise<void>;
}
