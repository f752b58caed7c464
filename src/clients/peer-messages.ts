/**
 * Messages of a session that came in at another gateway: answers of its client and cancellations, for what runs here,
 * and what is to go out by the stream that is here.
 */
import { CancelledError } from "../core/errors.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import { classifyMessage, isRequestId, type RpcMessage } from "../mcp/json-rpc.ts";
import { elicitationEnd, resourceUpdated } from "../mcp/protocol.ts";
import type { Session } from "./session.ts";

const forClients: readonly string[] = [resourceUpdated, elicitationEnd];

/** `notifications/cancelled` of the client. False when no such request runs here. */
export function cancelRunning(session: Session, params: JsonObject | undefined): boolean {
  const id = params?.["requestId"];
  const running = isRequestId(id) ? session.running.get(id) : undefined;
  const reason = params?.["reason"];
  running?.abort(new CancelledError(typeof reason === "string" ? reason : "The client cancelled the request"));
  return running !== undefined;
}

/** What is none of these is dropped. */
export function takePeerMessage(session: Session, messageText: string): void {
  const message = parsed(messageText);
  if (message === undefined || message.kind === "request") return;
  if (message.kind === "response") session.questions.settle(message);
  else if (message.method === "notifications/cancelled") cancelRunning(session, message.params);
  else if (session.streaming && forClients.includes(message.method)) session.push(messageText);
}

function parsed(text: string): RpcMessage | undefined {
  try {
    return classifyMessage(JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
}
