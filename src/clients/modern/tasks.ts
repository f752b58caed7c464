/**
 * Tasks of 2026-07-28 (SEP-2663): a call that is answered with a task is asked for by its id later. Ids of servers are
 * shown under a seal that says whose they are, so that each finds its server again and no client another's.
 */
import { GatewayError } from "../../core/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { extensionsIn, tasksExtension } from "../../mcp/extensions.ts";
import type { Method } from "../methods.ts";
import type { RequestScope } from "../request-scope.ts";
import type { Seal } from "./seal.ts";

export const taskMethods: ReadonlySet<string> = new Set(["tasks/get", "tasks/update", "tasks/cancel"]);

/** JSON text of the result, with the id as the client is to know it where it is a task. */
export async function withTaskHandle(text: string, request: RequestScope, seal: Seal): Promise<string> {
  const server = request.lastServer;
  if (server === undefined || !text.includes('"taskId"')) return text;
  const value = JSON.parse(text) as JsonObject;
  const { resultType, taskId } = value;
  if (resultType !== "task" || typeof taskId !== "string") return text;
  return JSON.stringify({ ...value, taskId: await seal.seal(`${server}:${taskId}`, bindingOf(request)) });
}

export function relayTask(seal: Seal): Method {
  return async (request) => {
    const declared = request.context.modern?.envelope.capabilities ?? {};
    if (extensionsIn(declared, [tasksExtension])[tasksExtension] === undefined)
      throw new GatewayError("MISSING_CAPABILITY", "The client does not declare the tasks extension", {
        data: { requiredCapabilities: { extensions: { [tasksExtension]: {} } } },
      });
    const { taskId: handle } = request.params;
    const opened = typeof handle === "string" ? await seal.open(handle, bindingOf(request)) : undefined;
    if (opened === undefined)
      throw new GatewayError("INVALID_PARAMS", '"taskId" is no task of this client', {
        hint: "Send the id of the task as it was given",
      });
    const colon = opened.indexOf(":");
    const taskId = opened.slice(colon + 1);
    const { method } = request.message;
    const answer = await request.call(
      opened.slice(0, colon),
      method,
      request.relayParams({ taskId }),
      method === "tasks/get",
    );
    const value = answer.exactValue;
    return value["taskId"] === taskId ? JSON.stringify({ ...value, taskId: handle as string }) : answer.text;
  };
}

/** A task belongs to who began it, where it was begun. */
function bindingOf({ context }: RequestScope): string {
  return JSON.stringify(["task", context.caller.principal, context.backend ?? null]);
}
