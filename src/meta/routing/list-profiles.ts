import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";

export const listProfiles: MetaTool = {
  name: "gateway_list_profiles",
  describe: () => ({
    name: "gateway_list_profiles",
    description: "The routing profiles there are.",
    inputSchema: { type: "object", properties: {} },
    annotations: {
      title: "List routing profiles",
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  }),
  async run(_args, { caller, profiles }) {
    const names = profiles.names;
    return jsonAnswer({
      profiles: names.map((name) => profiles.describe(name, caller)),
      default: profiles.defaultName,
      total: names.length,
    });
  },
};
