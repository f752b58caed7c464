import { overseesAll } from "../../core/role.ts";
import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";
import { knownPlaybooks } from "./known-playbooks.ts";

export const listPlaybooks: MetaTool = {
  name: "gateway_list_playbooks",
  describe: () => ({
    name: "gateway_list_playbooks",
    description: "The playbooks there are, with their arguments.",
    inputSchema: { type: "object", properties: {} },
    annotations: {
      title: "List playbooks",
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  }),
  async run(_args, context) {
    const { byName, problems } = await knownPlaybooks(context);
    const playbooks = [...byName.values()].map(({ name, description, inputs, steps }) => ({
      name,
      description,
      inputs,
      steps: steps.length,
    }));
    return jsonAnswer({
      playbooks,
      total: playbooks.length,
      // Places are on the operator's disk.
      ...(problems.length > 0 && overseesAll(context.caller) && { problems }),
    });
  },
};
