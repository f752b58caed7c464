/** Methods that mean the same on `/mcp` and on `/mcp/{backend}`. */
import { errorCodes } from "../core/error-codes.ts";
import { GatewayError, UpstreamRpcError } from "../core/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { isLogLevel, mcpLogLevels } from "../mcp/log-levels.ts";
import type { Method } from "./methods.ts";
import type { RequestScope } from "./request-scope.ts";

/** A backend without completion has no suggestions; that is friendlier to an editor than an error at every key. */
export async function complete(request: RequestScope, server: string, params: JsonObject): Promise<string> {
  try {
    return (await request.call(server, "completion/complete", params, true)).text;
  } catch (error) {
    const isUnsupported = error instanceof UpstreamRpcError && error.rpc.code === errorCodes.METHOD_NOT_FOUND.rpc;
    if (isUnsupported) return '{"completion":{"values":[],"total":0,"hasMore":false}}';
    throw error;
  }
}

export const setLogLevel: Method = ({ host, context, params }) => {
  const level = params["level"];
  if (!isLogLevel(level)) throw new GatewayError("INVALID_PARAMS", `"level" must be one of ${mcpLogLevels.join(", ")}`);
  if (context.session !== undefined) {
    context.session.logLevel = level;
    host.sessions.save(context.session);
  }
  host.applyLogLevels();
  return "{}";
};
