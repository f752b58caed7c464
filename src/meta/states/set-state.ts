import { GatewayError } from "../../core/errors.ts";
import { invalid, readString } from "../arguments.ts";
import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";
import { countTools, visibleServers } from "../visible.ts";

const maxCharacters = 128;

export const setState: MetaTool = {
  name: "gateway_set_state",
  describe: () => ({
    name: "gateway_set_state",
    description: "Give this session another state: some capabilities are there in certain states only.",
    inputSchema: {
      type: "object",
      properties: { state: { type: "string", maxLength: maxCharacters } },
      required: ["state"],
    },
    annotations: {
      title: "Set the state of the session",
      readOnlyHint: false,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  }),
  async run(args, context) {
    const state = readString(args, "state");
    if (state === undefined) throw invalid('Argument "state" is missing', '"default" is the state of new sessions');
    if (state.length > maxCharacters) throw invalid(`Argument "state" is longer than ${maxCharacters} characters`);
    const { session, views, catalog } = context;
    if (session === undefined) throw new GatewayError("INVALID_REQUEST", "A state can be set for a session only");
    const previous = session.state;
    const caller = session.setState(state);
    const servers = visibleServers({ caller, servers: () => context.servers() });
    return jsonAnswer({
      previous,
      current: state,
      visible_tools: countTools({ caller, catalog }, servers),
      session_id: session.id,
      ...(!views.isNamed(state) && { note: `No capability names the state "${state}"` }),
    });
  },
};
