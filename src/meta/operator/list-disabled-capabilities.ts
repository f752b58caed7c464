import { mayUseTool } from "../../core/scope.ts";
import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";

export const listDisabledCapabilities: MetaTool = {
  name: "gateway_list_disabled_capabilities",
  describe: () => ({
    name: "gateway_list_disabled_capabilities",
    description: "Tools that are left alone for a while because most of their calls failed.",
    inputSchema: { type: "object", properties: {} },
    annotations: {
      title: "Tools at rest",
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: false,
      openWorldHint: false,
    },
  }),
  async run(_args, { actions, caller }) {
    const resting = actions
      .restingTools()
      .filter(({ backend, capability }) => mayUseTool(caller, backend, capability))
      .map((tool) => ({ ...tool }));
    return jsonAnswer({
      disabled_count: resting.length,
      disabled_capabilities: resting,
      note: "After its cooldown a tool is tried again; gateway_revive_server lets all tools of a server be called at once",
    });
  },
};
