import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";

export const costReport: MetaTool = {
  name: "gateway_cost_report",
  describe: () => ({
    name: "gateway_cost_report",
    description: "What calls cost today and lately, by tool and by key, and what is left of the budgets.",
    inputSchema: { type: "object", properties: {} },
    annotations: {
      title: "Costs",
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: false,
      openWorldHint: false,
    },
  }),
  async run(_args, { actions }) {
    return jsonAnswer(await actions.costs());
  },
};
