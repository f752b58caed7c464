import { mayUseTool } from "../../core/scope.ts";
import type { JsonObject } from "../../lib/json.ts";
import { metaTools } from "../index.ts";
import { jsonAnswer } from "../json-answer.ts";
import { lifecycleOf } from "../lifecycle.ts";
import type { MetaTool, ServerView } from "../meta-tool.ts";
import { countTools, visibleServers, visibleTools } from "../visible.ts";

/** Of JSON schemas, counted with o200k_base: an estimate, and said to be one. */
const charactersPerToken = 4;
const toolsShown = 10;

export const getStats: MetaTool = {
  name: "gateway_get_stats",
  describe: () => ({
    name: "gateway_get_stats",
    description:
      "Calls per tool, requests per server, circuit breakers, and what the tool lists would cost without the gateway.",
    inputSchema: { type: "object", properties: {} },
    annotations: {
      title: "Gateway statistics",
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: false,
      openWorldHint: false,
    },
  }),
  async run(_args, context) {
    await context.catalog.ready();
    const mine = context.actions.calls().filter(({ server, tool }) => mayUseTool(context.caller, server, tool));
    const invocations = mine.reduce((sum, { count }) => sum + count, 0);
    const cached = mine.reduce((sum, call) => sum + call.cached, 0);
    const servers = visibleServers(context);
    const listed = servers.flatMap(({ name }) => visibleTools(context, name) ?? []);
    const direct = tokensOf(listed);
    const shown = tokensOf([...metaTools.values()].map((tool) => tool.describe(context)));
    return jsonAnswer({
      invocations,
      cache_hits: cached,
      cache_hit_rate: `${(invocations === 0 ? 0 : (cached / invocations) * 100).toFixed(1)}%`,
      running_calls: servers.reduce((sum, { status }) => sum + status.inFlight, 0),
      tools_discovered: listed.length,
      tools_available: countTools(context, servers),
      // Once per conversation: what a client would be shown, and what it is shown.
      list_tokens_estimated: { direct, gateway: shown, saved: Math.max(0, direct - shown) },
      top_tools: mine.slice(0, toolsShown).map(({ server, tool, count, failed }) => ({ server, tool, count, failed })),
      servers: servers.map(describeServer),
      server_safety: context.actions
        .safety()
        .filter(({ server }) => servers.some(({ name }) => name === server))
        .map((safety) => ({ ...safety, error_rate: `${Math.round(safety.error_rate * 1_000) / 10}%` })),
      circuit_breakers: servers.map(({ name, circuit }) => ({ server: name, state: circuit })),
    });
  },
};

function describeServer(server: ServerView): JsonObject {
  const { requestCount, inFlight, restartCount, consecutiveFailures } = server.status;
  return {
    server: server.name,
    lifecycle: lifecycleOf(server),
    requests: requestCount,
    running_calls: inFlight,
    restarts: restartCount,
    consecutive_failures: consecutiveFailures,
  };
}

function tokensOf(tools: readonly JsonObject[]): number {
  return Math.ceil(tools.reduce((sum, tool) => sum + JSON.stringify(tool).length, 0) / charactersPerToken);
}
