/**
 * An MCP session on one connection that carries messages both ways, whatever frames them: WebSocket, or lines on a Unix
 * socket. One connection is one session, shared by all clients; when it is lost, so is the session.
 */
import { UpstreamError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { Connection, ConnectionEvents } from "../core/upstream.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import { DuplexSession } from "../mcp/duplex-session.ts";
import { createPeer } from "../mcp/peer.ts";
import { createMessageReader } from "./message-reader.ts";

export interface SocketSettings {
  readonly name: string;
  readonly maxResultBytes: number;
  /** Protocol revision to offer first. */
  readonly offer?: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes of requests the server may leave unread, and for how long it may take none of them. */
  readonly maxUnreadBytes?: number | undefined;
  readonly unreadMs?: number | undefined;
}

const defaultMaxUnreadBytes = 64 * 1024 * 1024;
const defaultUnreadMs = 30_000;

/** The way to the server. */
export interface SocketLink {
  /** Sends one message; returns how many bytes that takes. */
  send(text: string): number;
  /** Bytes the server has not taken yet. */
  readonly waitingBytes: number;
  /** Ends the connection in good order; resolves when it is gone. */
  close(): Promise<void>;
  /** Ends it at once. */
  destroy(): void;
}

export interface SocketSession {
  /** Takes what the server sent: messages, each ended by a line feed. */
  read(bytes: Uint8Array): void;
  /** The connection is of no more use: what waits fails with this. The first error stays. */
  end(error: UpstreamError): void;
  /** Makes the session. The connection is ended when that fails. @throws as {@link DuplexSession.open} */
  open(signal: CancelSignal): Promise<Connection>;
}

export function createSocketSession(
  settings: SocketSettings,
  events: ConnectionEvents,
  link: SocketLink,
): SocketSession {
  const { name, clock, log, maxUnreadBytes = defaultMaxUnreadBytes, unreadMs = defaultUnreadMs } = settings;
  const closed = Promise.withResolvers<string>();
  let ended: UpstreamError | undefined;
  let sentBytes = 0;
  let cancelStallTimer: (() => void) | undefined;

  const end = (error: UpstreamError) => {
    if (ended !== undefined) return;
    ended = error;
    cancelStallTimer?.();
    session.close();
    peer.fail(error);
    closed.resolve(error.message);
    log.debug("The connection ended", {
      reason: error.message,
      noiseLines: messages.noiseLines,
      droppedMessages: peer.dropped,
    });
  };

  const abandon = (what: string) => {
    end(new UpstreamError("UPSTREAM_CLOSED", `Server "${name}" ${what}`, { data: { server: name } }));
    link.destroy();
  };

  /** As long as something waits, looks now and then whether the server takes any of it. */
  const watchStall = () => {
    const takenBytes = sentBytes - link.waitingBytes;
    cancelStallTimer = clock.after(unreadMs, () => {
      cancelStallTimer = undefined;
      if (link.waitingBytes === 0) return;
      if (sentBytes - link.waitingBytes > takenBytes) watchStall();
      else abandon(`was cut off because it stopped reading: ${link.waitingBytes} bytes were waiting`);
    });
  };

  const peer = createPeer({
    serverName: name,
    send(text) {
      if (ended !== undefined) return;
      sentBytes += link.send(text);
      const { waitingBytes } = link;
      if (waitingBytes === 0 || ended !== undefined) return;
      if (waitingBytes > maxUnreadBytes)
        abandon(`was cut off because it stopped reading: ${waitingBytes} bytes were waiting`);
      else if (cancelStallTimer === undefined) watchStall();
    },
    onNotification: (method, params) => session.onNotification(method, params),
    onRefused: (method, reason) => log.info("A request of the server was not relayed", { method, reason }),
  });

  const session = new DuplexSession({ serverName: name, clock, offer: settings.offer, peer, events });

  const messages = createMessageReader({
    serverName: name,
    peer,
    maxResultBytes: settings.maxResultBytes,
    log,
    onEndless: () => abandon("was cut off because it sent a message without end"),
  });

  const close = async () => {
    end(
      new UpstreamError("UPSTREAM_CLOSED", `The connection to server "${name}" was closed by the gateway`, {
        data: { server: name },
      }),
    );
    await link.close();
  };
  let closing: Promise<void> | undefined;

  return {
    read: messages.read,
    end,
    async open(signal) {
      try {
        const description = await session.open(signal);
        return {
          description,
          pid: undefined,
          request: session.request,
          notify: (method, params) => session.notify(method, params),
          closed: closed.promise,
          close: () => {
            closing ??= close();
            return closing;
          },
        };
      } catch (error) {
        abandon("did not start");
        throw error;
      }
    },
  };
}
