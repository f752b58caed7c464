import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";

export const reloadConfig: MetaTool = {
  name: "gateway_reload_config",
  describe: () => ({
    name: "gateway_reload_config",
    description: "Read the configuration file now. A broken one changes nothing and is reported.",
    inputSchema: { type: "object", properties: {} },
    annotations: {
      title: "Reload the configuration",
      readOnlyHint: false,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  }),
  async run(_args, { actions }) {
    return jsonAnswer({ status: "ok", ...(await actions.reloadConfig()) });
  },
};
