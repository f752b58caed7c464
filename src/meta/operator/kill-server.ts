import { invalid, readString } from "../arguments.ts";
import { jsonAnswer } from "../json-answer.ts";
import type { MetaTool } from "../meta-tool.ts";
import { resolveServer } from "../resolve-server.ts";

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
    const wanted = readString(args, "server");
    if (wanted === undefined) throw invalid('Argument "server" is missing', "gateway_list_servers shows the servers");
    const server = resolveServer(wanted, context);
    return jsonAnswer({
      server,
      status: "disabled",
      ...context.actions.kill(server),
      message: `Calls to "${server}" are refused until gateway_revive_server, or until the gateway is started anew`,
    });
  },
};
