/** The legacy face: `initialize`, the method tables of `/mcp` and `/mcp/{backend}`, and the translation of failures. */
import { CancelledError, GatewayError } from "../core/errors.ts";
import { isJsonObject } from "../lib/json.ts";
import { gatewayInfo } from "../mcp/envelope.ts";
import { toRpcError } from "../mcp/error-answer.ts";
import {
  encodeError,
  encodeResult,
  isRequestId,
  type RpcNotificationMessage,
  type RpcRequestMessage,
} from "../mcp/json-rpc.ts";
import { negotiateVersion } from "../mcp/protocol.ts";
import { aggregateMethods } from "./aggregate-methods.ts";
import { backendMethods } from "./backend-methods.ts";
import type { Face, FaceContext } from "./face.ts";
import type { FaceHost } from "./host.ts";
import { introduce } from "./introduction.ts";
import { reportDefect } from "./report-defect.ts";
import { RequestScope } from "./request-scope.ts";

/** Resolves with the JSON text of the result. */
export type Method = (request: RequestScope) => Promise<string> | string;
export type MethodTable = Readonly<Record<string, Method>>;

const nothing = Promise.resolve(undefined);

export function createFace(host: FaceHost): Face {
  async function answer(message: RpcRequestMessage, context: FaceContext): Promise<string | undefined> {
    const request = new RequestScope(host, context, message);
    const startedMs = host.clock.now();
    try {
      const result = await run(request);
      host.onAnswer?.(message, context.backend, result, host.clock.now() - startedMs);
      return encodeResult(message.id, result);
    } catch (error) {
      host.onAnswer?.(message, context.backend, undefined, host.clock.now() - startedMs);
      // Nobody waits for the answer to a cancelled request (basic/utilities/cancellation, "Behavior Requirements").
      if (request.cancelled && error instanceof CancelledError) return undefined;
      reportDefect(host, message, context, error);
      return encodeError(message.id, toRpcError(error, context.requestId));
    } finally {
      request.end();
    }
  }

  function run(request: RequestScope): Promise<string> | string {
    const { method } = request.message;
    const table = request.context.backend === undefined ? aggregateMethods : backendMethods;
    const handler = Object.hasOwn(table, method) ? table[method] : undefined;
    if (handler !== undefined) return handler(request);
    throw new GatewayError("METHOD_NOT_FOUND", `Method "${method}" is not known`);
  }

  function note(message: RpcNotificationMessage, context: FaceContext): void {
    if (message.method !== "notifications/cancelled") return;
    const id = message.params?.["requestId"];
    if (!isRequestId(id)) return;
    const reason = message.params?.["reason"];
    const text = typeof reason === "string" ? reason : "The client cancelled the request";
    context.session?.running.get(id)?.abort(new CancelledError(text));
  }

  return {
    handle(message, context) {
      if (message.kind === "request") return answer(message, context);
      if (message.kind === "notification") note(message, context);
      else context.session?.questions.settle(message);
      return nothing;
    },
    async initialize(params, context, isKept) {
      if (host.draining) throw new GatewayError("SHUTTING_DOWN", "The gateway is stopping and opens no new sessions");
      if (!isJsonObject(params) || typeof params["protocolVersion"] !== "string")
        throw new GatewayError("INVALID_PARAMS", '"initialize" needs "protocolVersion", a string');
      const wanted = context.profile ?? (typeof params["profile"] === "string" ? params["profile"] : undefined);
      const profile = host.profiles.choose(context.caller, wanted) ?? context.caller.boundProfile;
      const caller = host.profiles.narrow(context.caller, profile);
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
      if (context.backend === undefined && host.meta.enabled) host.onSession?.();
      return { session, resultText: JSON.stringify({ protocolVersion, ...introduction, serverInfo: gatewayInfo }) };
    },
  };
}
