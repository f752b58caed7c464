/** What a meta-tool may reach, bound to the client request that runs it. */
import type { Caller } from "../core/caller.ts";
import { GatewayError } from "../core/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import type { MetaContext } from "../meta/meta-tool.ts";
import type { FaceHost } from "./host.ts";
import type { RequestScope } from "./request-scope.ts";

export function metaContext(request: RequestScope): MetaContext {
  return {
    ...metaContextFor(request.host, request.context.caller),
    callTool: (server, tool, args) => request.callTool(server, tool, args, continuationOf(request)),
  };
}

/** What the client adds when it goes on with a call that needed its input (2026-07-28); the server asked for it. */
function continuationOf({ params, context }: RequestScope): JsonObject | undefined {
  if (context.modern === undefined) return undefined;
  const { inputResponses, requestState } = params;
  return {
    ...(inputResponses === undefined ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  };
}

/** For descriptions and instructions, which call nothing. */
export function metaContextFor(host: FaceHost, caller: Caller): MetaContext {
  return {
    caller,
    catalog: host.catalog,
    servers: () => host.servers(),
    resolveServer: (name) => host.resolveServer(name),
    ensureTools: (server, again) => host.ensureListed(server, "tools", again),
    toolsSoon: (server) => host.listedSoon(server, "tools"),
    callTool: async () => {
      throw new GatewayError("INTERNAL", "A description tried to call a tool");
    },
    resultFormat: host.meta.result_format,
  };
}
