import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";

export const reloadCapabilities: MetaTool = {
  name: "gateway_reload_capabilities",
  describe: () => ({
    name: "gateway_reload_capabilities",
    description: "Read every capability file anew.",
    inputSchema: { type: "object", properties: {} },
    annotations: {
      title: "Reload the capabilities",
      readOnlyHint: false,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  }),
  async run(_args, { actions, catalog }) {
    const backend = await actions.reloadCapabilities();
    return jsonAnswer({ status: "ok", backend, total_capabilities: catalog.list(backend, "tools")?.length ?? 0 });
  },
};
