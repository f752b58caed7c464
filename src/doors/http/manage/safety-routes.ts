/** What is refused and why, and what calls cost: backends switched off, tools held back, budgets. */
import { diffDefinitions } from "../../../catalog/integrity/definition-diff.ts";
import { whyHeld } from "../../../catalog/integrity/definition-guard.ts";
import { GatewayError } from "../../../core/errors.ts";
import { oversees } from "../../../core/role.ts";
import { actorOf } from "../../../core/security-event.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { Refusal } from "../respond.ts";
import type { ManagementRoute, Task } from "./route.ts";
import { notThere } from "./status-routes.ts";

export const safetyRoutes: readonly ManagementRoute[] = [
  { method: "GET", path: "/ui/api/costs", who: "viewer", isWhole: true, run: ({ gateway }) => gateway.costs() },
  { method: "GET", path: "/ui/api/safety", who: "viewer", run: safety },
  { method: "POST", path: "/ui/api/backends/:name/kill", who: "operator", run: kill },
  { method: "POST", path: "/ui/api/quarantine/:server/:tool/approve", who: "operator", run: approve },
];

async function safety({ gateway, visit: { caller } }: Task): Promise<JsonObject> {
  const { killSwitches } = gateway;
  const held = (await gateway.heldTools()).filter(({ server, tool }) => oversees(caller, server, tool));
  const resting = killSwitches.restingTools().filter((one) => oversees(caller, one.backend, one.capability));
  return {
    servers: killSwitches
      .safety()
      .filter(({ server }) => oversees(caller, server))
      .map((server) => ({ ...server, window: { ...server.window } })),
    resting_tools: resting.map((tool) => ({ ...tool })),
    held_tools: held.map(({ findings, approved, ...held }) => ({
      ...held,
      findings: findings.map((finding) => ({ ...finding })),
      approved: approved ?? null,
      why: whyHeld({ findings, approved }),
      changes: diffDefinitions(approved, held.definition),
    })),
  };
}

/** Undone by `/revive`. */
function kill({ gateway, names, visit }: Task): JsonObject {
  const backend = names["name"] as string;
  if (!oversees(visit.caller, backend)) return notThere(backend);
  const outcome = gateway.killSwitches.kill(backend, { by: actorOf(visit.caller) });
  gateway.log.warn("A backend is switched off by an operator", { server: backend, caller: visit.caller.name });
  return { backend, status: "disabled", ...outcome };
}

async function approve({ gateway, names, visit, body }: Task): Promise<JsonObject> {
  const [server, tool] = [names["server"] as string, names["tool"] as string];
  const { digest: lookedAt } = body;
  if (typeof lookedAt !== "string")
    throw new GatewayError("INVALID_REQUEST", 'The body needs "digest", a string', {
      hint: "Send the digest of the definition that was looked at, as /ui/api/safety shows it",
    });
  if (!oversees(visit.caller, server, tool)) return notThere(`${server}/${tool}`);
  const outcome = await gateway.approveTool(server, tool, lookedAt, { by: actorOf(visit.caller) });
  if (outcome === "not held") return notThere(`${server}/${tool}`);
  if (outcome === "changed")
    throw new Refusal(409, `The definition of "${tool}" changed again since it was looked at`, {
      hint: "Look at it as it is now, then approve that",
    });
  gateway.log.info("A held tool is approved by an operator", { server, tool, caller: visit.caller.name });
  return { server, tool, status: "approved" };
}
