/**
 * Streamable HTTP as a server of the legacy revisions (basic/transports of 2025-11-25): `/mcp` and `/mcp/{backend}`.
 * Checks go from cheap to dear; nothing is parsed before it is allowed in, nothing is run before it belongs to a session.
 */

import type { Session } from "../../clients/session.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { neverCancelled } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";
import { SharedTimer } from "../../lib/shared-timer.ts";
import { classifyMessage, encodeResult, type RequestId } from "../../mcp/json-rpc.ts";
import { idleTimeoutSeconds } from "../../runtime/serve.ts";
import { answerBatch, checkBatch, idOf } from "../answer-batch.ts";
import { decodeBody, parseJson } from "../parse-json.ts";
import { type Accepted, acceptedBy } from "./accept.ts";
import { viewAskedBy } from "./asked-view.ts";
import { eraOf } from "./era.ts";
import { EventStream, type StreamPace, whenExpired } from "./event-stream.ts";
import { Exchange, type ExchangePace, eventStreamHeaders, type Outcome } from "./exchange.ts";
import { readBody } from "./read-body.ts";
import { Refusal, refuse, send, sendEmpty, sendJson } from "./respond.ts";
import { isOfEarlierProcess, SessionStreams, StreamMemory } from "./session-streams.ts";
import type { Visit } from "./visit.ts";

export interface McpEndpoint {
  /** @param backend of `/mcp/{backend}`; `undefined` on `/mcp` */
  post(visit: Visit, backend: string | undefined): Promise<Response>;
  /** The stream of messages that answer no request. */
  get(visit: Visit, backend: string | undefined): Promise<Response>;
  /** Ends the session. */
  delete(visit: Visit, backend: string | undefined): Promise<Response>;
  /** Ends every stream of {@link get}, so that the server can stop. */
  endStreams(): void;
  /** How all streams of the door behave. */
  readonly pace: StreamPace;
}

const sessionHeader = "mcp-session-id";
/** The server beneath cuts what is silent for longer. */
const longestKeepAliveMs = (idleTimeoutSeconds * 1_000) / 2;

export function createMcpEndpoint(gateway: Gateway, clock: Clock): McpEndpoint {
  const streams = new Set<EventStream>();
  const sessionStreams = new WeakMap<Session, SessionStreams>();
  const streamMemory = new StreamMemory();
  let silence: SharedTimer | undefined;
  const pace: ExchangePace = {
    clock,
    get maxWaiting() {
      return gateway.config.streaming.buffer_size;
    },
    get keepAliveMs() {
      return Math.min(gateway.config.streaming.keep_alive_interval, longestKeepAliveMs);
    },
    get silence() {
      if (silence?.ms !== this.keepAliveMs) silence = new SharedTimer(this.keepAliveMs, clock);
      return silence;
    },
    streamsOf(session) {
      let found = sessionStreams.get(session);
      if (found === undefined) {
        found = new SessionStreams(session, streamMemory, clock);
        sessionStreams.set(session, found);
      }
      return found;
    },
  };

  async function post(visit: Visit, backend: string | undefined): Promise<Response> {
    let id: RequestId | null = null;
    try {
      const { headers } = visit.request;
      requireJson(headers.get("content-type"));
      const accepted = acceptedBy(headers.get("accept"));
      if (!accepted.json && !accepted.events)
        throw new Refusal(406, 'The "Accept" header allows neither "application/json" nor "text/event-stream"', {
          hint: "Send Accept: application/json, text/event-stream",
        });
      const value = parseJson(decodeBody(await readBody(visit.request, gateway.config.server.max_body_size)));
      if (Array.isArray(value)) return await postBatch(visit, backend, accepted, value);
      id = idOf(value);
      const message = classifyMessage(value);
      if (eraOf(headers.get("mcp-protocol-version"), message) === "modern") {
        const { answerModern } = await import("./modern-endpoint.ts");
        return await answerModern(gateway, visit, backend, accepted, message, pace);
      }
      if (message.kind === "request" && message.method === "initialize")
        return await initialize(visit, backend, accepted, message.id, message.params);
      const session = heldSession(visit, backend) ?? (await restoredSession(visit, backend));
      const exchange = new Exchange(visit, session, accepted, pace);
      return await exchange.respond(gateway.face.handle(message, exchange));
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      gateway.clientCircuits.settle(visit.caller, error);
      return refuse(visit, error, id);
    }
  }

  async function postBatch(
    visit: Visit,
    backend: string | undefined,
    accepted: Accepted,
    values: readonly unknown[],
  ): Promise<Response> {
    if (eraOf(visit.request.headers.get("mcp-protocol-version"), undefined) === "modern")
      throw new GatewayError("INVALID_REQUEST", "This revision of the protocol has no batches");
    const session = await sessionOf(visit, backend);
    checkBatch(values, session.protocolVersion);
    const exchange = new Exchange(visit, session, accepted, pace);
    const answers: Promise<Outcome> = answerBatch(values, visit.requestId, (message) =>
      gateway.face.handle(message, exchange),
    );
    return exchange.respond(answers);
  }

  async function initialize(
    visit: Visit,
    backend: string | undefined,
    accepted: Accepted,
    id: RequestId,
    params: unknown,
  ): Promise<Response> {
    const { caller, request, requestId } = visit;
    const context = { caller, backend, requestId, ...viewAskedBy(request), signal: neverCancelled };
    const opened = await gateway.face.initialize(params, context, true);
    const text = encodeResult(id, opened.resultText);
    const extra = { [sessionHeader]: opened.session.id };
    if (accepted.json) return sendJson(visit, 200, text, extra);
    const stream = new EventStream(pace);
    stream.send(text);
    stream.end();
    return send(visit, 200, "text/event-stream", stream.body, { ...eventStreamHeaders, ...extra });
  }

  /** The session of the request, if it is known to this process. */
  function heldSession({ request, caller }: Visit, backend: string | undefined): Session | undefined {
    const sessionId = request.headers.get(sessionHeader);
    if (sessionId === null)
      throw new GatewayError("INVALID_REQUEST", 'The request has no "Mcp-Session-Id" header', {
        hint: 'Send "initialize" first, then repeat the session id of its answer in every request',
      });
    return gateway.sessions.find(sessionId, caller.principal, backend);
  }

  async function sessionOf(visit: Visit, backend: string | undefined): Promise<Session> {
    return heldSession(visit, backend) ?? (await restoredSession(visit, backend));
  }

  /** One that was opened before this process began. */
  async function restoredSession({ request, caller }: Visit, backend: string | undefined): Promise<Session> {
    const sessionId = request.headers.get(sessionHeader) as string;
    const session = await gateway.sessions.restore(sessionId, caller.principal, backend);
    if (session !== undefined) return session;
    throw new GatewayError("SESSION_NOT_FOUND", "The session is unknown here or has expired", {
      hint: 'Send "initialize" again',
    });
  }

  return {
    pace,
    post,
    async get(visit, backend) {
      const { headers } = visit.request;
      if (!gateway.config.streaming.enabled) throw notAllowed("GET", "POST, DELETE");
      if (!acceptedBy(headers.get("accept")).events)
        throw new Refusal(406, 'The "Accept" header does not allow "text/event-stream"');
      assertSessions(visit);
      const session = await sessionOf(visit, backend);
      session.caller = visit.caller;
      const lastEventId = headers.get("last-event-id");
      const isOurs = lastEventId !== null && !isOfEarlierProcess(lastEventId);
      const resumed = isOurs ? pace.streamsOf(session).find(lastEventId) : undefined;
      if (isOurs && resumed === undefined)
        throw new Refusal(400, "No stream of this session can be resumed after that event", {
          hint: 'Open the stream without "Last-Event-ID"; what was missed has to be asked for again',
        });
      let detach = () => {};
      const out = new EventStream(pace, () => {
        streams.delete(out);
        cancelExpiry();
        detach();
      });
      const cancelExpiry = whenExpired(visit.caller, clock, () => out.end());
      streams.add(out);
      // Proxies pass a response on when its first bytes come.
      out.comment();
      resumed?.stream.attach(out, resumed.after);
      const stream = resumed?.stream ?? pace.streamsOf(session).open(out, true);
      if (stream.isStanding)
        detach = session.attach(
          (messageText) => stream.send(messageText),
          () => out.end(),
        );
      return send(visit, 200, "text/event-stream", out.body, eventStreamHeaders);
    },
    async delete(visit, backend) {
      assertSessions(visit);
      gateway.sessions.close((await sessionOf(visit, backend)).id, visit.caller.principal);
      return sendEmpty(visit, 204);
    },
    endStreams() {
      for (const stream of streams) stream.end();
    },
  };
}

/** Streams and ends of sessions are of the legacy revisions. */
function assertSessions({ request }: Visit): void {
  if (eraOf(request.headers.get("mcp-protocol-version"), undefined) === "modern")
    throw notAllowed(request.method, "POST");
}

/** @throws Refusal 415 */
export function requireJson(contentType: string | null): void {
  if (contentType === "application/json") return;
  if (contentType?.split(";", 1)[0]?.trim().toLowerCase() === "application/json") return;
  throw new Refusal(415, 'The "Content-Type" header must be "application/json"');
}

export function notAllowed(method: string, allow: string): Refusal {
  return new Refusal(405, `Method ${method} is not allowed here`, { headers: { allow }, hint: `Use ${allow}` });
}
