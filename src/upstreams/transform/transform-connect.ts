/** A connection whose tools look as the file wants them. Everything above it, search and policies included, sees only that. */
import { Answer } from "../../core/answer.ts";
import type { RpcRequest } from "../../core/call.ts";
import type { Connect, Connection } from "../../core/upstream.ts";
import type { BackendTransformSettings } from "./schema.ts";
import { ToolView } from "./tool-view.ts";

/** @throws Error with what is wrong with a pattern */
export function transformConnect(connect: Connect, server: string, settings: BackendTransformSettings): Connect {
  const view = new ToolView(server, settings);
  return async (signal, events) => transformed(await connect(signal, events), view);
}

function transformed(connection: Connection, view: ToolView): Connection {
  async function request(request: RpcRequest): Promise<Answer> {
    if (request.method === "tools/list") return Answer.of(view.list((await connection.request(request)).exactValue));
    if (request.method !== "tools/call") return connection.request(request);
    const { params, response } = view.call(request.params ?? {});
    const answer = await connection.request({ ...request, params });
    return response === undefined ? answer : Answer.of(response.apply(answer.exactValue));
  }

  return {
    get description() {
      return connection.description;
    },
    get pid() {
      return connection.pid;
    },
    closed: connection.closed,
    request,
    notify: (method, params) => connection.notify(method, params),
    close: () => connection.close(),
  };
}
