/** Requests of servers that wait for the answer of one client, under ids of our own. One table for each session. */
import { abortError } from "../core/abort-error.ts";
import { CancelledError, ClientRpcError, GatewayError } from "../core/errors.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { JsonObject } from "../lib/json.ts";
import { encodeRequest, type RequestId, type RpcResponseMessage } from "../mcp/json-rpc.ts";

interface Waiting {
  resolve(result: JsonObject): void;
  reject(error: GatewayError): void;
}

export class ClientRequests {
  readonly #idPrefix: string;
  #lastId = 0;
  readonly #waiting = new Map<RequestId, Waiting>();

  /** @param idPrefix tells the ids from those of other gateways that have the session */
  constructor(idPrefix: string) {
    this.#idPrefix = idPrefix;
  }

  /**
   * Resolves with the client's result. When the signal aborts, the client is told that nobody waits any more.
   * @param emit gives the text to the client; false when it cannot be reached
   * @throws ClientRpcError, or a GatewayError INVALID_REQUEST when it cannot be reached, or the reason of the abort
   */
  send(
    method: string,
    params: JsonObject,
    signal: CancelSignal,
    emit: (messageText: string) => boolean,
  ): Promise<JsonObject> {
    const id = `gateway-${this.#idPrefix}${++this.#lastId}`;
    return new Promise<JsonObject>((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal));
      if (!emit(encodeRequest(id, method, params)))
        return reject(
          new GatewayError("INVALID_REQUEST", "The client cannot be asked: it takes no event stream as an answer"),
        );
      const onAbort = () => {
        const reason = abortError(signal);
        emit(encodeRequest(undefined, "notifications/cancelled", { requestId: id, reason: reason.message }));
        settle();
        reject(reason);
      };
      const settle = () => {
        this.#waiting.delete(id);
        signal.removeEventListener("abort", onAbort);
      };
      signal.addEventListener("abort", onAbort);
      this.#waiting.set(id, {
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
    });
  }

  /** The client's answer. One that nobody waits for, late or made up, changes nothing, and gives false. */
  settle({ id, result, error }: RpcResponseMessage): boolean {
    const waiting = id === null ? undefined : this.#waiting.get(id);
    if (error !== undefined) waiting?.reject(new ClientRpcError(error));
    else waiting?.resolve(result ?? {});
    return waiting !== undefined;
  }

  /** The session is over. */
  end(): void {
    for (const { reject } of [...this.#waiting.values()]) reject(new CancelledError("The session of the client ended"));
  }
}
