/**
 * Which agent calls, as the request says: for logs and the record of calls. It is no proof; an agent that shows a token of
 * its own is who that says, whatever the header says.
 */
import type { Caller } from "../../core/caller.ts";
import { DeniedError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";

type Settings = Gateway["config"]["security"]["agent_identity"];

const header = "x-agent-id";
/** Visible ASCII: it goes into log lines as it is. */
const idPattern = /^[!-~]{1,128}$/;
/** Labels come from anybody; of one caller so many are remembered. */
const maxLabels = 100;

/** Lists are remembered by caller, so equal ones must be one. */
const labelled = new WeakMap<Caller, Map<string, Caller>>();

/**
 * The caller with its label.
 * @param url its query is asked where there is no header
 * @throws DeniedError FORBIDDEN when there must be a label and is none, or it is not one of the known ones
 */
export function callerWithLabel(caller: Caller, headers: Headers, url: string, settings: Settings): Caller {
  if (!settings.enabled) return caller;
  const fromAddress = url.includes("agent_id=") ? new URL(url).searchParams.get("agent_id") : null;
  const agent = caller.agent ?? (headers.get(header) || fromAddress || undefined);
  if (agent === undefined) {
    if (!settings.require_id) return caller;
    throw new DeniedError("FORBIDDEN", "The request does not say which agent it is of", {
      hint: "Send X-Agent-ID, or ?agent_id= in the address",
    });
  }
  if (caller.agent === undefined && !idPattern.test(agent))
    throw new DeniedError("FORBIDDEN", "The agent's id is not 1 to 128 visible ASCII characters");
  if (settings.known_agents.length > 0 && !settings.known_agents.includes(agent))
    throw new DeniedError("FORBIDDEN", `Agent "${agent}" is not known here`, {
      hint: "An operator can add it to security.agent_identity.known_agents",
    });
  return withAgent(caller, agent);
}

/** `agent` only where the caller has proven none. */
export function withAgent(caller: Caller, agent: string | undefined): Caller {
  if (agent === undefined || caller.agent !== undefined) return caller;
  let byLabel = labelled.get(caller);
  if (byLabel === undefined || byLabel.size >= maxLabels) {
    byLabel = new Map();
    labelled.set(caller, byLabel);
  }
  let found = byLabel.get(agent);
  if (found === undefined) {
    found = { ...caller, agent };
    byLabel.set(agent, found);
  }
  return found;
}
