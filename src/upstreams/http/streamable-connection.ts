/**
 * A session with a Streamable HTTP server (basic/transports, "Streamable HTTP"): every message of ours is a POST.
 * There is no wire to lose. A server that cannot be reached fails the request at hand, and one that forgot the session
 * gets a new one without anybody noticing.
 */

import { abortError, untilAborted } from "../../core/abort-error.ts";
import type { Answer } from "../../core/answer.ts";
import type { Attachment, RpcRequest } from "../../core/call.ts";
import { UpstreamError } from "../../core/errors.ts";
import type { Connection, ConnectionEvents, ServerDescription } from "../../core/upstream.ts";
import { Cancellation, type CancelSignal } from "../../lib/cancellation.ts";
import type { JsonObject } from "../../lib/json.ts";
import { handshake } from "../../mcp/handshake.ts";
import { encodeRequest } from "../../mcp/json-rpc.ts";
import { elicitationEnd, resourceUpdated } from "../../mcp/protocol.ts";
import { onlyClient, ServerRequests } from "../../mcp/server-request.ts";
import { decodeMessages } from "./event-messages.ts";
import { HttpStatusError, protocolError, reasonOf, statusError } from "./http-errors.ts";
import { type HttpExchange, type HttpRequest, type HttpResponse, wantNothing } from "./http-exchange.ts";
import type { HttpSettings, Opening } from "./http-settings.ts";
import { ListenStream } from "./listen-stream.ts";
import { PostedRequest, type PostingSession, type ServerMessage } from "./posted-request.ts";
import { sendFollowing } from "./redirects.ts";
import { type Method, RequestHead } from "./request-head.ts";
import { isCutOff, resumedAnswer } from "./resume-answer.ts";

const noticeLimitMs = 10_000;
const renewLimitMs = 30_000;
const goodbyeLimitMs = 2_000;

/** What distinguishes one session from the next; the POST head is written out once for all its requests. */
interface Session {
  readonly url: URL;
  readonly id: string | undefined;
  readonly version: string | undefined;
  readonly post: RequestHead;
}

export class StreamableConnection implements Connection, PostingSession {
  readonly pid = undefined;
  readonly closed: Promise<string>;
  readonly server: string;
  readonly maxResultBytes: number;
  description!: ServerDescription;
  readonly #settings: HttpSettings;
  readonly #http: HttpExchange;
  /** The backend's own, checked, with lower-case names. */
  readonly #headers: Readonly<Record<string, string>>;
  readonly #events: ConnectionEvents;
  /** Who wants progress, by token. */
  readonly #progress = new Map<unknown, (params: JsonObject) => void>();
  /** Requests on their way whose client can be asked something. */
  readonly #askable = new Set<RpcRequest>();
  readonly #serverRequests: ServerRequests;
  #session: Session;
  #renewing: Promise<void> | undefined;
  #listening: ListenStream | undefined;
  #lastId = 0;
  #closing: Promise<void> | undefined;
  #resolveClosed!: (reason: string) => void;

  private constructor(settings: HttpSettings, { http, url, headers, events }: Opening) {
    this.server = settings.name;
    this.maxResultBytes = settings.maxResultBytes;
    this.#settings = settings;
    this.#http = http;
    this.#headers = headers;
    this.#events = events;
    this.#serverRequests = new ServerRequests((method, reason) =>
      settings.log.info("A request of the server was not relayed", { method, reason }),
    );
    this.#session = this.#newSession(url, undefined, undefined);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Rejects as its first request does, and leaves `http` to the caller then. */
  static async open(settings: HttpSettings, opening: Opening): Promise<Connection> {
    const connection = new StreamableConnection(settings, opening);
    await connection.#initialize(opening.signal);
    return connection;
  }

  request(request: RpcRequest): Promise<Answer> {
    const session = this.#session;
    return this.#ask(request, session).catch((error) => this.#askAgain(request, session, error));
  }

  notify(method: string, params: JsonObject): void {
    this.#postQuietly(encodeRequest(undefined, method, params));
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  onMessage(message: ServerMessage, request: RpcRequest | undefined): void {
    if (message.kind === "request") {
      void this.#serverRequests
        .answer(message, (sessionId) => (request === undefined ? onlyClient(this.#askable, sessionId) : request.client))
        .then((text) => text !== undefined && this.#postQuietly(text, request?.attached));
      return;
    }
    const { method, params = {} } = message;
    switch (method) {
      case "notifications/progress": {
        const { progressToken, ...progress } = params;
        this.#progress.get(progressToken)?.(progress);
        return;
      }
      case "notifications/cancelled":
        this.#serverRequests.cancel(params);
        return;
      default:
        if (request?.onNotification === undefined || concernsAll(method)) this.#events.onNotification(method, params);
        else request.onNotification(method, params);
    }
  }

  async #ask(request: RpcRequest, session: Session): Promise<Answer> {
    const posted = new PostedRequest(++this.#lastId, request, session.post, this);
    if (request.onProgress !== undefined) this.#progress.set(posted.id, request.onProgress);
    if (request.client !== undefined) this.#askable.add(request);
    try {
      return posted.answer(await sendFollowing(this.#http, posted, this.server));
    } catch (error) {
      if (!isCutOff(error, posted) || this.#closing !== undefined) throw error;
      return await resumedAnswer(posted, error, {
        http: this.#http,
        clock: this.#settings.clock,
        head: (lastEventId) => this.#listenHead(session, lastEventId),
      });
    } finally {
      if (request.signal.aborted) {
        const params = { requestId: posted.id, reason: abortError(request.signal).message };
        this.#postQuietly(encodeRequest(undefined, "notifications/cancelled", params), request.attached);
      }
      if (request.onProgress !== undefined) this.#progress.delete(posted.id);
      if (request.client !== undefined) this.#askable.delete(request);
    }
  }

  /** Only where the server said that it did not even look at the request. */
  async #askAgain(request: RpcRequest, session: Session, error: unknown): Promise<Answer> {
    if (!isLostSession(error, session)) throw error;
    await untilAborted(this.#renew(session), request.signal);
    return this.#ask(request, this.#session);
  }

  async #initialize(signal: CancelSignal): Promise<void> {
    let session = this.#newSession(this.#session.url, undefined, undefined);
    this.description = await handshake({
      serverName: this.server,
      signal,
      offer: this.#settings.offer,
      request: async (request) => {
        const posted = new PostedRequest(++this.#lastId, request, session.post, this);
        const response = await sendFollowing(this.#http, posted, this.server);
        const answer = posted.answer(response);
        session = this.#newSession(posted.head.url, this.#sessionIdOf(response), undefined);
        return answer;
      },
      onAgreed: (version) => {
        session = this.#newSession(session.url, session.id, version);
      },
      notify: (method, params) => this.#post(encodeRequest(undefined, method, params), session, signal),
    });
    this.#session = session;
    this.#listening?.stop();
    this.#listening = new ListenStream({
      http: this.#http,
      server: this.server,
      maxEventBytes: this.maxResultBytes,
      clock: this.#settings.clock,
      log: this.#settings.log,
      head: (lastEventId) => this.#listenHead(session, lastEventId),
      onData: (data) => this.#onListened(data),
    });
  }

  #onListened(data: string): void {
    for (const message of decodeMessages(this.server, data))
      if (message.kind === "request" || message.kind === "notification") this.onMessage(message, undefined);
      else this.#settings.log.debug("Ignored an answer on the stream for notifications");
  }

  /** One new session for all who found the old one gone. */
  #renew(lost: Session): Promise<void> {
    if (this.#session !== lost) return Promise.resolve();
    this.#renewing ??= this.#reinitialize().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #reinitialize(): Promise<void> {
    this.#settings.log.info("The server forgot the session: initializing again");
    await this.#within(renewLimitMs, (signal) => this.#initialize(signal));
    // It was restarted, perhaps with something else to offer.
    this.#events.onRenewed?.();
  }

  async #end(): Promise<void> {
    this.#listening?.stop();
    this.#serverRequests.end();
    const session = this.#session;
    if (session.id !== undefined) {
      const head = this.#head("DELETE", session, {});
      await this.#within(goodbyeLimitMs, (signal) =>
        this.#http.send({ head, body: undefined, signal, stream: () => wantNothing }),
      ).catch((error) => this.#settings.log.debug("Could not end the session", { error: reasonOf(error) }));
    }
    this.#http.close();
    this.#resolveClosed("was closed by the gateway");
  }

  /** @param attached as of the request it belongs to */
  #postQuietly(text: string, attached?: Attachment): void {
    this.#within(noticeLimitMs, (signal) => this.#post(text, this.#session, signal, attached)).catch((error) =>
      this.#settings.log.debug("Could not send a notification or an answer", { error: reasonOf(error) }),
    );
  }

  /** For what has no answer. */
  async #post(body: string, session: Session, signal: CancelSignal, attached?: Attachment): Promise<void> {
    const request: HttpRequest & { head: RequestHead } = {
      head: session.post,
      body,
      signal,
      attached,
      stream: ({ status }) => (status < 300 ? wantNothing : undefined),
    };
    const response = await sendFollowing(this.#http, request, this.server);
    if (response.status >= 300) throw statusError(this.server, response, response.text);
  }

  async #within<T>(limitMs: number, run: (signal: CancelSignal) => Promise<T>): Promise<T> {
    const controller = new Cancellation();
    const cancel = this.#settings.clock.after(limitMs, () =>
      controller.abort(
        new UpstreamError("TIMEOUT", `Server "${this.server}" did not answer within ${limitMs} ms`, {
          data: { server: this.server },
        }),
      ),
    );
    try {
      return await run(controller);
    } finally {
      cancel();
    }
  }

  #newSession(url: URL, id: string | undefined, version: string | undefined): Session {
    const session = { url, id, version };
    const post = this.#head("POST", session, {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
    });
    return { ...session, post };
  }

  #listenHead(session: Session, lastEventId: string | undefined): RequestHead {
    return this.#head("GET", session, { accept: "text/event-stream", "last-event-id": lastEventId });
  }

  #head(
    method: Method,
    { url, id, version }: Omit<Session, "post">,
    headers: Readonly<Record<string, string | undefined>>,
  ): RequestHead {
    return new RequestHead(method, url, {
      ...this.#headers,
      ...headers,
      "mcp-session-id": id,
      "mcp-protocol-version": version,
    });
  }

  #sessionIdOf({ headers }: HttpResponse): string | undefined {
    const id = headers.get("mcp-session-id") ?? undefined;
    if (id !== undefined && !/^[\x21-\x7e]+$/.test(id))
      throw protocolError(this.server, "gave a session id that is not visible ASCII");
    return id;
  }
}

/** 404 is what the specification says; 400 with such a text is what the examples of the official SDK answer. */
function isLostSession(error: unknown, session: Session): boolean {
  if (session.id === undefined || !(error instanceof HttpStatusError)) return false;
  return error.status === 404 || (error.status === 400 && /session/i.test(error.message));
}

/** Whatever request a server sends it with, the news is for everybody. */
function concernsAll(method: string): boolean {
  return method.endsWith("/list_changed") || method === resourceUpdated || method === elicitationEnd;
}
