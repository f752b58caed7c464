import { GatewayError } from "../../core/errors.ts";
import { invalid, readString } from "../arguments.ts";
import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";

export const setProfile: MetaTool = {
  name: "gateway_set_profile",
  describe: ({ profiles }) => ({
    name: "gateway_set_profile",
    description: "Give this session another routing profile: another view of the servers and tools.",
    inputSchema: {
      type: "object",
      properties: { profile: { type: "string", enum: [...new Set([...profiles.names, profiles.defaultName])] } },
      required: ["profile"],
    },
    annotations: {
      title: "Set the routing profile",
      readOnlyHint: false,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  }),
  async run(args, { caller, profiles, session }) {
    const wanted = readString(args, "profile");
    if (wanted === undefined)
      throw invalid('Argument "profile" is missing', "gateway_list_profiles shows the profiles");
    if (session === undefined)
      throw new GatewayError("INVALID_REQUEST", "A routing profile can be set for a session only");
    const name = profiles.choose(caller, wanted) as string;
    session.setProfile(name);
    return jsonAnswer({
      profile: name,
      session_id: session.id,
      description: profiles.describe(name, caller),
      message: `From the next request on this session has the routing profile "${name}"`,
    });
  },
};
