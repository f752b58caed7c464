import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";

export const getProfile: MetaTool = {
  name: "gateway_get_profile",
  describe: () => ({
    name: "gateway_get_profile",
    description: "The routing profile of this session, and those there are.",
    inputSchema: { type: "object", properties: {} },
    annotations: {
      title: "Get the routing profile",
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  }),
  async run(_args, { caller, profiles, session }) {
    const name = profiles.nameFor(caller, session?.profile);
    return jsonAnswer({
      profile: name,
      session_id: session?.id ?? null,
      description: profiles.describe(name, caller),
      available_profiles: [...new Set([...profiles.names, profiles.defaultName])],
    });
  },
};
