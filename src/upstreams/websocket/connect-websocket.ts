/** An MCP server behind a `ws://` or `wss://` address: one frame of text is one message. */
import { untilAborted } from "../../core/abort-error.ts";
import { UnreachedError, UpstreamError } from "../../core/errors.ts";
import type { Connect, Connection, ConnectionEvents } from "../../core/upstream.ts";
import { version } from "../../core/version.ts";
import type { CancelSignal } from "../../lib/cancellation.ts";
import { connectSocket } from "../../runtime/socket.ts";
import { asStartError, cannotReach, excerpt, hungUp, protocolError } from "../http/http-errors.ts";
import type { FindAddresses } from "../http/public-addresses.ts";
import { checkedHeaders, credentialsOf } from "../http/request-head.ts";
import { createSocketSession, type SocketSettings } from "../socket-session.ts";
import { encodeClose, encodeFrame, FrameFault, FrameReader, opcodes } from "./frame.ts";
import { Upgrade } from "./upgrade.ts";

export interface WebSocketSettings extends SocketSettings {
  /** A user and password in it become a Basic `Authorization`. */
  readonly url: string;
  /** Where the URL may lead; left out, anywhere. */
  readonly findAddresses?: FindAddresses | undefined;
  /** Sent with the handshake; all there is of credentials. */
  readonly headers: Readonly<Record<string, string>>;
}

const normalClosure = 1000;
/** Time the server has to take the good-bye and close the connection. */
const goodByeMs = 500;
/** What may wait for a server that is pinging: beyond it pings stay unanswered (RFC 6455 5.5.3 wants only the last one's). */
const maxWaitingForPong = 65_536;
const lineFeed = 0x0a;
const blank = 0x20;
const messageEnd = Uint8Array.of(lineFeed);

export function webSocketConnect(settings: WebSocketSettings): Connect {
  return async (signal, events) => {
    try {
      return await connectAnywhere(settings, signal, events);
    } catch (error) {
      throw asStartError(error, settings.name);
    }
  };
}

/** One address after the other, as long as there is no connection. */
async function connectAnywhere(
  settings: WebSocketSettings,
  signal: CancelSignal,
  events: ConnectionEvents,
): Promise<Connection> {
  const { findAddresses, url } = settings;
  if (findAddresses === undefined) return connect(settings, undefined, signal, events);
  let unreached: unknown;
  for (const address of await untilAborted(findAddresses(new URL(url)), signal)) {
    try {
      return await connect(settings, address, signal, events);
    } catch (error) {
      if (!(error instanceof UnreachedError)) throw error;
      unreached = error;
    }
  }
  throw unreached;
}

/** @param address literal one that stands for the host of the URL */
async function connect(
  settings: WebSocketSettings,
  address: string | undefined,
  signal: CancelSignal,
  events: ConnectionEvents,
): Promise<Connection> {
  const { name, clock } = settings;
  const url = new URL(settings.url);
  const isTls = url.protocol === "wss:";
  const headers = {
    "user-agent": `mcp-gateway/${version}`,
    ...credentialsOf(url),
    ...checkedHeaders(name, settings.headers),
  };
  const host = hostOf(url);
  const upgrade = new Upgrade(name, url, headers);
  const upgraded = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  let isOpen = false;
  let saidGoodBye = false;

  const sayGoodBye = () => {
    if (!saidGoodBye) socket.write(encodeClose(normalClosure));
    saidGoodBye = true;
  };

  const end = (error: UpstreamError) => {
    upgraded.reject(error);
    session.end(error);
  };

  const socket = connectSocket(
    {
      host: address ?? host,
      port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
      tls: isTls ? host : undefined,
    },
    {
      onData(bytes) {
        try {
          const frames = isOpen ? bytes : upgrade.read(bytes);
          if (frames === undefined) return;
          if (!isOpen) upgraded.resolve();
          isOpen = true;
          reader.push(frames);
        } catch (error) {
          end(explained(name, error));
          socket.destroy();
        }
      },
      onClose(error) {
        if (!socket.opened) end(cannotReach(name, error ?? "the connection was closed"));
        else end(hungUp(name, isOpen ? "without a good-bye" : "before it answered the WebSocket handshake", error));
        gone.resolve();
      },
    },
  );

  const session = createSocketSession(settings, events, {
    send(text) {
      const frame = encodeFrame(opcodes.text, text);
      socket.write(frame);
      return frame.byteLength;
    },
    get waitingBytes() {
      return socket.waitingBytes;
    },
    async close() {
      if (isOpen) sayGoodBye();
      const cancel = clock.after(goodByeMs, () => socket.destroy());
      if (!isOpen) socket.destroy();
      await gone.promise;
      cancel();
    },
    destroy: () => socket.destroy(),
  });

  const reader = new FrameReader({
    onPiece: (bytes) => session.read(onOneLine(bytes)),
    onMessageEnd: () => session.read(messageEnd),
    onPing(payload) {
      if (socket.waitingBytes < maxWaitingForPong) socket.write(encodeFrame(opcodes.pong, payload));
    },
    onClose(code, reason) {
      const said = reason === "" ? "" : `: ${excerpt(reason)}`;
      end(hungUp(name, `with code ${code ?? "none"}${said}`));
      sayGoodBye();
      socket.destroy();
    },
  });

  socket.write(upgrade.request);
  try {
    await untilAborted(upgraded.promise, signal);
    return await session.open(signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function hostOf({ hostname }: URL): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

function explained(name: string, error: unknown): UpstreamError {
  if (error instanceof FrameFault)
    return protocolError(name, `broke the rules of WebSocket with ${error.message}`, { cause: error });
  if (error instanceof UpstreamError) return error;
  throw error;
}

/** The reader of messages takes one per line. JSON has line feeds only where a blank does as well. */
function onOneLine(bytes: Uint8Array): Uint8Array {
  let at = bytes.indexOf(lineFeed);
  if (at < 0) return bytes;
  const line = bytes.slice();
  for (; at >= 0; at = line.indexOf(lineFeed, at + 1)) line[at] = blank;
  return line;
}
