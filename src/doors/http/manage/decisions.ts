/**
 * Decisions of operators, each with its reason: a held tool is approved, or stays refused; a server
 * that was switched off is let be called again, or one is switched off. They do what the routes for it do, and are recorded.
 */
import type { HeldTool } from "../../../catalog/integrity/definition-guard.ts";
import { oversees } from "../../../core/role.ts";
import { type Act, actorOf } from "../../../core/security-event.ts";
import { sendJson } from "../respond.ts";
import type { Task } from "./route.ts";

const maxReason = 500;

/** As the decision queue names it: with the digest of the definition that was looked at, so that no other is approved. */
export function toolTargetId({ server, tool, digest }: Pick<HeldTool, "server" | "tool" | "digest">): string {
  return `${server}:${tool}@${digest}`;
}

interface Outcome {
  readonly status: number;
  readonly code: string;
  readonly reason: string;
}

/** `POST /ui/api/control-plane/decisions` */
export async function decide(task: Task): Promise<Response> {
  const { status, code, reason } = await outcomeOf(task);
  const answer = { ok: status === 200, reason_code: code, reason };
  return sendJson(task.visit, status, JSON.stringify(answer));
}

async function outcomeOf(task: Task): Promise<Outcome> {
  const { target_kind: kind, target_id: id, decision, reason, rollback } = task.body;
  const isOwnWords = (value: unknown) => typeof value === "string" && value.trim() !== "" && value.length <= maxReason;
  if (kind !== "tool" && kind !== "server") return invalid('"target_kind" must be "tool" or "server"');
  if (typeof id !== "string" || id === "") return invalid('"target_id" is missing');
  if (decision !== "approve" && decision !== "deny") return invalid('"decision" must be "approve" or "deny"');
  if (!isOwnWords(reason))
    return { status: 422, code: "reason_required", reason: `"reason" must be 1 to ${maxReason} characters of text` };
  if (rollback !== undefined && rollback !== null && !isOwnWords(rollback))
    return invalid(`"rollback" must be 1 to ${maxReason} characters of text`);
  const act: Act = {
    by: actorOf(task.visit.caller),
    reason: reason as string,
    rollback: (rollback as string | null) ?? undefined,
  };
  return kind === "tool" ? decideTool(task, id, decision, act) : decideServer(task, id, decision, act);
}

function invalid(reason: string): Outcome {
  return { status: 400, code: "invalid_request", reason };
}

async function decideTool(task: Task, id: string, decision: "approve" | "deny", act: Act): Promise<Outcome> {
  const { gateway, visit } = task;
  const visible = (await gateway.heldTools()).filter(({ server, tool }) => oversees(visit.caller, server, tool));
  const held = visible.find((one) => toolTargetId(one) === id);
  if (held === undefined) {
    const isOther = visible.some(({ server, tool }) => id.startsWith(`${server}:${tool}@`));
    return isOther ? changed : { status: 404, code: "not_found", reason: "No tool of that id is held" };
  }
  const { server, tool, digest } = held;
  if (decision === "deny") {
    gateway.controlPlane.note({ action: "tool-denied", server, tool, digest, ...act });
    return { status: 200, code: "denied", reason: `"${tool}" stays refused` };
  }
  const outcome = await gateway.approveTool(server, tool, digest, act);
  if (outcome === "approved") return { status: 200, code: "approved", reason: `"${tool}" may be called` };
  return outcome === "changed" ? changed : { status: 409, code: "already_decided", reason: "The tool is not held" };
}

const changed: Outcome = {
  status: 409,
  code: "changed",
  reason: "The definition changed again since it was looked at: look at it as it is now",
};

function decideServer({ gateway, visit }: Task, id: string, decision: "approve" | "deny", act: Act): Outcome {
  const server = gateway.servers().find(({ name }) => name === id);
  if (server === undefined || !server.enabled || !oversees(visit.caller, id))
    return { status: 404, code: "not_found", reason: "No server of that name is in use" };
  const { killed, circuit } = server;
  if (decision === "deny") {
    gateway.killSwitches.kill(id, act);
    return { status: 200, code: "denied", reason: `Calls to "${id}" are refused` };
  }
  if (!killed && circuit === "closed")
    return { status: 409, code: "already_decided", reason: `"${id}" is not switched off` };
  gateway.killSwitches.revive(id, act);
  return { status: 200, code: "approved", reason: `"${id}" is called again` };
}
