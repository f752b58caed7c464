import type { JsonObject } from "../lib/json.ts";
import { jsonAnswer } from "./json-answer.ts";
import { lifecycleOf } from "./lifecycle.ts";
import type { MetaContext, MetaTool, ServerView } from "./meta-tool.ts";
import { shorten } from "./shorten.ts";
import { visibleServers, visibleTools } from "./visible.ts";

const maxDescription = 300;

export const listServers: MetaTool = {
  name: "gateway_list_servers",
  describe(context) {
    return {
      name: "gateway_list_servers",
      description: `List the ${visibleServers(context).length} servers behind this gateway with their state.`,
      inputSchema: { type: "object", properties: {} },
      annotations: {
        title: "List servers",
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      },
    };
  },
  async run(_args, context) {
    await context.catalog.ready();
    return jsonAnswer({ servers: visibleServers(context).map((server) => describeServer(server, context)) });
  },
};

function describeServer(server: ServerView, context: MetaContext): JsonObject {
  const { state, restartCount, lastError, replicas } = server.status;
  const tools = visibleTools(context, server.name);
  return {
    name: server.name,
    description: shorten(server.description, maxDescription),
    running: state.is === "ready",
    lifecycle: lifecycleOf(server),
    transport: server.kind,
    tools_count: tools?.length ?? 0,
    // Zero means "none" only where the server was ever asked.
    ...(tools === undefined && { tools_known: false }),
    circuit_breaker: server.circuit,
    status: server.enabled && !server.killed ? "active" : "disabled",
    restart_count: restartCount,
    ...(lastError !== undefined && { last_error: lastError }),
    ...(replicas !== undefined && {
      replicas: replicas.length,
      replicas_in_rotation: replicas.filter(({ inRotation }) => inRotation).length,
    }),
  };
}
