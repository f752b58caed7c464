/**
 * Calls of tools that a capability is made of: for the caller of the capability, with what is left of its time, through
 * every policy of the backend. Nothing is granted on the way: the caller must be allowed both.
 */
import type { Backends } from "../capabilities/run-tool.ts";
import { toolEffects } from "../catalog/tool-effects.ts";
import type { FaceHost } from "../clients/host.ts";
import type { Answer } from "../core/answer.ts";
import type { ClientLink } from "../core/call.ts";
import { GatewayError } from "../core/errors.ts";
import { isJsonObject } from "../lib/json.ts";

/** Capabilities that call capabilities; one that comes back to itself ends here. */
const maxDepth = 4;

export function nestedCalls(host: () => FaceHost): Backends {
  async function callTool(...[{ server, tool, args }, request]: Parameters<Backends["callTool"]>): Promise<Answer> {
    const { caller, credentials, nonce, sessionId, peer, requestId, deadline, signal, client } = request;
    const { onProgress, onNotification } = request;
    // Only the gateway's own requests have none, and they call no tool.
    if (caller === undefined || requestId === undefined || deadline === undefined)
      throw new Error("A capability was called by nobody");
    const depth = (request.depth ?? 0) + 1;
    if (depth > maxDepth)
      throw new GatewayError(
        "CONFIG_INVALID",
        `Tool "${tool}" of server "${server}" is one of more than ${maxDepth} in each other`,
        { hint: "An operator can look for capabilities of service mcp that call each other in a circle" },
      );
    const upstream = host().resolveServer(server) ?? server;
    const meta = request.params?.["_meta"];
    return host().call({
      upstream,
      method: "tools/call",
      params: { name: tool, arguments: args, ...(isJsonObject(meta) && { _meta: meta }) },
      caller,
      credentials,
      nonce,
      sessionId,
      peer,
      requestId,
      deadline,
      depth,
      signal,
      ...toolEffects(host().catalog.tool(upstream, tool)),
      onProgress,
      onNotification,
      // And no envelope: a server of 2026-07-28 then asks the client by this link, and waits, as every other does.
      ...(client !== undefined && { client: linkFor(upstream, client) }),
    });
  }
  return { has: (name) => host().resolveServer(name) !== undefined, callTool };
}

/** The client hears of the end of what this server asked it to do elsewhere. */
function linkFor(server: string, client: ClientLink): ClientLink {
  const { sessionId, capabilities } = client;
  return {
    sessionId,
    capabilities,
    ask: (method, params, signal, asking = server) => client.ask(method, params, signal, asking),
  };
}
