/**
 * One client on a connection of its own that carries messages both ways: standard input and output, a WebSocket, or
 * HTTP+SSE. It has at most one session, which ends with the connection; answers go out as they are ready, in whatever
 * order.
 */
import type { FaceContext } from "../clients/face.ts";
import type { Session } from "../clients/session.ts";
import type { NetworkPeer } from "../core/call.ts";
import type { Caller, Credentials } from "../core/caller.ts";
import { CancelledError, GatewayError } from "../core/errors.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { Cancellation } from "../lib/cancellation.ts";
import { claimedVersion } from "../mcp/envelope.ts";
import { toRpcError } from "../mcp/error-answer.ts";
import {
  classifyMessage,
  encodeError,
  encodeResult,
  type RequestId,
  type RpcMessage,
  type RpcRequestMessage,
} from "../mcp/json-rpc.ts";
import { isLegacyVersion } from "../mcp/protocol.ts";
import { answerBatch, checkBatch, idOf } from "./answer-batch.ts";
import { logDefect } from "./log-defect.ts";
import { parseJson } from "./parse-json.ts";

export interface ConversationOptions {
  readonly gateway: Gateway;
  /** Backend of `/mcp/{backend}`; `undefined` on `/mcp`. */
  readonly backend: string | undefined;
  /** What the client asked to be shown when it connected. */
  readonly view?: Pick<FaceContext, "profile" | "address"> | undefined;
  /** Left out where there is no network between. */
  readonly peer?: NetworkPeer | undefined;
  /** What of the client's opening request is for backends. */
  credentialsOf?(caller: Caller): Credentials;
  /** Sends one message, or a batch of them. */
  send(messageText: string): void;
  /** The gateway ended the session: its key is gone, or the gateway stops. Not called for {@link Conversation.close}. */
  onEnded(): void;
}

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #gone = new Cancellation();
  readonly #running = new Set<Promise<void>>();
  /** Requests of 2026-07-28, by id. */
  readonly #cancellable = new Map<RequestId, Cancellation>();
  /** While a session is made: what follows `initialize` needs it. */
  #opening: Promise<void> | undefined;
  #session: Session | undefined;
  #isClosed = false;

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /**
   * Takes the text of a message; what is wrong with it is answered. Resolves when the next one may be taken.
   * @param text or what was wrong with it before it could be one
   * @param identify who sends it; what it throws is the answer
   */
  async take(text: string | GatewayError, identify: () => Caller | Promise<Caller>, requestId: string): Promise<void> {
    let value: unknown;
    try {
      if (typeof text !== "string") throw text;
      value = parseJson(text);
    } catch (error) {
      this.#options.send(this.#failed(null, error, requestId));
      return;
    }
    await this.takeValue(value, identify, requestId);
  }

  /** As {@link take}, for what is parsed already. */
  async takeValue(value: unknown, identify: () => Caller | Promise<Caller>, requestId: string): Promise<void> {
    if (this.#opening !== undefined) await this.#opening;
    let message: RpcMessage | undefined;
    try {
      if (!Array.isArray(value)) message = classifyMessage(value);
      const identified = identify();
      const caller = identified instanceof Promise ? await identified : identified;
      if (message === undefined) this.#takeBatch(value as unknown[], caller, requestId);
      else if (message.kind === "request" && message.method === "initialize" && !isModern(message)) {
        this.#opening = this.#initialize(message, caller, requestId);
        await this.#opening;
      } else this.#run(this.#answer(message, caller, requestId));
    } catch (error) {
      // Notifications and responses are not answered, whatever becomes of them.
      if (message === undefined || message.kind === "request")
        this.#options.send(this.#failed(idOf(value), error, requestId));
    }
  }

  /** Resolves when everything taken so far is answered. */
  async answered(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** The client can take no more answers: what runs is cancelled and the session is over. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#gone.abort();
    this.#leaveSession();
  }

  #takeBatch(values: readonly unknown[], caller: Caller, requestId: string): void {
    checkBatch(values, this.#sessionOf(caller).protocolVersion);
    this.#run(
      answerBatch(values, requestId, (message) => this.#answer(message, caller, requestId)).then((answers) =>
        answers.length === 0 ? undefined : `[${answers.join(",")}]`,
      ),
    );
  }

  /** A second `initialize` begins a new session. Never rejects. */
  async #initialize(message: RpcRequestMessage, caller: Caller, requestId: string): Promise<void> {
    const { gateway, backend, send, onEnded } = this.#options;
    try {
      const context = { ...this.#options.view, caller, backend, requestId, signal: this.#gone };
      const { session, resultText } = await gateway.face.initialize(message.params, context);
      this.#leaveSession();
      this.#session = session;
      // The client left meanwhile.
      if (this.#isClosed) return this.#leaveSession();
      send(encodeResult(message.id, resultText));
      session.attach(send, () => {
        if (this.#session !== session) return;
        this.#session = undefined;
        onEnded();
      });
    } catch (error) {
      send(this.#failed(message.id, error, requestId));
    } finally {
      this.#opening = undefined;
    }
  }

  /** Never rejects. */
  async #answer(message: RpcMessage, caller: Caller, requestId: string): Promise<string | undefined> {
    try {
      if (message.kind === "request" && isModern(message)) return await this.#answerModern(message, caller, requestId);
      if (message.kind === "notification" && message.method === "notifications/cancelled")
        this.#cancellable.get(message.params?.["requestId"] as RequestId)?.abort(clientCancelled);
      const needsSession = message.kind === "request" && message.method !== "ping";
      const context: FaceContext = {
        ...this.#options.view,
        caller,
        credentials: this.#options.credentialsOf?.(caller),
        session: needsSession ? this.#sessionOf(caller) : this.#session,
        backend: this.#options.backend,
        peer: this.#options.peer,
        requestId,
        signal: this.#gone,
        emit: this.#emit,
      };
      return await this.#options.gateway.face.handle(message, context);
    } catch (error) {
      return message.kind === "request" ? this.#failed(message.id, error, requestId) : undefined;
    }
  }

  /** A request of 2026-07-28, which needs no session. */
  async #answerModern(message: RpcRequestMessage, caller: Caller, requestId: string): Promise<string | undefined> {
    const { id } = message;
    const { gateway, backend } = this.#options;
    const face = await gateway.modernFace();
    const cancellation = new Cancellation();
    const end = () => cancellation.abort(this.#gone.reason);
    if (this.#gone.aborted) end();
    else this.#gone.addEventListener("abort", end);
    // An id in use twice is the client's mistake; the second request then cannot be cancelled, but is answered.
    const isOwn = !this.#cancellable.has(id);
    if (isOwn) this.#cancellable.set(id, cancellation);
    try {
      const { view, peer, credentialsOf } = this.#options;
      const context = {
        ...view,
        peer,
        caller,
        credentials: credentialsOf?.(caller),
        backend,
        requestId,
        signal: cancellation,
        header: undefined,
        emit: this.#emit,
      };
      const { text } = await face.handle(message, context);
      return cancellation.reason === clientCancelled ? undefined : text;
    } finally {
      this.#gone.removeEventListener("abort", end);
      if (isOwn) this.#cancellable.delete(id);
    }
  }

  readonly #emit = (messageText: string): boolean => {
    if (!this.#isClosed) this.#options.send(messageText);
    return !this.#isClosed;
  };

  #failed(id: RequestId | null, error: unknown, requestId: string): string {
    logDefect(this.#options.gateway.log, requestId, error);
    return encodeError(id, toRpcError(error, requestId));
  }

  #sessionOf({ principal }: Caller): Session {
    const { gateway, backend } = this.#options;
    if (this.#session === undefined)
      throw new GatewayError("INVALID_REQUEST", "There is no session yet", { hint: 'Send "initialize" first' });
    const session = gateway.sessions.find(this.#session.id, principal, backend);
    if (session !== undefined) return session;
    throw new GatewayError("SESSION_NOT_FOUND", "The session has ended, or is another caller's", {
      hint: 'Send "initialize" again',
    });
  }

  #leaveSession(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#options.gateway.sessions.close(session.id, session.principal);
  }

  #run(answer: Promise<string | undefined>): void {
    const done = answer.then((text) => {
      if (text !== undefined && !this.#isClosed) this.#options.send(text);
      this.#running.delete(done);
    });
    this.#running.add(done);
  }
}

const clientCancelled = new CancelledError("The client cancelled the request");

/** One that names its revision itself, and none of those that have sessions. */
function isModern({ params }: RpcRequestMessage): boolean {
  const claimed = claimedVersion(params);
  return claimed !== undefined && !isLegacyVersion(claimed);
}
