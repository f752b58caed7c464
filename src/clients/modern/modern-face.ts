/**
 * The face of 2026-07-28: stateless, every request says who sends it, and what was a request of a server to a client is
 * an answer that asks for input. It shares the tables of methods with the legacy face.
 */
import type { ClientEnvelope } from "../../core/call.ts";
import { GatewayError } from "../../core/errors.ts";
import { mayUseServer } from "../../core/scope.ts";
import { isJsonObject, type Json, type JsonObject, stableJson } from "../../lib/json.ts";
import { claimedVersion, modernVersion, readEnvelope } from "../../mcp/envelope.ts";
import { extensionsIn, skillsExtension, tasksExtension, uiExtension } from "../../mcp/extensions.ts";
import { encodeError, encodeResult, type RpcRequestMessage } from "../../mcp/json-rpc.ts";
import { modernResult } from "../../mcp/modern-result.ts";
import { assertSupported } from "../client-capabilities.ts";
import type { FaceContext, ModernClient } from "../face.ts";
import type { FaceHost } from "../host.ts";
import { assertBackend, introduce } from "../introduction.ts";
import { findMethod, type Method } from "../methods.ts";
import { narrowedCaller } from "../narrowed-caller.ts";
import { reportDefect } from "../report-defect.ts";
import { progressTokenOf, RequestScope } from "../request-scope.ts";
import { assertEnvelope, assertMirrored, type HeaderOf } from "./assert-headers.ts";
import { listen } from "./listen.ts";
import { elicitationsOf, toModernError } from "./modern-error.ts";
import { ParkedCall } from "./parked-call.ts";
import { ParkedCalls } from "./parked-calls.ts";
import type { Seal } from "./seal.ts";
import { relayTask, taskMethods, withTaskHandle } from "./tasks.ts";

export interface ModernContext extends Omit<FaceContext, "session" | "modern"> {
  /** A header of the request; `undefined` where the transport has none. */
  readonly header: HeaderOf | undefined;
}

interface Noting extends ModernContext {
  /** Told what a tool was refused or failed with where its result says so to the model. */
  noteFailure(error: unknown): void;
}

/** JSON text of the response, and the HTTP status it goes with. */
export interface ModernReply {
  readonly text: string;
  readonly status: number;
}

export interface ModernFace {
  /** Handles one request. Never rejects. */
  handle(message: RpcRequestMessage, context: ModernContext): Promise<ModernReply>;
}

/** What this revision took out, or says in another way (its changelog). */
const removed: ReadonlySet<string> = new Set([
  "ping",
  "logging/setLevel",
  "resources/subscribe",
  "resources/unsubscribe",
]);
/** Requests that may be answered with a need for input. */
const mayNeedInput: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);
/** In what the client keeps: `parked:ID.ROUND` for a call that waits here, or what a server of this revision gave. */
const ofParked = "parked:";
const ofServer = "server:";

export interface ModernFaceOptions {
  readonly seal: Seal;
  /** Not to be guessed, and never given twice. */
  randomId(): string;
}

export function createModernFace(host: FaceHost, { seal, randomId }: ModernFaceOptions): ModernFace {
  const parked = new ParkedCalls();
  const task = relayTask(seal);

  async function answer(message: RpcRequestMessage, context: Noting): Promise<string> {
    const { method, params } = message;
    const envelope = readEnvelope(params);
    assertEnvelope(context.header, claimedVersion(params) as string, message);
    const run = methodOf(method, context.backend);
    if (host.draining) throw new GatewayError("SHUTTING_DOWN", "The gateway is stopping and takes no new requests");
    const profile = host.profiles.choose(context.caller, context.profile);
    const caller = narrowedCaller(host, context.caller, { profile });
    if (context.backend !== undefined) assertBackend(host, context.backend, caller);
    if (mayNeedInput.has(method)) return await answerInRounds(message, context);
    const client: ModernClient = { envelope, linkFor: () => undefined, assertHeaders() {} };
    const scope = new RequestScope(host, { ...context, session: undefined, modern: client }, message);
    try {
      return await run(scope);
    } catch (error) {
      scope.failed(error);
      throw error;
    } finally {
      scope.end();
    }
  }

  async function answerInRounds(message: RpcRequestMessage, context: Noting): Promise<string> {
    const { requestState, ...params } = message.params ?? {};
    const state = requestState === undefined ? undefined : await openState(requestState, message, context);
    const isParked = state?.startsWith(ofParked) === true;
    const call = isParked
      ? findParked((state as string).slice(ofParked.length).split(".")[0] as string)
      : newCall(message, context);
    const ofBackend = state === undefined || isParked ? {} : { requestState: state.slice(ofServer.length) };
    const turn = isParked
      ? call.resume(context, params["inputResponses"], progressTokenOf(message.params))
      : begin(call, { ...message, params: { ...params, ...ofBackend } }, context);
    const outcome = await turn.catch((error) => needForElicitation(error, call.envelope));
    if (typeof outcome === "string") return await withSealedState(outcome, message, context);
    const requests = { resultType: "input_required", inputRequests: outcome };
    if (!parked.has(call.id)) return JSON.stringify(requests);
    return JSON.stringify({
      ...requests,
      requestState: await sealed(`${ofParked}${call.id}.${call.rounds}`, message, context),
    });
  }

  function newCall(message: RpcRequestMessage, { caller }: ModernContext): ParkedCall {
    const call: ParkedCall = new ParkedCall({
      id: randomId(),
      envelope: readEnvelope(message.params),
      clock: host.clock,
      onParked: () => parked.add(call, caller.principal),
      onOver: () => parked.delete(call.id),
    });
    return call;
  }

  function findParked(id: string): ParkedCall {
    const call = parked.get(id);
    if (call !== undefined) return call;
    throw new GatewayError("INVALID_PARAMS", 'The call that "requestState" goes on with is over', {
      hint: 'Call again, without "requestState"',
    });
  }

  function begin(call: ParkedCall, message: RpcRequestMessage, context: Noting): Promise<string | JsonObject> {
    const client: ModernClient = {
      envelope: call.envelope,
      linkFor: () => call.link,
      assertHeaders(tool, args) {
        if (context.header !== undefined) assertMirrored(context.header, tool, args);
      },
    };
    const { signal } = call;
    const emit = (messageText: string) => call.emit(messageText);
    const scope = new RequestScope(host, { ...context, session: undefined, modern: client, signal, emit }, message);
    const run = async () => {
      try {
        return await withTaskHandle(await methodOf(message.method, context.backend)(scope), scope, seal);
      } catch (error) {
        scope.failed(error);
        throw error;
      } finally {
        context.noteFailure(scope.failure);
        scope.end();
      }
    };
    return call.begin(context, scope, run);
  }

  /** What the client is to give back belongs to it, to this endpoint and to this very request. */
  function bindingOf({ method, params }: RpcRequestMessage, { caller, backend }: ModernContext): string {
    const { _meta, inputResponses: _answers, requestState: _state, ...request } = params ?? {};
    return stableJson([caller.principal, backend ?? null, method, request]);
  }

  function sealed(text: string, message: RpcRequestMessage, context: ModernContext): Promise<string> {
    return seal.seal(text, bindingOf(message, context));
  }

  async function openState(state: Json, message: RpcRequestMessage, context: ModernContext): Promise<string> {
    const text = typeof state === "string" ? await seal.open(state, bindingOf(message, context)) : undefined;
    if (text !== undefined) return text;
    throw new GatewayError("INVALID_PARAMS", '"requestState" is not what was given for this request', {
      hint: "Send it back unchanged, with the same method and the same parameters",
    });
  }

  /** A need for input of a server that speaks this revision itself; its state leaves the house under seal. */
  async function withSealedState(text: string, message: RpcRequestMessage, context: ModernContext): Promise<string> {
    if (!text.includes('"input_required"')) return text;
    const value = JSON.parse(text) as JsonObject;
    const { resultType, requestState } = value;
    if (resultType !== "input_required" || typeof requestState !== "string") return text;
    return JSON.stringify({ ...value, requestState: await sealed(ofServer + requestState, message, context) });
  }

  return {
    async handle(message, context) {
      const { id, method } = message;
      const startedMs = host.clock.now();
      let failure: unknown;
      const noteFailure = (error: unknown) => {
        failure = error;
      };
      try {
        const text = await answer(message, { ...context, noteFailure });
        host.onAnswer?.(message, context, text, host.clock.now() - startedMs, failure);
        return { text: encodeResult(id, modernResult(method, text)), status: 200 };
      } catch (error) {
        host.onAnswer?.(message, context, undefined, host.clock.now() - startedMs, error);
        reportDefect(host, message, context, error);
        const { status, error: rpc } = toModernError(error, message, context.requestId);
        return { text: encodeError(id, rpc), status };
      }
    },
  };

  function methodOf(method: string, backend: string | undefined): Method {
    if (method === "server/discover") return discover;
    if (method === "subscriptions/listen") return listen;
    if (taskMethods.has(method)) return task;
    const found = removed.has(method) ? undefined : findMethod(backend, method);
    if (found !== undefined) return found;
    throw new GatewayError("METHOD_NOT_FOUND", `Method "${method}" is not known in revision ${modernVersion}`);
  }
}

const discover: Method = async ({ host, context: { backend }, caller }) => {
  const { capabilities, instructions } = await introduce(host, { backend, caller });
  const own = isJsonObject(capabilities["extensions"]) ? capabilities["extensions"] : {};
  const extensions = { ...extensionsOf(host, { backend, caller }), ...own };
  const all = Object.keys(extensions).length > 0 ? { ...capabilities, extensions } : capabilities;
  return JSON.stringify({ supportedVersions: [modernVersion], capabilities: all, instructions });
};

/** What the backends of this endpoint offer beyond the protocol, as far as it is carried. */
function extensionsOf(host: FaceHost, { backend, caller }: Pick<FaceContext, "backend" | "caller">): JsonObject {
  const all = host.servers().flatMap(({ name }) => (mayUseServer(caller, name) ? [name] : []));
  const names = backend === undefined ? all : [host.resolveServer(backend) ?? ""];
  let found: JsonObject = {};
  for (const name of names) {
    const description = host.describe(name);
    if (description?.protocolVersion === modernVersion)
      found = { ...found, ...extensionsIn(description.capabilities, [tasksExtension, uiExtension, skillsExtension]) };
  }
  return found;
}

/** The error by which a server of 2025-11-25 sends its user to an address, as questions. Rethrows every other. */
function needForElicitation(error: unknown, { capabilities }: ClientEnvelope): JsonObject {
  const elicitations = elicitationsOf(error);
  if (elicitations === undefined) throw error;
  for (const params of elicitations) assertSupported("elicitation/create", params, capabilities);
  return Object.fromEntries(
    elicitations.map((params, index) => [`elicitation-${index + 1}`, { method: "elicitation/create", params }]),
  );
}
