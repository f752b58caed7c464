/**
 * Connects to a server behind a URL and finds out by itself which of the two HTTP transports it speaks
 * (basic/transports, "Backwards Compatibility"): `initialize` by POST, and where that is not understood a GET that must
 * begin with an `endpoint` event. A URL that ends in `/sse` only changes which is tried first.
 */

import { CancelledError, GatewayError, UpstreamError, UpstreamRpcError } from "../../core/errors.ts";
import type { Connect, Connection, ConnectionEvents } from "../../core/upstream.ts";
import { version } from "../../core/version.ts";
import type { CancelSignal } from "../../lib/cancellation.ts";
import { connectSse } from "../sse/connect-sse.ts";
import { HttpStatusError } from "./http-errors.ts";
import { openExchange } from "./http-exchange.ts";
import type { HttpSettings } from "./http-settings.ts";
import { checkedHeaders } from "./request-head.ts";
import { StreamableConnection } from "./streamable-connection.ts";

type Transport = "streamable" | "sse";

/** Client errors that say nothing about the transport. */
const notEvidence = new Set([401, 403, 408, 429]);

/** What connects may be either transport; a reconnect begins with the one that was found. */
export function httpConnect(settings: HttpSettings): Connect {
  let likely: Transport | undefined;
  return async (signal, events) => {
    const url = endpointOf(settings);
    likely ??= /\/sse\/?$/.test(url.pathname) ? "sse" : "streamable";
    const found = await detect(likely, settings, url, signal, events);
    likely = found.transport;
    return found.connection;
  };
}

async function detect(
  first: Transport,
  settings: HttpSettings,
  url: URL,
  signal: CancelSignal,
  events: ConnectionEvents,
): Promise<{ transport: Transport; connection: Connection }> {
  const { name, maxResultBytes } = settings;
  const headers = {
    "user-agent": `mcp-gateway/${version}`,
    ...credentialsOf(url),
    ...checkedHeaders(name, settings.headers),
  };
  const attempt = async (transport: Transport) => {
    const http = openExchange(url, { server: name, maxBodyBytes: maxResultBytes, clock: settings.clock });
    const open = transport === "sse" ? connectSse : StreamableConnection.open;
    try {
      return { transport, connection: await open(settings, { http, url, headers, signal, events }) };
    } catch (error) {
      http.close();
      throw error;
    }
  };

  let firstError: unknown;
  try {
    return await attempt(first);
  } catch (error) {
    if (signal.aborted || !saysOther(error, first)) throw startError(error, name);
    firstError = error;
  }
  const second = first === "sse" ? "streamable" : "sse";
  try {
    return await attempt(second);
  } catch (error) {
    if (signal.aborted || !saysOther(error, second)) throw startError(error, name);
    throw speaksNeither(settings.name, url, firstError, error);
  }
}

/** Whether the failure of one transport leaves the other possible. */
function saysOther(error: unknown, tried: Transport): boolean {
  if (error instanceof HttpStatusError)
    return error.status >= 400 && error.status < 500 && !notEvidence.has(error.status);
  // A GET may well be answered with a page, or with a stream that never names an endpoint.
  return tried === "sse" && error instanceof UpstreamError && ["UPSTREAM_PROTOCOL", "TIMEOUT"].includes(error.code);
}

function endpointOf({ name, url }: HttpSettings): URL {
  const parsed = URL.parse(url);
  if (parsed !== null && (parsed.protocol === "http:" || parsed.protocol === "https:")) return parsed;
  throw new UpstreamError(
    "UPSTREAM_START_FAILED",
    `Cannot connect to server "${name}": "http_url" is not a web address`,
    {
      hint: `Write it as "https://host/path"`,
      data: { server: name },
    },
  );
}

/** `fetch` refuses a URL with credentials, and the request line has no place for them. */
function credentialsOf({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const pair = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { authorization: `Basic ${btoa(String.fromCharCode(...pair))}` };
}

/** Whatever went wrong, as a failure to start. */
function startError(error: unknown, name: string): unknown {
  if (!(error instanceof GatewayError) || error instanceof CancelledError || error.code === "TIMEOUT") return error;
  const { code, hint, data } = error;
  const message =
    error instanceof UpstreamRpcError ? `Server "${name}" refused "initialize": ${error.message}` : error.message;
  return new UpstreamError(
    code === "UPSTREAM_PROTOCOL" && !(error instanceof HttpStatusError) ? code : "UPSTREAM_START_FAILED",
    message,
    {
      hint,
      data,
      cause: error,
    },
  );
}

function speaksNeither(server: string, { origin, pathname }: URL, ...causes: unknown[]): UpstreamError {
  const reasons = causes.map((cause) => (cause instanceof Error ? cause.message : String(cause)));
  return new UpstreamError(
    "UPSTREAM_START_FAILED",
    `Server "${server}" speaks neither Streamable HTTP nor HTTP+SSE at ${origin}${pathname}: ${reasons.join("; ")}`,
    {
      hint: `Check "http_url" of the backend; usual paths are /mcp and /sse`,
      cause: causes[0],
      data: { server },
    },
  );
}
