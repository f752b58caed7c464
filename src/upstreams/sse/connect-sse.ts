/**
 * The HTTP+SSE transport of 2024-11-05: a GET stays open as the stream of all that the server says, and its first event
 * names the address to POST to. The stream is the session: when it ends, so does the connection.
 */

import { untilAborted } from "../../core/abort-error.ts";
import type { Attachment } from "../../core/call.ts";
import { UpstreamError } from "../../core/errors.ts";
import type { Connection } from "../../core/upstream.ts";
import { Cancellation } from "../../lib/cancellation.ts";
import { isJsonObject } from "../../lib/json.ts";
import { handshake } from "../../mcp/handshake.ts";
import { encodeRequest } from "../../mcp/json-rpc.ts";
import { createPeer } from "../../mcp/peer.ts";
import { type SseEvent, SseReader } from "../../mcp/sse.ts";
import { isEventStream, isSuccess, readEvents } from "../http/event-messages.ts";
import { closedHere, excerpt, hungUp, protocolError, statusError, wrongContentType } from "../http/http-errors.ts";
import { type HttpRequest, wantNothing } from "../http/http-exchange.ts";
import type { HttpSettings, Opening } from "../http/http-settings.ts";
import { sendFollowing } from "../http/redirects.ts";
import { RequestHead } from "../http/request-head.ts";

/** From the head of the stream. A server of the other transport may open one here too, on which nothing ever comes. */
const endpointLimitMs = 5_000;

/** @throws UpstreamError UPSTREAM_PROTOCOL, TIMEOUT or a status where the URL is of no server of this transport */
export async function connectSse(settings: HttpSettings, opening: Opening): Promise<Connection> {
  const { name, maxResultBytes, clock, log } = settings;
  const { http, url, headers, signal, events } = opening;
  const ending = new Cancellation();
  const endpoint = Promise.withResolvers<URL>();
  const closed = Promise.withResolvers<string>();
  let postHead: RequestHead | undefined;

  const end = (error: UpstreamError) => {
    ending.abort(error);
    endpoint.reject(error);
    peer.fail(error);
    http.close();
    closed.resolve(error.message);
  };

  const post = async (text: string, attached?: Attachment) => {
    try {
      const response = await sendFollowing(
        http,
        {
          head: postHead as RequestHead,
          body: text,
          signal: ending,
          attached,
          // What it calls is not told from here.
          sendOnce: true,
          stream: (head) => (isSuccess(head) ? wantNothing : undefined),
        },
        name,
      );
      if (!isSuccess(response)) throw statusError(name, response, response.text);
    } catch (error) {
      const message: unknown = JSON.parse(text);
      if (error instanceof UpstreamError && isJsonObject(message) && message["method"] !== undefined)
        peer.reject(message["id"], error);
      log.debug("Could not send a message", { error: String(error) });
    }
  };

  const peer = createPeer({
    serverName: name,
    send: (text, request) => void post(text, request?.attached),
    onNotification: events.onNotification,
    onRefused: (method, reason) => log.info("A request of the server was not relayed", { method, reason }),
  });

  let cancelLimit = () => {};
  const stream: HttpRequest & { head: RequestHead } = {
    head: new RequestHead("GET", url, { ...headers, accept: "text/event-stream" }),
    body: undefined,
    signal: ending,
    stream(head) {
      if (!isEventStream(head)) return undefined;
      cancelLimit = clock.after(endpointLimitMs, () => endpoint.reject(noEndpoint(name)));
      return {
        push(bytes) {
          readEvents(reader, bytes, name, maxResultBytes);
          return false;
        },
      };
    },
  };

  const onEvent = ({ event, data }: SseEvent) => {
    if (event === "endpoint") endpoint.resolve(endpointOf(name, data, stream.head.url));
    else if (event === "message" && data !== "" && !peer.receive(data))
      log.warn("The server sent an event that is not a message", { data: excerpt(data) });
  };
  const reader = new SseReader(maxResultBytes, onEvent);

  const listen = async (): Promise<UpstreamError> => {
    try {
      const response = await sendFollowing(http, stream, name);
      if (isEventStream(response)) return hungUp(name, reader.end() ? "for events" : "in the middle of an event");
      return isSuccess(response)
        ? wrongContentType(name, response, response.text)
        : statusError(name, response, response.text);
    } catch (error) {
      return error instanceof UpstreamError ? error : hungUp(name, "for events", error);
    }
  };
  void listen().then(end);

  try {
    const target = await untilAborted(endpoint.promise, signal);
    postHead = new RequestHead("POST", target, {
      ...headers,
      accept: "application/json",
      "content-type": "application/json",
    });
    const description = await handshake({
      serverName: name,
      signal,
      offer: settings.offer,
      request: peer.request,
      // Its POST must be over before the first request is sent: some servers refuse requests until then.
      notify: (method, params) => post(encodeRequest(undefined, method, params)),
    });
    return {
      description,
      pid: undefined,
      request: peer.request,
      notify: peer.notify,
      closed: closed.promise,
      close: async () => end(closedHere(name)),
    };
  } catch (error) {
    end(closedHere(name));
    throw error;
  } finally {
    cancelLimit();
  }
}

function noEndpoint(server: string): UpstreamError {
  return new UpstreamError("TIMEOUT", `Server "${server}" named no endpoint within ${endpointLimitMs} ms`, {
    data: { server },
  });
}

/** Where to POST; only ever on the origin the stream comes from, or configured credentials would go elsewhere (T9). */
function endpointOf(server: string, data: string, base: URL): URL {
  const target = URL.parse(data, base);
  if (target === null) throw protocolError(server, `named an endpoint that is no address: "${excerpt(data)}"`);
  if (target.origin !== base.origin)
    throw protocolError(server, `named an endpoint of another origin: "${excerpt(target.href)}"`);
  return target;
}
