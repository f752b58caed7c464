/**
 * One client request while it runs: its cancellation, its progress token, its log level, and the calls made for it.
 * Progress and logs of a call go to the stream of the request that caused it and nowhere else.
 */

import { type ToolEffects, toolEffects } from "../catalog/tool-effects.ts";
import type { Answer } from "../core/answer.ts";
import type { Call, ClientLink, Nonce } from "../core/call.ts";
import type { Caller } from "../core/caller.ts";
import { CancelledError, errorCodeOf, GatewayError } from "../core/errors.ts";
import type { Span, Tracer } from "../core/tracing.ts";
import { Cancellation, type CancelSignal, eitherOf } from "../lib/cancellation.ts";
import type { JsonObject } from "../lib/json.ts";
import { isJsonObject } from "../lib/json.ts";
import { withoutHopKeys } from "../mcp/envelope.ts";
import { encodeRequest, type RequestId, type RpcRequestMessage } from "../mcp/json-rpc.ts";
import { logSeverity } from "../mcp/log-levels.ts";
import type { ToolCallOptions } from "../meta/meta-tool.ts";
import { assertSupported, isSupported } from "./client-capabilities.ts";
import type { FaceContext } from "./face.ts";
import type { FaceHost } from "./host.ts";
import { narrowedCaller } from "./narrowed-caller.ts";
import type { Session } from "./session.ts";

/** Elicitations by address that a session remembers; an older one ends untold. */
const maxElicitations = 100;

/** The token the client wants progress under; `undefined` when it wants none. */
export function progressTokenOf(params: JsonObject | undefined): RequestId | undefined {
  const meta = params?.["_meta"];
  const token = isJsonObject(meta) ? meta["progressToken"] : undefined;
  return typeof token === "string" || typeof token === "number" ? token : undefined;
}

/** Where a client says which idempotency key a tool call has, that it makes by the tool's own name. */
const idempotencyMetaKey = "mcp-gateway/idempotency_key";

/** Where it says the nonce of all calls of a request. */
const nonceMetaKey = "mcp-gateway/nonce";

const plainCall: ToolCallOptions = {};

/** In place of a server, where the gateway itself asks. */
const ourselves = "";

export class RequestScope {
  readonly host: FaceHost;
  readonly context: FaceContext;
  readonly message: RpcRequestMessage;
  readonly params: JsonObject;
  /** As the client gave it; a request that goes on with this one brings a new one. */
  progressToken: RequestId | undefined;
  /** Backend that was called last for it. */
  lastServer: string | undefined;
  /** As far as the session, or the routing profile of the request, lets him. */
  readonly caller: Caller;
  readonly #abort = new Cancellation();
  #meta: JsonObject | undefined;
  #span: Span | undefined;
  #failure: unknown;
  #nonce: Nonce | undefined;
  readonly #onProgress: ((params: JsonObject) => void) | undefined;
  readonly #onNotification: (method: string, params: JsonObject) => void;
  readonly #registered: boolean;
  /** Aborted when this request is over, however: then nobody waits for an answer of the client. */
  #over: Cancellation | undefined;

  constructor(host: FaceHost, context: FaceContext, message: RpcRequestMessage) {
    this.host = host;
    this.context = context;
    this.message = message;
    this.params = message.params ?? {};
    this.caller = narrowedCaller(host, context.caller, context.session ?? { profile: context.profile });
    const meta = this.params["_meta"];
    this.#meta = isJsonObject(meta) ? meta : undefined;
    if (host.tracer !== undefined) this.#trace(host.tracer);
    this.progressToken = progressTokenOf(message.params);
    if (this.progressToken !== undefined)
      this.#onProgress = (params) =>
        context.emit(
          encodeRequest(undefined, "notifications/progress", { ...params, progressToken: this.progressToken }),
        );
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

  /** Aborted when the client cancels the request, or is gone. */
  get signal(): CancelSignal {
    return this.#abort;
  }

  /** Tells the client, if it asked for that. */
  progress(params: JsonObject): void {
    this.#onProgress?.(params);
  }

  #trace(tracer: Tracer): void {
    const { caller, session, backend, requestId, traceparent } = this.context;
    const { id, method, params } = this.message;
    const sessionId = session?.id;
    this.#span = tracer.spanOfRequest({
      id,
      method,
      params,
      backend,
      sessionId,
      caller: caller.name,
      requestId,
      traceparent,
    });
    this.#meta = { ...this.#meta, ...this.#span.context };
  }

  /** It went wrong, whatever the client is told of that. */
  failed(error: unknown): void {
    this.#failure = error;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** Must be called once the request is answered. */
  end(): void {
    this.#span?.end(this.#failure === undefined ? undefined : errorCodeOf(this.#failure));
    this.#over?.abort(new CancelledError("The server answered without waiting for the client"));
    this.context.signal.removeEventListener("abort", this);
    if (this.#registered) this.context.session?.running.delete(this.message.id);
  }

  /** Sends a request to a backend through the whole pipeline, bound to this client request. */
  call(upstream: string, method: string, params: JsonObject, safe: boolean): Promise<Answer> {
    return this.#send(upstream, method, params, { safe });
  }

  #send(
    upstream: string,
    method: string,
    params: JsonObject,
    { safe, readOnly }: ToolEffects,
    { signal: until, idempotencyKey, nonce, claim, namesNext }: ToolCallOptions = {},
  ): Promise<Answer> {
    if (this.host.draining) throw new GatewayError("SHUTTING_DOWN", "The gateway is stopping and takes no new calls");
    this.lastServer = upstream;
    const call: Call = {
      upstream,
      method,
      params,
      caller: this.caller,
      credentials: this.context.credentials,
      sessionId: this.context.session?.id,
      peer: this.context.peer,
      requestId: this.context.requestId,
      deadline: this.host.clock.now() + this.host.requestTimeoutMs,
      signal: this.#abort,
      safe,
      readOnly,
      idempotencyKey,
      claim,
      namesNext,
      nonce: this.#nonceOf(nonce ?? this.#meta?.[nonceMetaKey]),
      onProgress: this.#onProgress,
      onNotification: this.#onNotification,
    };
    if (until === undefined) return this.host.call(this.#withClient(call));
    const either = eitherOf(this.#abort, until);
    const oneOfSeveral = { ...call, signal: either.signal, onProgress: undefined };
    return this.host.call(this.#withClient(oneOfSeveral)).finally(either.release);
  }

  /** Whether the person at the client says yes; true as well where nobody can be asked. */
  async confirm(message: string): Promise<boolean> {
    const { modern } = this.context;
    const link = modern === undefined ? this.#linkFor(ourselves) : modern.linkFor(ourselves);
    const params = { message, requestedSchema: { type: "object", properties: {} } };
    if (link === undefined || !isSupported("elicitation/create", params, link.capabilities)) return true;
    const { action } = await link.ask("elicitation/create", params, this.#abort);
    return action === "accept";
  }

  #withClient(call: Call): Call {
    const { modern } = this.context;
    if (modern !== undefined) return { ...call, envelope: modern.envelope, client: modern.linkFor(call.upstream) };
    const client = this.#linkFor(call.upstream);
    return client === undefined ? call : { ...call, client };
  }

  /** What a server may ask the client while it works on this request goes to that client, on the stream of this request. */
  #linkFor(server: string): ClientLink | undefined {
    const { session } = this.context;
    if (session === undefined || !session.canBeAsked) return undefined;
    if (this.#over === undefined) {
      const over = new Cancellation();
      this.#over = over;
      this.#abort.addEventListener("abort", () => over.abort(this.#abort.reason));
    }
    const over = this.#over;
    return {
      sessionId: session.id,
      capabilities: session.clientCapabilities,
      ask: async (method, params, signal, asking = server) => {
        assertSupported(method, params, session.clientCapabilities);
        this.rememberElicitation(asking, params);
        const either = eitherOf(over, signal);
        try {
          return await session.questions.send(method, withoutProgressToken(params), either.signal, (text) =>
            this.#tell(session, text),
          );
        } finally {
          either.release();
        }
      },
    };
  }

  /** A client that takes no stream as an answer may have opened one for everything else. */
  #tell(session: Session, messageText: string): boolean {
    if (this.context.emit(messageText)) return true;
    if (!session.streaming) return false;
    session.push(messageText);
    return true;
  }

  /** Of a request `elicitation/create`, or of an entry in the error that asks for one. */
  rememberElicitation(server: string, { elicitationId }: JsonObject): void {
    const known = this.context.session?.elicitations;
    if (known === undefined || typeof elicitationId !== "string") return;
    known.add(`${server}\0${elicitationId}`);
    if (known.size > maxElicitations) for (const oldest of known) return void known.delete(oldest);
  }

  /** Calls the tool that the client named as the backend does, with the client's own params. */
  relayTool(server: string, tool: string): Promise<Answer> {
    const params = this.relayParams();
    return this.#send(server, "tools/call", params, this.#effectsOf(server, tool), this.#namedByClient());
  }

  /**
   * Calls a tool by its own name; `rest` are further members of the client's params that the backend is to see.
   * @param options left out, the call is the one the client named
   */
  callTool(
    server: string,
    tool: string,
    args: unknown,
    rest?: JsonObject,
    options: ToolCallOptions = this.#namedByClient(),
  ): Promise<Answer> {
    const params: Record<string, unknown> = { ...rest, name: tool };
    if (args !== undefined) params["arguments"] = args;
    return this.#send(
      server,
      "tools/call",
      this.#withMeta(params as JsonObject, options.meta),
      this.#effectsOf(server, tool),
      options,
    );
  }

  /** The client's params for the backend: everything kept but what belongs to this hop alone. */
  relayParams(change?: JsonObject): JsonObject {
    return this.#withMeta(change === undefined ? this.params : { ...this.params, ...change });
  }

  #withMeta(params: JsonObject, more?: JsonObject): JsonObject {
    const meta = more === undefined ? this.#meta : { ...more, ...this.#meta };
    if (meta === undefined) return params;
    const kept = withoutHopKeys(meta);
    if (kept !== undefined) return { ...params, _meta: kept };
    const { _meta: _empty, ...rest } = params;
    return rest;
  }

  #effectsOf(server: string, tool: string): ToolEffects {
    return toolEffects(this.host.catalog.tool(server, tool));
  }

  /** Of a call that the client named as such: one among several that it causes has no key of its own. */
  #namedByClient(): ToolCallOptions {
    const key = this.#meta?.[idempotencyMetaKey];
    if (key === undefined) return plainCall;
    if (typeof key !== "string")
      throw new GatewayError("INVALID_PARAMS", `"_meta" has "${idempotencyMetaKey}", which must be a string`);
    return { idempotencyKey: key };
  }

  #nonceOf(text: unknown): Nonce | undefined {
    if (text === undefined) return undefined;
    if (typeof text !== "string")
      throw new GatewayError("INVALID_PARAMS", `"_meta" has "${nonceMetaKey}", which must be a string`);
    if (this.#nonce?.text !== text) this.#nonce = { text };
    return this.#nonce;
  }

  #relayNotification(method: string, params: JsonObject): void {
    if (method === "notifications/message" && !this.#wantsLog(params["level"])) return;
    this.context.emit(encodeRequest(undefined, method, params));
  }

  #wantsLog(level: unknown): boolean {
    const { session, modern } = this.context;
    if (modern !== undefined && modern.envelope.logLevel === undefined) return false;
    const wanted = modern?.envelope.logLevel ?? session?.logLevel;
    return wanted === undefined || logSeverity(level) >= logSeverity(wanted);
  }
}

/** Progress of what the client does for a server is not relayed, so it is not asked for. */
function withoutProgressToken(params: JsonObject): JsonObject {
  const meta = params["_meta"];
  if (!isJsonObject(meta) || meta["progressToken"] === undefined) return params;
  const { progressToken: _notRelayed, ...rest } = meta;
  return { ...params, _meta: rest };
}
