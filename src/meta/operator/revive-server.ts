import { actorOf } from "../../core/security-event.ts";
import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";
import { requiredServer } from "../resolve-server.ts";

export const reviveServer: MetaTool = {
  name: "gateway_revive_server",
  describe: () => ({
    name: "gateway_revive_server",
    description: "Let a server be called again: forgives its failures and closes its circuit.",
    inputSchema: { type: "object", properties: { server: { type: "string" } }, required: ["server"] },
    annotations: {
      title: "Switch a server on again",
      readOnlyHint: false,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  }),
  async run(args, context) {
    const server = requiredServer(args, context);
    const outcome = context.actions.revive(server, { by: actorOf(context.caller) });
    const message = outcome.was_killed ? `"${server}" is called again` : `"${server}" was not switched off`;
    return jsonAnswer({ server, status: "active", ...outcome, message });
  },
};
