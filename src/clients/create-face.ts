/** The legacy face: `initialize`, and what becomes of messages. */
import { GatewayError } from "../core/errors.ts";
import { isJsonObject } from "../lib/json.ts";
import { gatewayInfo } from "../mcp/envelope.ts";
import type { RpcNotificationMessage, RpcResponseMessage } from "../mcp/json-rpc.ts";
import { negotiateVersion } from "../mcp/protocol.ts";
import type { Face, FaceContext } from "./face.ts";
import type { FaceHost } from "./host.ts";
import { introduce } from "./introduction.ts";
import { narrowedCaller } from "./narrowed-caller.ts";
import { cancelRunning } from "./peer-messages.ts";
import type { Session } from "./session.ts";

type AnswerRequest = typeof import("./answer-request.ts").answerRequest;

const nothing = Promise.resolve(undefined);

export function createFace(host: FaceHost): Face {
  /** Loaded with the first request, or before: to open a session none of it is needed. */
  let answerRequest: AnswerRequest | undefined;
  let loading: Promise<AnswerRequest> | undefined;

  async function load(): Promise<AnswerRequest> {
    ({ answerRequest } = await import("./answer-request.ts"));
    return answerRequest;
  }

  function loaded(): Promise<AnswerRequest> {
    loading ??= load();
    return loading;
  }

  function note(message: RpcNotificationMessage, context: FaceContext): void {
    if (message.method !== "notifications/cancelled") return;
    // The request it is about waits for the code, if there is one.
    if (answerRequest === undefined) return void loading?.then(() => note(message, context));
    const { session } = context;
    if (session !== undefined && !cancelRunning(session, message.params)) handOn(session, message);
  }

  /** Another gateway may have the session too, and wait for this. */
  function handOn(session: Session, { kind: _kind, ...message }: RpcNotificationMessage | RpcResponseMessage): void {
    host.sessions.tellPeers(session, JSON.stringify({ jsonrpc: "2.0", ...message }));
  }

  return {
    async warmUp() {
      await loaded();
    },
    handle(message, context) {
      if (context.session !== undefined) context.session.caller = context.caller;
      if (message.kind === "request")
        return answerRequest === undefined
          ? loaded().then((answer) => answer(host, message, context))
          : answerRequest(host, message, context);
      if (message.kind === "notification") note(message, context);
      else if (context.session?.questions.settle(message) === false) handOn(context.session, message);
      return nothing;
    },
    async initialize(params, context, isKept) {
      if (host.draining) throw new GatewayError("SHUTTING_DOWN", "The gateway is stopping and opens no new sessions");
      if (!isJsonObject(params) || typeof params["protocolVersion"] !== "string")
        throw new GatewayError("INVALID_PARAMS", '"initialize" needs "protocolVersion", a string');
      const wanted = context.profile ?? (typeof params["profile"] === "string" ? params["profile"] : undefined);
      const profile = host.profiles.choose(context.caller, wanted) ?? context.caller.boundProfile;
      const caller = narrowedCaller(host, context.caller, { profile });
      const introduction = await introduce(host, { backend: context.backend, caller });
      const protocolVersion = negotiateVersion(params["protocolVersion"]);
      const { clientInfo, capabilities } = params;
      const init = {
        principal: context.caller.principal,
        backend: context.backend,
        protocolVersion,
        clientInfo: isJsonObject(clientInfo) ? clientInfo : {},
        clientCapabilities: isJsonObject(capabilities) ? capabilities : {},
        profile,
      };
      const session = host.sessions.open(init, isKept);
      session.caller = context.caller;
      await host.sessions.share(session);
      if (context.backend === undefined && host.meta.enabled) host.onSession?.();
      return { session, resultText: JSON.stringify({ protocolVersion, ...introduction, serverInfo: gatewayInfo }) };
    },
  };
}
