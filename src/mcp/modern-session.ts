/**
 * Our end towards a server of 2026-07-28, whatever carries the messages. That revision knows no sessions: what a legacy
 * client or the gateway itself expects of one is made here of single requests. A client of the same revision talks
 * to the server through it unchanged.
 */
import { Answer } from "../core/answer.ts";
import type { ClientEnvelope, ClientLink, RpcRequest } from "../core/call.ts";
import { GatewayError, UpstreamError, UpstreamRpcError } from "../core/errors.ts";
import type { ConnectionEvents, ServerDescription } from "../core/upstream.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { metaKeys, modernVersion, withEnvelope } from "./envelope.ts";
import { extensionsIn, uiExtension } from "./extensions.ts";
import { ModernListener } from "./modern-listener.ts";
import { legacyResult } from "./modern-result.ts";

/** Rounds of questions in one request; a server that never has enough must not keep a client for ever. */
const maxRounds = 10;

export interface ModernSessionOptions {
  readonly serverName: string;
  readonly clock: Clock;
  readonly events: ConnectionEvents;
  /** Sends the request as it is; resolves with the result as it came. Rejects as {@link Upstream.request} says. */
  exchange(request: RpcRequest): Promise<Answer>;
}

export class ModernSession {
  readonly #options: ModernSessionOptions;
  readonly #listener: ModernListener;
  /** Of `logging/setLevel`: what clients without a level of their own in the request want. */
  #logLevel = "debug";

  private constructor(options: ModernSessionOptions, capabilities: JsonObject) {
    this.#options = options;
    this.#listener = new ModernListener({
      clock: options.clock,
      capabilities,
      listen: (request) => options.exchange({ ...request, params: withEnvelope(request.params, gatewayItself) }),
      onNotification: (method, params) => options.events.onNotification(method, params),
    });
  }

  /**
   * Asks the server who it is.
   * @throws UpstreamRpcError for one that does not know this revision; whatever `exchange` rejects with
   */
  static async discover(
    options: ModernSessionOptions,
    signal: CancelSignal,
  ): Promise<{ session: ModernSession; description: ServerDescription }> {
    const description = await discover(options, signal);
    return { session: new ModernSession(options, description.capabilities), description };
  }

  /** Resolves when the server tells us of its changes, so that none of the first call is missed. */
  listening(signal: CancelSignal): Promise<void> {
    return this.#listener.begun(signal);
  }

  /** As {@link Connection.request}. Methods that this revision has no more of are made of what it has instead. */
  async request(request: RpcRequest): Promise<Answer> {
    const { method, params, signal } = request;
    switch (method) {
      case "ping":
        await discover(this.#options, signal);
        return empty;
      case "logging/setLevel":
        this.#logLevel = String(params?.["level"]);
        return empty;
      case "resources/subscribe":
      case "resources/unsubscribe":
        await this.#listener.watch(String(params?.["uri"]), method === "resources/subscribe", signal);
        return empty;
    }
    return request.envelope === undefined ? this.#askInRounds(request) : this.#relay(request, request.envelope);
  }

  /** A notification from the server that belongs to no running request. */
  onNotification(method: string, params: JsonObject): void {
    this.#listener.take(method, params);
  }

  close(): void {
    this.#listener.close();
  }

  #relay(request: RpcRequest, envelope: ClientEnvelope): Promise<Answer> {
    return this.#options.exchange({ ...request, params: withEnvelope(request.params, envelope) });
  }

  /** For a client that is asked while it waits: its answers go along with the next try (basic/patterns, "Multi Round-Trip Requests"). */
  async #askInRounds(request: RpcRequest): Promise<Answer> {
    const envelope = {
      capabilities: request.client === undefined ? {} : relayed(request.client),
      clientInfo: undefined,
      logLevel: request.onNotification === undefined ? undefined : this.#logLevel,
    };
    let { params } = request;
    for (let round = 0; round < maxRounds; round++) {
      const answer = await this.#options.exchange({ ...request, params: withEnvelope(params, envelope) });
      if (answer.value["resultType"] !== "input_required") return legacyResult(request.method, answer);
      const { inputRequests, requestState } = answer.exactValue;
      params = {
        ...request.params,
        inputResponses: await this.#ask(request, isJsonObject(inputRequests) ? inputRequests : {}),
        ...(requestState === undefined ? {} : { requestState }),
      };
    }
    throw this.#protocolError(`still needed input after ${maxRounds} rounds of it`);
  }

  async #ask({ client, signal }: RpcRequest, questions: JsonObject): Promise<JsonObject> {
    const answers = await Promise.all(
      Object.entries(questions).map(async ([key, question]) => {
        if (!isJsonObject(question) || typeof question["method"] !== "string")
          throw this.#protocolError(`asks "${key}" without a method`);
        if (client === undefined)
          throw new GatewayError("METHOD_NOT_FOUND", `The client cannot be asked "${question["method"]}"`);
        const { params } = question;
        return [key, await client.ask(question["method"], isJsonObject(params) ? params : {}, signal)] as const;
      }),
    );
    return Object.fromEntries(answers);
  }

  #protocolError(problem: string): UpstreamError {
    const { serverName } = this.#options;
    return new UpstreamError("UPSTREAM_PROTOCOL", `Server "${serverName}" ${problem}`, {
      data: { server: serverName },
    });
  }
}

const empty = Answer.of({});
/** What asks for itself, and can be asked nothing. */
const gatewayItself: ClientEnvelope = { capabilities: {}, clientInfo: undefined, logLevel: undefined };

/** Of what an older client declared, what means the same in this revision. */
function relayed({ capabilities }: ClientLink): JsonObject {
  const { sampling, elicitation, roots } = capabilities;
  const extensions = extensionsIn(capabilities, [uiExtension]);
  const declared = { sampling, elicitation, roots, ...(Object.keys(extensions).length > 0 ? { extensions } : {}) };
  return Object.fromEntries(Object.entries(declared).filter(([, value]) => value !== undefined)) as JsonObject;
}

async function discover({ serverName, exchange }: ModernSessionOptions, signal: CancelSignal) {
  const request = { method: "server/discover", params: withEnvelope(undefined, gatewayItself), signal };
  const answer = await exchange(request).catch((error) => {
    // A client asks again with a revision that the server names (basic/versioning), be it the same one.
    if (namesOurs(error)) return exchange(request);
    throw error;
  });
  const { supportedVersions, capabilities, instructions, _meta } = answer.value;
  if (!Array.isArray(supportedVersions) || !supportedVersions.includes(modernVersion))
    throw new UpstreamError(
      "UPSTREAM_PROTOCOL",
      `Server "${serverName}" does not support revision "${modernVersion}"`,
      {
        data: { server: serverName },
      },
    );
  const serverInfo = isJsonObject(_meta) ? _meta[metaKeys.serverInfo] : undefined;
  return {
    protocolVersion: modernVersion,
    serverInfo: isJsonObject(serverInfo) ? serverInfo : {},
    capabilities: isJsonObject(capabilities) ? capabilities : {},
    instructions: typeof instructions === "string" ? instructions : undefined,
  };
}

function namesOurs(error: unknown): boolean {
  if (!(error instanceof UpstreamRpcError) || error.rpc.code !== modernErrors.unsupportedVersion) return false;
  const supported = isJsonObject(error.rpc.data) ? error.rpc.data["supported"] : undefined;
  return Array.isArray(supported) && supported.includes(modernVersion);
}

/** Errors of this revision that are about one hop (basic, "Error Codes"). */
export const modernErrors = {
  headerMismatch: -32_020,
  missingCapability: -32_021,
  unsupportedVersion: -32_022,
} as const;
