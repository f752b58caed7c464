import { DeniedError } from "../../core/errors.ts";
import { actorOf } from "../../core/security-event.ts";
import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";
import { requiredServer } from "../resolve-server.ts";

export const killServer: MetaTool = {
  name: "gateway_kill_server",
  describe: () => ({
    name: "gateway_kill_server",
    description: "Refuse every call to a server from now on, for all clients, until it is revived.",
    inputSchema: { type: "object", properties: { server: { type: "string" } }, required: ["server"] },
    annotations: {
      title: "Switch a server off",
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: true,
      openWorldHint: false,
    },
  }),
  async run(args, context) {
    const server = requiredServer(args, context);
    if (!(await context.confirm(`Switch off the server "${server}" for all clients, until it is revived?`)))
      throw new DeniedError("FORBIDDEN", `Server "${server}" stays on: the person at the client did not agree`);
    return jsonAnswer({
      server,
      status: "disabled",
      ...context.actions.kill(server, { by: actorOf(context.caller) }),
      message: `Calls to "${server}" are refused until gateway_revive_server, or until the gateway is started anew`,
    });
  },
};
