/** What is refused and why, and what calls cost: backends switched off, tools held back, budgets. */
import { diffDefinitions } from "../../../catalog/integrity/definition-diff.ts";
import { whyHeld } from "../../../catalog/integrity/definition-guard.ts";
import { GatewayError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { Refusal } from "../respond.ts";
import type { ManagementRoute, Task } from "./route.ts";
import { notThere } from "./status-routes.ts";

export const safetyRoutes: readonly ManagementRoute[] = [
  { method: "GET", path: "/ui/api/costs", who: "admin", run: ({ gateway }) => gateway.costs() },
  { method: "GET", path: "/ui/api/safety", who: "admin", run: safety },
  { method: "POST", path: "/ui/api/backends/:name/kill", who: "admin", run: kill },
  { method: "POST", path: "/ui/api/quarantine/:server/:tool/approve", who: "admin", run: approve },
];

async function safety({ gateway }: Task): Promise<JsonObject> {
  const { killSwitches } = gateway;
  return {
    servers: killSwitches.safety().map((server) => ({ ...server, window: { ...server.window } })),
    resting_tools: killSwitches.restingTools().map((tool) => ({ ...tool })),
    held_tools: (await gateway.heldTools()).map(({ findings, approved, ...held }) => ({
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
  const outcome = gateway.killSwitches.kill(backend);
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
  const outcome = await gateway.approveTool(server, tool, lookedAt);
  if (outcome === "not held") return notThere(`${server}/${tool}`);
  if (outcome === "changed")
    throw new Refusal(409, `The definition of "${tool}" changed again since it was looked at`, {
      hint: "Look at it as it is now, then approve that",
    });
  gateway.log.info("A held tool is approved by an operator", { server, tool, caller: visit.caller.name });
  return { server, tool, status: "approved" };
}
