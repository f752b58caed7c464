/**
 * Connects to a server behind a URL and finds out by itself how it speaks (basic/versioning of 2026-07-28, and
 * basic/transports, "Backwards Compatibility"): `server/discover` by POST, where that is not understood `initialize` by
 * POST, and last a GET that must begin with an `endpoint` event. A URL that ends in `/sse` is asked for that first.
 */

import { UpstreamError, UpstreamRpcError } from "../../core/errors.ts";
import type { Connect, Connection, ConnectionEvents } from "../../core/upstream.ts";
import { version } from "../../core/version.ts";
import type { CancelSignal } from "../../lib/cancellation.ts";
import { modernVersion } from "../../mcp/envelope.ts";
import { connectSse } from "../sse/connect-sse.ts";
import { AttachingExchange } from "./attaching-exchange.ts";
import { AuthorizedExchange } from "./authorized-exchange.ts";
import { asStartError, HttpStatusError } from "./http-errors.ts";
import { openExchange } from "./http-exchange.ts";
import type { HttpSettings } from "./http-settings.ts";
import { ModernConnection } from "./modern-connection.ts";
import { checkedHeaders, credentialsOf } from "./request-head.ts";
import { StreamableConnection } from "./streamable-connection.ts";

/** `modern` is Streamable HTTP as of 2026-07-28. */
type Transport = "modern" | "streamable" | "sse";

/** No answer that a server of the transport would give. */
const inconclusive = new Set(["UPSTREAM_PROTOCOL", "UPSTREAM_CLOSED", "TIMEOUT"]);
/** Client errors that say nothing about the transport. */
const notEvidence = new Set([401, 403, 408, 429]);
/** A server that was older when it was found may have been brought up to date since. */
const verdictLastsMs = 86_400_000;

/** What connects may be any of the transports; a reconnect begins with the one that was found. */
export function httpConnect(settings: HttpSettings): Connect {
  let found: Transport | undefined;
  let foundAtMs = 0;
  return async (signal, events) => {
    const url = endpointOf(settings);
    if (settings.clock.now() - foundAtMs > verdictLastsMs) found = undefined;
    const isSse = /\/sse\/?$/.test(url.pathname);
    const { transport, connection } = await detect(
      orderFor(settings.offer, found, isSse),
      settings,
      url,
      signal,
      events,
    );
    found = transport;
    foundAtMs = settings.clock.now();
    return connection;
  };
}

function orderFor(offer: string | undefined, found: Transport | undefined, isSse: boolean): Transport[] {
  if (offer === modernVersion) return ["modern"];
  const legacy: Transport[] = isSse ? ["sse", "streamable"] : ["streamable", "sse"];
  // Who sets a revision wants that era; and an address of the oldest transport has nothing newer behind it.
  const all: Transport[] = offer === undefined && !isSse ? ["modern", ...legacy] : legacy;
  // What is older than what was found there is still possible, what is newer was tried not long ago.
  if (found === undefined || found === "modern") return all;
  return [found, ...legacy.filter((other) => other !== found)];
}

const openers = { modern: ModernConnection.open, streamable: StreamableConnection.open, sse: connectSse };

async function detect(
  order: readonly Transport[],
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
  const failures: unknown[] = [];
  for (const transport of order) {
    const { clock, socketPath, findAddresses } = settings;
    const plain = openExchange(url, { server: name, maxBodyBytes: maxResultBytes, clock, socketPath, findAddresses });
    const authorized = settings.access === undefined ? plain : new AuthorizedExchange(plain, settings.access);
    const http = settings.attached === undefined ? authorized : new AttachingExchange(authorized, settings.attached);
    try {
      return { transport, connection: await openers[transport](settings, { http, url, headers, signal, events }) };
    } catch (error) {
      http.close();
      if (signal.aborted || !saysOther(error, transport)) throw asStartError(error, name);
      // That a server does not know the newest revision is no news.
      if (transport !== "modern" || order.length === 1) failures.push(error);
    }
  }
  throw order.length === 1 ? asStartError(failures[0], name) : speaksNeither(name, url, failures);
}

/** Whether the failure of one transport leaves the others possible. */
function saysOther(error: unknown, tried: Transport): boolean {
  // Whatever a server says to a request it does not know, what it says to `initialize` is what counts.
  if (tried === "modern" && error instanceof UpstreamRpcError) return true;
  if (tried === "modern" && error instanceof HttpStatusError) return !notEvidence.has(error.status);
  if (error instanceof HttpStatusError)
    return error.status >= 400 && error.status < 500 && !notEvidence.has(error.status);
  // A GET may well be answered with a page, or with a stream that never names an endpoint.
  return tried !== "streamable" && error instanceof UpstreamError && inconclusive.has(error.code);
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

function speaksNeither(server: string, { origin, pathname }: URL, causes: readonly unknown[]): UpstreamError {
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
