/**
 * An MCP server on a Unix socket, `unix:///path`. Two kinds listen there, and which one it is shows by itself: those that
 * take a message per line, as over stdio, and HTTP servers, to whom such a line is a bad request. `unix:///path:/mcp`
 * names the path of an HTTP server; `/mcp` is tried otherwise.
 */
import { type GatewayError, UpstreamError } from "../../core/errors.ts";
import type { Connect, Connection, ConnectionEvents } from "../../core/upstream.ts";
import type { CancelSignal } from "../../lib/cancellation.ts";
import { connectSocket } from "../../runtime/socket.ts";
import type { AlwaysAttached } from "../http/attaching-exchange.ts";
import { asStartError, cannotReach, hungUp } from "../http/http-errors.ts";
import { createSocketSession, type SocketSettings } from "../socket-session.ts";

export interface UnixSettings extends SocketSettings {
  readonly url: string;
  /** For HTTP servers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly attached?: AlwaysAttached | undefined;
}

const usualHttpPath = "/mcp";
const httpAnswer = "HTTP/1.";

/** A reconnect begins with the kind that was found, and looks again when that fails. */
export function unixConnect(settings: UnixSettings): Connect {
  const { name } = settings;
  const { path, httpPath } = placeOf(settings.url);
  const isNamed = httpPath !== undefined;
  let speaksHttp = isNamed;
  let connectByHttp: Connect | undefined;

  return async (signal, events) => {
    const lines = speaksHttp ? undefined : await connectByLines(settings, path, signal, events);
    if (lines !== undefined && "connection" in lines) return lines.connection;
    if (connectByHttp === undefined) {
      const { httpConnect } = await import("../http/connect-http.ts");
      connectByHttp ??= httpConnect({
        ...settings,
        url: `http://localhost${httpPath ?? usualHttpPath}`,
        socketPath: path,
      });
    }
    try {
      const connection = await connectByHttp(signal, events);
      speaksHttp = true;
      return connection;
    } catch (error) {
      speaksHttp = isNamed;
      if (lines === undefined || signal.aborted) throw error;
      throw speaksNeither(name, path, lines.refusal, error as GatewayError);
    }
  };
}

/** The connection, or why the server is none that takes lines. */
type ByLines = { readonly connection: Connection } | { readonly refusal: UpstreamError };

async function connectByLines(
  settings: UnixSettings,
  path: string,
  signal: CancelSignal,
  events: ConnectionEvents,
): Promise<ByLines> {
  const { name } = settings;
  const gone = Promise.withResolvers<void>();
  /** The first bytes that came, until they tell what the server is. */
  let first: string | undefined = "";
  let refusal: UpstreamError | undefined;

  const refuse = (what: string) => {
    refusal = new UpstreamError("UPSTREAM_PROTOCOL", `Server "${name}" ${what}`, { data: { server: name } });
    session.end(refusal);
  };

  const socket = connectSocket(
    { path },
    {
      onData(bytes) {
        if (first !== undefined) {
          first += bytes.subarray(0, httpAnswer.length).toString("latin1");
          if (first.startsWith(httpAnswer)) {
            refuse("answered a line with HTTP");
            socket.destroy();
            return;
          }
          if (first.length >= httpAnswer.length || !httpAnswer.startsWith(first)) first = undefined;
        }
        session.read(bytes);
      },
      onClose(error) {
        if (!socket.opened) session.end(cannotReach(name, error ?? "the connection was closed"));
        else if (first === "") refuse("hung up on a line");
        else session.end(hungUp(name, "on its Unix socket", error));
        gone.resolve();
      },
    },
  );

  const session = createSocketSession(settings, events, {
    send(text) {
      const line = `${text}\n`;
      socket.write(line);
      return Buffer.byteLength(line);
    },
    get waitingBytes() {
      return socket.waitingBytes;
    },
    async close() {
      socket.destroy();
      await gone.promise;
    },
    destroy: () => socket.destroy(),
  });

  try {
    return { connection: await session.open(signal) };
  } catch (error) {
    if (refusal === undefined || signal.aborted) throw asStartError(error, name);
    return { refusal };
  }
}

/** The socket of an address that was found to be one, and the path of an HTTP server on it. */
export function placeOf(address: string): { readonly path: string; readonly httpPath: string | undefined } {
  const { pathname } = new URL(address);
  // A path with a bare percent sign is one too.
  const whole = /%(?![0-9a-f]{2})/i.test(pathname) ? pathname : decodeURIComponent(pathname);
  const at = whole.indexOf(":/");
  return at < 0
    ? { path: whole, httpPath: undefined }
    : { path: whole.slice(0, at), httpPath: encodeURI(whole.slice(at + 1)) };
}

function speaksNeither(server: string, path: string, byLines: UpstreamError, byHttp: GatewayError): UpstreamError {
  return new UpstreamError(
    "UPSTREAM_START_FAILED",
    `Server "${server}" takes neither lines of JSON-RPC nor HTTP on "${path}": ${byLines.message}; ${byHttp.message}`,
    {
      hint: `Check "http_url" of the backend; "unix://${path}:/other" names another path than ${usualHttpPath} of an HTTP server`,
      cause: byHttp,
      data: { server },
    },
  );
}
