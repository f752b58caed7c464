/**
 * `service: mcp`: a capability that is a tool of a backend under another name, with other arguments, or as what stands in
 * for an API. It is called for the caller of the capability: who may not use the tool cannot reach it this way.
 */
import type { Answer } from "../core/answer.ts";
import type { RpcRequest } from "../core/call.ts";
import {
  CancelledError,
  DeniedError,
  GatewayError,
  NotStartedYetError,
  UnreachedError,
  UpstreamRpcError,
} from "../core/errors.ts";
import { structureIn } from "../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Capability, McpAction } from "./capability.ts";
import { type Outcome, Refusal } from "./refusal.ts";
import { jsonResult, type Reading } from "./response.ts";
import { renderValue, type Scope } from "./template.ts";

/** What a running gateway has. */
export interface Backends {
  has(server: string): boolean;
  /**
   * Calls a tool through every policy of its backend.
   * @param request of the capability: whose call it is, and how long it may take
   * @throws GatewayError
   */
  callTool(
    target: { readonly server: string; readonly tool: string; readonly args: JsonObject },
    request: RpcRequest,
  ): Promise<Answer>;
}

/** The call of the capability. */
export interface Origin {
  readonly request: RpcRequest;
  /** `undefined` where no gateway runs. */
  readonly backends: Backends | undefined;
}

/** What kept the server from being asked, and does not speak of who asks or what for. */
const unsentCodes: ReadonlySet<string> = new Set([
  "SERVER_NOT_FOUND",
  "SERVER_DISABLED",
  "TOOL_NOT_FOUND",
  "TOOL_RESTING",
  "CIRCUIT_OPEN",
  "RATE_LIMITED",
  "OVERLOADED",
]);
const unansweredCodes: ReadonlySet<string> = new Set([
  "TIMEOUT",
  "UPSTREAM_CLOSED",
  "UPSTREAM_PROTOCOL",
  "UPSTREAM_START_FAILED",
]);

/** @throws Refusal, or what the client has to see itself: a JSON-RPC error of the server, a login that is needed */
export async function runTool(
  capability: Capability,
  { mcp }: McpAction,
  scope: Scope,
  reading: Reading,
  { backends, request }: Origin,
): Promise<JsonObject> {
  const { server, tool } = mcp;
  if (backends === undefined)
    throw new Refusal(
      `Tool "${tool}" of server "${server}" can be called by a running gateway only`,
      "Call the capability there, for example with gateway_invoke",
      { outcome: "unsent" },
    );
  const args = mcp.arguments === undefined ? scope.args : renderValue(mcp.arguments, scope);
  try {
    const answer = await backends.callTool({ server, tool, args: isJsonObject(args) ? args : {} }, request);
    return resultOf(capability, mcp.response_path, answer.exactValue, reading);
  } catch (error) {
    if (!(error instanceof GatewayError) || speaksForItself(error)) throw error;
    throw new Refusal(reading.scrub(error.message), error.hint, { outcome: outcomeOf(error) });
  }
}

function speaksForItself(error: GatewayError): boolean {
  return error instanceof UpstreamRpcError || error instanceof CancelledError || error.code === "LOGIN_REQUIRED";
}

function outcomeOf(error: GatewayError): Outcome {
  const isUnreached = error instanceof UnreachedError || error instanceof NotStartedYetError;
  const isGivenUp = error instanceof DeniedError && error.code === "UPSTREAM_START_FAILED";
  if (isUnreached || isGivenUp || unsentCodes.has(error.code)) return "unsent";
  return unansweredCodes.has(error.code) ? "unanswered" : "answered";
}

/** As the server gave it, as far as nothing else is promised or asked for. */
function resultOf({ tool }: Capability, path: string, result: JsonObject, reading: Reading): JsonObject {
  const isPromised = tool["outputSchema"] === undefined || isJsonObject(result["structuredContent"]);
  if (result["isError"] === true || (path === "" && isPromised)) return result;
  const json = structureOf(result);
  if (json === undefined) throw new Refusal("The answer of the tool is not JSON", undefined, { outcome: "unanswered" });
  return jsonResult(tool, json, path, reading);
}

function structureOf({ structuredContent, content }: JsonObject): Json | undefined {
  if (structuredContent !== undefined) return structuredContent;
  for (const block of Array.isArray(content) ? content : [])
    if (isJsonObject(block) && typeof block["text"] === "string") {
      // There may be prose beside it.
      const json = structureIn(block["text"]);
      if (json !== undefined) return json;
    }
  return undefined;
}
