/**
 * The HTTP+SSE transport of 2024-11-05 for clients that know no other: `GET /sse` stays open as the stream of all that
 * the gateway says, and its first event names the address to POST to. The stream is the session: both end together.
 */
import { GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { classifyMessage } from "../../mcp/json-rpc.ts";
import { randomToken } from "../../runtime/random.ts";
import { withAgent } from "../agent-identity/agent-label.ts";
import { idOf } from "../answer-batch.ts";
import { Conversation } from "../conversation.ts";
import { decodeBody, parseJson } from "../parse-json.ts";
import { acceptedBy } from "./accept.ts";
import { streamIdOf } from "./address.ts";
import { viewAskedBy } from "./asked-view.ts";
import { EventStream, type StreamPace, whenExpired } from "./event-stream.ts";
import { eventStreamHeaders } from "./exchange.ts";
import { notAllowed, requireJson } from "./mcp-endpoint.ts";
import { readBody } from "./read-body.ts";
import { keptCredentials, RequestCredentials } from "./request-credentials.ts";
import { Refusal, refuse, send, sendEmpty } from "./respond.ts";
import type { Visit } from "./visit.ts";

export interface SseDoor {
  /** Opens a stream. */
  get(visit: Visit, backend: string | undefined): Response;
  /** Takes a message; what answers it comes on the stream. */
  post(visit: Visit): Promise<Response>;
  /** Whether this principal has the stream of that id open. */
  has(streamId: string, principal: string): boolean;
  /** Ends every stream, so that the server can stop. */
  endAll(): void;
}

interface Client {
  readonly principal: string;
  /** As the stream was opened. */
  readonly agent: string | undefined;
  readonly conversation: Conversation;
  readonly stream: EventStream;
}

export function createSseDoor(gateway: Gateway, pace: StreamPace): SseDoor {
  /** By 256 random bits. */
  const clients = new Map<string, Client>();

  const find = (streamId: string, principal: string): Client | undefined => {
    const client = clients.get(streamId);
    return client?.principal === principal ? client : undefined;
  };

  return {
    get(visit, backend) {
      if (!gateway.config.streaming.enabled) throw notAllowed("GET", "POST at /mcp");
      if (!acceptedBy(visit.request.headers.get("accept")).events)
        throw new Refusal(406, 'The "Accept" header does not allow "text/event-stream"');
      if (gateway.draining)
        throw new GatewayError("SHUTTING_DOWN", "The gateway is stopping and takes no new connections");
      const id = randomToken(32);
      const stream = new EventStream(pace, () => {
        clients.delete(id);
        cancelExpiry();
        conversation.close();
      });
      const cancelExpiry = whenExpired(visit.caller, pace.clock, () => stream.end());
      // Messages come from the same principal; the stream ends with the credential it was opened with.
      const opening = keptCredentials(visit.request.headers);
      const conversation = new Conversation({
        gateway,
        backend,
        credentialsOf: (caller) => new RequestCredentials(opening, caller, backend),
        view: viewAskedBy(visit.request),
        peer: { address: visit.peer.address },
        send: (messageText) => stream.send(messageText),
        onEnded: () => stream.end(),
      });
      const { principal, agent } = visit.caller;
      clients.set(id, { principal, agent, conversation, stream });
      stream.sendAs("endpoint", `${prefixOf(gateway.config.server.public_url)}/messages?sessionId=${id}`);
      return send(visit, 200, "text/event-stream", stream.body, eventStreamHeaders);
    },
    async post(visit) {
      const { headers, url } = visit.request;
      requireJson(headers.get("content-type"));
      const id = streamIdOf(url);
      if (id === null)
        throw new GatewayError("INVALID_REQUEST", 'The address has no "sessionId"', {
          hint: "POST to the address in the first event of GET /sse",
        });
      const client = find(id, visit.caller.principal);
      if (client === undefined)
        throw new GatewayError("SESSION_NOT_FOUND", "There is no open stream of this id", { hint: "GET /sse again" });
      const value = parseJson(decodeBody(await readBody(visit.request, gateway.config.server.max_body_size)));
      try {
        if (!Array.isArray(value)) classifyMessage(value);
      } catch (error) {
        return refuse(visit, error, idOf(value));
      }
      void client.conversation.takeValue(value, () => withAgent(visit.caller, client.agent), visit.requestId);
      return sendEmpty(visit, 202);
    },
    has: (streamId, principal) => find(streamId, principal) !== undefined,
    endAll() {
      for (const { stream } of clients.values()) stream.end();
    },
  };
}

/** Of a gateway that is published below a path; clients take the address as it is. */
function prefixOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? "" : new URL(publicUrl).pathname.replace(/\/+$/, "");
}
