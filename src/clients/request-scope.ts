/**
 * One client request while it runs: its cancellation, its progress token, its log level, and the calls made for it.
 * Progress and logs of a call go to the stream of the request that caused it and nowhere else.
 */

import type { Answer } from "../core/answer.ts";
import type { Call } from "../core/call.ts";
import { CancelledError, GatewayError } from "../core/errors.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { JsonObject } from "../lib/json.ts";
import { isJsonObject } from "../lib/json.ts";
import { encodeRequest, type RpcRequestMessage } from "../mcp/json-rpc.ts";
import type { FaceContext } from "./face.ts";
import type { FaceHost } from "./host.ts";
import { logSeverity } from "./log-levels.ts";

export class RequestScope {
  readonly host: FaceHost;
  readonly context: FaceContext;
  readonly message: RpcRequestMessage;
  readonly params: JsonObject;
  readonly #abort = new Cancellation();
  readonly #meta: JsonObject | undefined;
  readonly #onProgress: ((params: JsonObject) => void) | undefined;
  readonly #onNotification: (method: string, params: JsonObject) => void;
  readonly #registered: boolean;

  constructor(host: FaceHost, context: FaceContext, message: RpcRequestMessage) {
    this.host = host;
    this.context = context;
    this.message = message;
    this.params = message.params ?? {};
    const meta = this.params["_meta"];
    this.#meta = isJsonObject(meta) ? meta : undefined;
    const token = this.#meta?.["progressToken"];
    if (typeof token === "string" || typeof token === "number")
      this.#onProgress = (params) =>
        context.emit(encodeRequest(undefined, "notifications/progress", { ...params, progressToken: token }));
    this.#onNotification = (method, params) => this.#relayNotification(method, params);
    if (context.signal.aborted) this.handleEvent();
    else context.signal.addEventListener("abort", this);
    const running = context.session?.running;
    // An id in use twice is the client's mistake; the second request then cannot be cancelled, but is answered.
    this.#registered = running !== undefined && !running.has(message.id);
    if (this.#registered) running?.set(message.id, this.#abort);
  }

  /** The client is gone. */
  handleEvent(): void {
    this.#abort.abort(new CancelledError("The client disconnected"));
  }

  get cancelled(): boolean {
    return this.#abort.aborted;
  }

  /** Must be called once the request is answered. */
  end(): void {
    this.context.signal.removeEventListener("abort", this);
    if (this.#registered) this.context.session?.running.delete(this.message.id);
  }

  /** Sends a request to a backend through the whole pipeline, bound to this client request. */
  call(upstream: string, method: string, params: JsonObject, safe: boolean): Promise<Answer> {
    if (this.host.draining) throw new GatewayError("SHUTTING_DOWN", "The gateway is stopping and takes no new calls");
    const call: Call = {
      upstream,
      method,
      params,
      caller: this.context.caller,
      sessionId: this.context.session?.id,
      requestId: this.context.requestId,
      deadline: this.host.clock.now() + this.host.requestTimeoutMs,
      signal: this.#abort,
      safe,
      onProgress: this.#onProgress,
      onNotification: this.#onNotification,
    };
    return this.host.call(call);
  }

  /** Calls the tool that the client named as the backend does, with the client's own params. */
  relayTool(server: string, tool: string): Promise<Answer> {
    return this.call(server, "tools/call", this.relayParams(), this.#isSafeTool(server, tool));
  }

  /** Calls a tool by its own name; `rest` are further members of the client's params that the backend is to see. */
  callTool(server: string, tool: string, args: unknown, rest?: JsonObject): Promise<Answer> {
    const params: Record<string, unknown> = { ...rest, name: tool };
    if (args !== undefined) params["arguments"] = args;
    return this.call(server, "tools/call", this.#withMeta(params as JsonObject), this.#isSafeTool(server, tool));
  }

  /** The client's params for the backend: everything kept but the progress token, which is ours to mint per connection. */
  relayParams(change?: JsonObject): JsonObject {
    return this.#withMeta(change === undefined ? this.params : { ...this.params, ...change });
  }

  #withMeta(params: JsonObject): JsonObject {
    if (this.#meta === undefined) return params;
    const { progressToken: _ours, ...vendorKeys } = this.#meta;
    if (Object.keys(vendorKeys).length > 0) return { ...params, _meta: vendorKeys };
    const { _meta: _empty, ...rest } = params;
    return rest;
  }

  #isSafeTool(server: string, tool: string): boolean {
    const annotations = this.host.catalog.tool(server, tool)?.["annotations"];
    return (
      isJsonObject(annotations) && (annotations["readOnlyHint"] === true || annotations["idempotentHint"] === true)
    );
  }

  #relayNotification(method: string, params: JsonObject): void {
    if (method === "notifications/message" && !this.#wantsLog(params["level"])) return;
    this.context.emit(encodeRequest(undefined, method, params));
  }

  #wantsLog(level: unknown): boolean {
    const wanted = this.context.session?.logLevel;
    return wanted === undefined || logSeverity(level) >= logSeverity(wanted);
  }
}
