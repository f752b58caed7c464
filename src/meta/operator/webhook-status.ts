import { mayUseTool } from "../../core/scope.ts";
import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";

export const webhookStatus: MetaTool = {
  name: "gateway_webhook_status",
  describe: () => ({
    name: "gateway_webhook_status",
    description: "Webhooks of the capabilities: where services send to, how much came, and what was refused.",
    inputSchema: { type: "object", properties: {} },
    annotations: {
      title: "Webhooks",
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: false,
      openWorldHint: false,
    },
  }),
  async run(_args, { actions, caller }) {
    const mine = (await actions.webhooks()).filter(({ server, capability }) => mayUseTool(caller, server, capability));
    const endpoints = mine.map(({ server: _server, ...endpoint }) => endpoint);
    return jsonAnswer({
      endpoints,
      total_endpoints: endpoints.length,
      total_received: endpoints.reduce((sum, { stats }) => sum + stats.received, 0),
      total_delivered: endpoints.reduce((sum, { stats }) => sum + stats.delivered, 0),
    });
  },
};
