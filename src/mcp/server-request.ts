/**
 * What a server asks of its client: `ping` is answered here, the rest by the client whose request the server is working
 * on (client/sampling, client/elicitation, client/roots). One table for each connection, so that a server can give up.
 */
import type { ClientLink, RpcRequest } from "../core/call.ts";
import { errorCodes } from "../core/error-codes.ts";
import { CancelledError, ClientRpcError, GatewayError } from "../core/errors.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { JsonObject } from "../lib/json.ts";
import { uiExtension } from "./extensions.ts";
import { encodeError, encodeResult, type RequestId, type RpcRequestMessage } from "./json-rpc.ts";

/**
 * What is declared to every server: it is relayed to clients that declared it themselves, and refused for the others.
 * `roots` without `listChanged`: a change of one client's roots is no news for a server that many share.
 */
export const relayedCapabilities = {
  sampling: { tools: {}, context: {} },
  elicitation: { form: {}, url: {} },
  roots: {},
  extensions: { [uiExtension]: { mimeTypes: ["text/html;profile=mcp-app"] } },
} satisfies JsonObject;

/** The client to ask; with the id of a session that one alone. `undefined`: nobody, or nobody for certain. */
export type ClientChoice = (sessionId?: string) => ClientLink | undefined;

export class ServerRequests {
  readonly #running = new Map<RequestId, Cancellation>();
  readonly #onRefused: (method: string, reason: string) => void;

  /** @param onRefused told of each request that no client was asked or none answered, and why */
  constructor(onRefused: (method: string, reason: string) => void) {
    this.#onRefused = onRefused;
  }

  /**
   * JSON text of the response to send back; `undefined` when the server has given the request up. Never rejects.
   * @param clientFor who is to be asked. When the call it was asked on ends first, it is asked for another one of that
   *   session: where a client has several under way, a question does not say of which it is
   */
  async answer(message: RpcRequestMessage, clientFor: ClientChoice): Promise<string | undefined> {
    const { id, method, params = {} } = message;
    if (method === "ping") return encodeResult(id, "{}");
    const cancellation = new Cancellation();
    this.#running.set(id, cancellation);
    try {
      const client = clientFor();
      if (client === undefined) throw nobodyToAsk(method);
      const ask = (link: ClientLink): Promise<JsonObject> =>
        link.ask(method, params, cancellation).catch((error: unknown) => {
          const next = error instanceof CancelledError && !cancellation.aborted ? clientFor(link.sessionId) : undefined;
          if (next === undefined || next === link) throw error;
          return ask(next);
        });
      return encodeResult(id, JSON.stringify(await ask(client)));
    } catch (error) {
      if (cancellation.aborted) return undefined;
      if (error instanceof ClientRpcError) return encodeError(id, error.rpc);
      const known = error instanceof GatewayError ? error : new GatewayError("INTERNAL", "The gateway failed on it");
      this.#onRefused(method, known.message);
      return encodeError(id, { code: errorCodes[known.code].rpc, message: known.message });
    } finally {
      this.#running.delete(id);
    }
  }

  /** `notifications/cancelled` of the server: its client is told. */
  cancel({ requestId, reason }: JsonObject): void {
    const text = typeof reason === "string" ? reason : "The server does not need the answer any more";
    this.#running.get(requestId as RequestId)?.abort(new CancelledError(text));
  }

  /** The connection is gone, and with it whoever wanted the answers. */
  end(): void {
    for (const cancellation of this.#running.values())
      cancellation.abort(new CancelledError("The server is gone and does not need the answer any more"));
  }
}

/**
 * The client that a server means where the transport does not say: certain only while it works for one alone, or when
 * it was before.
 * @param sessionId of the client that is known to be meant
 */
export function onlyClient(requests: Iterable<RpcRequest>, sessionId?: string): ClientLink | undefined {
  let only: ClientLink | undefined;
  for (const { client } of requests) {
    if (client === undefined || (sessionId !== undefined && client.sessionId !== sessionId)) continue;
    if (only !== undefined && only.sessionId !== client.sessionId) return undefined;
    only = client;
  }
  return only;
}

function nobodyToAsk(method: string): GatewayError {
  return new GatewayError(
    "METHOD_NOT_FOUND",
    `There is no one to ask "${method}": no client that can answer it waits for this server, or several do`,
  );
}
