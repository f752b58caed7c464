/**
 * Our end of a duplex JSON-RPC session with a server (stdio now; any transport that carries messages both ways).
 * Many clients share it, so it has ids and progress tokens of its own and tells every answer to the one who asked.
 */
import { abortError } from "../core/abort-error.ts";
import type { Answer } from "../core/answer.ts";
import type { RpcRequest } from "../core/call.ts";
import { type GatewayError, UpstreamError, UpstreamRpcError } from "../core/errors.ts";
import { parseExact } from "../lib/exact-json.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { type DecodedMessage, decodeAnswer, decodeValue } from "./decode-answer.ts";
import { encodeRequest } from "./json-rpc.ts";
import { PendingTable } from "./pending-table.ts";
import { withProgressToken } from "./progress-token.ts";
import { onlyClient, ServerRequests } from "./server-request.ts";

export interface PeerOptions {
  readonly serverName: string;
  /**
   * Hands one message to the transport. Must not throw: a transport that fails calls {@link Peer.fail}.
   * @param request what the message is, or ends
   */
  send(text: string, request?: RpcRequest): void;
  /** Notifications that belong to no request. */
  onNotification(method: string, params: JsonObject): void;
  /** Told of each request of the server that could not be relayed to a client, and why. */
  onRefused(method: string, reason: string): void;
}

export interface Peer {
  /** Takes one message. Returns false, and changes nothing, when the text is not JSON. */
  receive(text: string): boolean;
  /** Rejects as {@link Upstream.request} says. */
  request(request: RpcRequest): Promise<Answer>;
  notify(method: string, params: JsonObject): void;
  /** Rejects the one request of this id, if it is still waiting, when its answer came but cannot be used. */
  reject(id: unknown, error: GatewayError): void;
  /** Rejects everything that waits and all that comes later. The first error stays. */
  fail(error: UpstreamError): void;
  readonly inFlight: number;
  /** Messages that matched nothing: late, duplicate or unknown ids, ended progress, broken envelopes. */
  readonly dropped: number;
}

export function createPeer(options: PeerOptions): Peer {
  const pending = new PendingTable<Pending>();
  const serverRequests = new ServerRequests(options.onRefused);
  let dropped = 0;
  let failure: UpstreamError | undefined;

  const notify = (method: string, params: JsonObject) => options.send(encodeRequest(undefined, method, params));

  const onAbort = (entry: Pending, reason: GatewayError) => {
    pending.delete(entry);
    // basic/utilities/cancellation: initialize must not be cancelled.
    const { id: requestId, request } = entry;
    const params = { requestId, reason: reason.message };
    if (request.method !== "initialize")
      options.send(encodeRequest(undefined, "notifications/cancelled", params), request);
  };

  const take = (id: unknown): Pending | undefined => {
    const entry = pending.get(id);
    if (entry === undefined) dropped++;
    else pending.delete(entry);
    return entry;
  };

  const onNotification = (method: string, params: JsonObject) => {
    switch (method) {
      case "notifications/progress": {
        const { progressToken, ...progress } = params;
        const onProgress = pending.get(progressToken)?.request.onProgress;
        if (onProgress === undefined) dropped++;
        else onProgress(progress);
        return;
      }
      case "notifications/message": {
        // Log messages name no request; with one client waiting there is no doubt whose they are.
        const listeners = pending.all().flatMap(({ request }) => request.onNotification ?? []);
        (listeners.length === 1 ? (listeners[0] as typeof options.onNotification) : options.onNotification)(
          method,
          params,
        );
        return;
      }
      case "notifications/cancelled":
        serverRequests.cancel(params);
        return;
      default:
        options.onNotification(method, params);
    }
  };

  const dispatch = (message: DecodedMessage) => {
    switch (message.kind) {
      case "answer":
        take(message.id)?.resolve(message.answer);
        return;
      case "error":
        take(message.id)?.reject(new UpstreamRpcError(message.error, options.serverName));
        return;
      case "notification":
        onNotification(message.method, message.params ?? {});
        return;
      case "request":
        void serverRequests
          .answer(message, (sessionId) =>
            onlyClient(
              pending.all().map(({ request }) => request),
              sessionId,
            ),
          )
          .then((text) => text !== undefined && options.send(text));
    }
  };

  /** A broken envelope still fails the request it names, at once instead of at its timeout. */
  const receiveBroken = (value: unknown, cause: unknown) => {
    const problem = cause instanceof Error ? cause.message : String(cause);
    const id = isJsonObject(value) && value["method"] === undefined ? value["id"] : undefined;
    take(id)?.reject(
      new UpstreamError("UPSTREAM_PROTOCOL", `Server "${options.serverName}" gave an invalid answer: ${problem}`, {
        data: { server: options.serverName },
      }),
    );
  };

  return {
    receive(text) {
      const answer = decodeAnswer(text);
      if (answer !== undefined) {
        dispatch(answer);
        return true;
      }
      let value: unknown;
      try {
        value = parseExact(text);
      } catch {
        return false;
      }
      let message: DecodedMessage;
      try {
        message = decodeValue(value);
      } catch (error) {
        receiveBroken(value, error);
        return true;
      }
      dispatch(message);
      return true;
    },
    request(request) {
      if (failure !== undefined) return Promise.reject(failure);
      if (request.signal.aborted) return Promise.reject(abortError(request.signal));
      const entry = new Pending(pending.nextId(), request, onAbort);
      pending.add(entry);
      options.send(encodeRequest(entry.id, request.method, withProgressToken(request, entry.id)), request);
      return entry.promise;
    },
    notify(method, params) {
      if (failure === undefined) notify(method, params);
    },
    reject(id, error) {
      take(id)?.reject(error);
    },
    fail(error) {
      if (failure !== undefined) return;
      failure = error;
      serverRequests.end();
      const waiting = pending.all();
      pending.clear();
      for (const entry of waiting) entry.reject(error);
    },
    get inFlight() {
      return pending.size;
    },
    get dropped() {
      return dropped;
    },
  };
}

/** One request on its way. It is its own abort listener, so that a call needs no closure for it. */
class Pending implements EventListenerObject {
  readonly id: number;
  readonly request: RpcRequest;
  readonly promise: Promise<Answer>;
  readonly #onAbort: (entry: Pending, reason: GatewayError) => void;
  #resolve!: (answer: Answer) => void;
  #reject!: (error: GatewayError) => void;

  constructor(id: number, request: RpcRequest, onAbort: (entry: Pending, reason: GatewayError) => void) {
    this.id = id;
    this.request = request;
    this.#onAbort = onAbort;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    request.signal.addEventListener("abort", this);
  }

  resolve(answer: Answer): void {
    this.request.signal.removeEventListener("abort", this);
    this.#resolve(answer);
  }

  reject(error: GatewayError): void {
    this.request.signal.removeEventListener("abort", this);
    this.#reject(error);
  }

  handleEvent(): void {
    const reason = abortError(this.request.signal);
    this.#onAbort(this, reason);
    this.reject(reason);
  }
}
