/** Answers of tools: what a model could correct is a result with `isError`, never a JSON-RPC error (server/tools, "Error Handling"). */
import type { Answer } from "../core/answer.ts";
import { CancelledError, GatewayError, UpstreamRpcError } from "../core/errors.ts";
import { isJsonObject } from "../lib/json.ts";
import { toToolResult } from "../mcp/error-answer.ts";
import type { RequestScope } from "./request-scope.ts";

const urlElicitationRequired = -32_042;

/**
 * JSON text of the tool's result. `rpcErrors: "relay"` lets a JSON-RPC error of the backend through as one, for a
 * client that addressed the backend's own tool; `"explain"` tells the model, for one that went through a meta-tool.
 * `isOwn` is for results that the gateway made and keeps short itself.
 */
export function toolAnswer(
  request: RequestScope,
  answer: Promise<Answer>,
  rpcErrors: "relay" | "explain",
  isOwn = false,
): Promise<string> {
  const { enabled, max_result_size: maxCharacters } = request.host.meta;
  // Where the rest could not be asked for, nothing is cut: without meta-tools, and on `/mcp/{backend}`.
  const isWhole = maxCharacters === undefined || isOwn || !enabled || request.context.backend !== undefined;
  const textThatFits = isWhole ? textOf : textWithin(request, maxCharacters);
  return answer.then(textThatFits, (thrown: unknown) => {
    const error = loginElicitation(request, thrown) ?? thrown;
    const isRelayed =
      error instanceof UpstreamRpcError && (asksForElicitation(request, error) || rpcErrors === "relay");
    if (!(error instanceof GatewayError) || error instanceof CancelledError || isRelayed) throw error;
    request.failed(error);
    return JSON.stringify(toToolResult(error, request.context.requestId));
  });
}

/** Without a session there is nowhere to keep the rest, so nothing is cut. */
function textWithin({ host, context: { session } }: RequestScope, maxCharacters: number) {
  return async (answer: Answer): Promise<string> => {
    if (session === undefined || answer.text.length <= maxCharacters) return answer.text;
    return (await import("./kept-results.ts")).cutAndKeep(host, session, answer, maxCharacters);
  };
}

function textOf({ text }: Answer): string {
  return text;
}

/** For a host that shows addresses to its user, a login that is needed is one (client/elicitation, "URL mode"). */
function loginElicitation({ context }: RequestScope, error: unknown): UpstreamRpcError | undefined {
  if (!(error instanceof GatewayError) || error.code !== "LOGIN_REQUIRED") return undefined;
  const { login_url: url, login_id: elicitationId, server } = error.data ?? {};
  const { elicitation } = context.modern?.envelope.capabilities ?? context.session?.clientCapabilities ?? {};
  if (typeof url !== "string" || !isJsonObject(elicitation) || elicitation["url"] === undefined) return undefined;
  const elicitations = [{ mode: "url", elicitationId: elicitationId ?? "", url, message: error.message }];
  return new UpstreamRpcError(
    { code: urlElicitationRequired, message: error.message, data: { elicitations } },
    String(server),
  );
}

/**
 * `URLElicitationRequiredError` (client/elicitation, 2025-11-25): the host shows the addresses in it to the user and
 * calls again, so it must see the error itself, whichever way the call came.
 */
function asksForElicitation(request: RequestScope, { rpc, data }: UpstreamRpcError): boolean {
  const elicitations =
    rpc.code === urlElicitationRequired && isJsonObject(rpc.data) ? rpc.data["elicitations"] : undefined;
  if (!Array.isArray(elicitations)) return false;
  for (const entry of elicitations)
    if (isJsonObject(entry)) request.rememberElicitation(String(data?.["server"]), entry);
  return true;
}
