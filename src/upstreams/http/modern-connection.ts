/**
 * A server of 2026-07-28 behind a URL (transports/streamable-http of that revision): one POST for each request, no
 * session, nothing of the server's own accord. Headers repeat parts of the body; closing the response cancels.
 */

import { Answer } from "../../core/answer.ts";
import type { RpcRequest } from "../../core/call.ts";
import { UpstreamError, UpstreamRpcError } from "../../core/errors.ts";
import type { Connection, ServerDescription } from "../../core/upstream.ts";
import { Cancellation } from "../../lib/cancellation.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { modernVersion } from "../../mcp/envelope.ts";
import { ModernSession, type ModernSessionOptions, modernErrors } from "../../mcp/modern-session.ts";
import { type MirroredParam, mirroredParams, routingHeaders } from "../../mcp/routing-headers.ts";
import type { HttpSettings, Opening } from "./http-settings.ts";
import { PostedRequest, type PostingSession, type ServerMessage } from "./posted-request.ts";
import { sendFollowing } from "./redirects.ts";
import { RequestHead } from "./request-head.ts";

/** A legacy server may let what it does not understand wait for ever. */
const discoverLimitMs = 5_000;

export class ModernConnection implements Connection, PostingSession {
  readonly pid = undefined;
  readonly closed: Promise<string>;
  readonly server: string;
  readonly maxResultBytes: number;
  description!: ServerDescription;
  readonly #settings: HttpSettings;
  readonly #opening: Opening;
  #url: URL;
  #session!: ModernSession;
  #lastId = 0;
  /** By tool, as last listed; a tool that is not here was never listed on this connection. */
  #mirrored = new Map<string, readonly MirroredParam[]>();
  #resolveClosed!: (reason: string) => void;

  private constructor(settings: HttpSettings, opening: Opening) {
    this.server = settings.name;
    this.maxResultBytes = settings.maxResultBytes;
    this.#settings = settings;
    this.#opening = opening;
    this.#url = opening.url;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Rejects as its first request does, and leaves `http` to the caller then. */
  static async open(settings: HttpSettings, opening: Opening): Promise<Connection> {
    const connection = new ModernConnection(settings, opening);
    await connection.#discover();
    return connection;
  }

  async request(request: RpcRequest): Promise<Answer> {
    try {
      const answer = await this.#session.request(request);
      return request.method === "tools/list" ? this.#learn(answer) : answer;
    } catch (error) {
      throw this.#translated(error, request);
    }
  }

  /** This revision has none that a client sends over HTTP. */
  notify(): void {}

  onMessage(message: ServerMessage, request: RpcRequest): void {
    // It must not ask on a stream, and nobody could answer.
    if (message.kind === "request") return;
    const { method, params = {} } = message;
    if (method === "notifications/progress") {
      const { progressToken: _ours, ...progress } = params;
      request.onProgress?.(progress);
    } else request.onNotification?.(method, params);
  }

  close(): Promise<void> {
    this.#end("was closed by the gateway");
    return Promise.resolve();
  }

  async #discover(): Promise<void> {
    const { events, signal } = this.#opening;
    const { clock } = this.#settings;
    const limited = new Cancellation();
    const onAbort = () => limited.abort(signal.reason);
    signal.addEventListener("abort", onAbort);
    const cancelLimit = clock.after(discoverLimitMs, () => limited.abort(tooSlow(this.server)));
    try {
      const exchange: ModernSessionOptions["exchange"] = (request) => this.#exchange(request);
      const options = { serverName: this.server, clock, events, exchange };
      const { session, description } = await ModernSession.discover(options, limited);
      this.#session = session;
      this.description = description;
      await session.listening(limited);
    } catch (error) {
      this.#session?.close();
      throw error;
    } finally {
      cancelLimit();
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #exchange(request: RpcRequest): Promise<Answer> {
    try {
      return await this.#post(request);
    } catch (error) {
      // Its list has changed, or was never seen: what the headers repeat is in it.
      if (request.method !== "tools/call" || !isCode(error, modernErrors.headerMismatch)) throw error;
      await this.request({ method: "tools/list", params: undefined, signal: request.signal });
      return this.#post(request);
    }
  }

  async #post(request: RpcRequest): Promise<Answer> {
    const { method, params } = request;
    const mirrored = method === "tools/call" ? (this.#mirrored.get(String(params?.["name"])) ?? []) : [];
    const head = new RequestHead("POST", this.#url, {
      ...this.#opening.headers,
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-protocol-version": modernVersion,
      ...routingHeaders(method, params, mirrored),
    });
    const posted = new PostedRequest(++this.#lastId, request, head, this);
    const response = await sendFollowing(this.#opening.http, posted, this.server);
    this.#url = posted.head.url;
    return posted.answer(response);
  }

  /** Leaves out tools whose schema asks for headers in a way it must not, and no others. */
  #learn(answer: Answer): Answer {
    const { tools } = answer.value;
    if (!Array.isArray(tools)) return answer;
    const broken = new Set<unknown>();
    for (const tool of tools) {
      if (!isJsonObject(tool)) continue;
      const mirrored = mirroredParams(tool["inputSchema"]);
      if (mirrored === undefined) broken.add(tool["name"]);
      else this.#mirrored.set(String(tool["name"]), mirrored);
    }
    if (broken.size === 0) return answer;
    this.#settings.log.warn('Tools with an invalid "x-mcp-header" are left out', { tools: [...broken].join(", ") });
    const value = answer.exactValue as JsonObject & { tools: JsonObject[] };
    return Answer.of({ ...value, tools: value.tools.filter((tool) => !broken.has(tool["name"])) });
  }

  /** What these errors say is about our hop, not about the request of the client. */
  #translated(error: unknown, { envelope }: RpcRequest): unknown {
    if (!(error instanceof UpstreamRpcError)) return error;
    const { code, message, data } = error.rpc;
    if (code === modernErrors.missingCapability && envelope === undefined)
      return new UpstreamRpcError({ code: -32_603, message, data }, this.server);
    if (code !== modernErrors.headerMismatch && code !== modernErrors.unsupportedVersion) return error;
    // It is another server now than the one that was found here.
    if (code === modernErrors.unsupportedVersion) this.#end("does not support the revision any more");
    return new UpstreamError("UPSTREAM_PROTOCOL", `Server "${this.server}" refused the request: ${message}`, {
      cause: error,
      data: { server: this.server },
    });
  }

  #end(reason: string): void {
    this.#session?.close();
    this.#opening.http.close();
    this.#resolveClosed(reason);
  }
}

function isCode(error: unknown, code: number): boolean {
  return error instanceof UpstreamRpcError && error.rpc.code === code;
}

function tooSlow(server: string): UpstreamError {
  return new UpstreamError("TIMEOUT", `Server "${server}" did not answer within ${discoverLimitMs} ms`, {
    data: { server },
  });
}
