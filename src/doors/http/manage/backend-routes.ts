/** One backend: everything about it, and what an operator can do to it. */

import { entryView } from "../../../config/config-view.ts";
import type { LogFields } from "../../../core/log.ts";
import { oversees } from "../../../core/role.ts";
import { isAnothers } from "../../../core/scope.ts";
import { actorOf } from "../../../core/security-event.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { profileView } from "../../../observe/tool-profile.ts";
import type { ManagementRoute, Task } from "./route.ts";
import { describeServer } from "./server-view.ts";
import { notThere } from "./status-routes.ts";
import { toolView } from "./tool-view.ts";

export const backendRoutes: readonly ManagementRoute[] = [
  { method: "GET", path: "/ui/api/backends/:name", who: "viewer", run: detail },
  { method: "POST", path: "/ui/api/backends/:name/revive", who: "operator", run: revive },
  { method: "POST", path: "/ui/api/backends/:name/stop", who: "operator", run: stop },
];

const maxLine = 500;

function serverOf({ gateway, names, visit }: Task) {
  const name = names["name"] as string;
  const isMeant = (server: string) => server === name && oversees(visit.caller, server);
  return gateway.servers().find((server) => isMeant(server.name)) ?? notThere(name);
}

async function detail(task: Task): Promise<JsonObject> {
  const { gateway } = task;
  const server = serverOf(task);
  const { name } = server;
  const { operation, catalog, config } = gateway;
  await catalog.ready();
  const observatory = await operation.observatory();
  const profiles = (await observatory.all()).profiles.get(name);
  const entry = config.backends[name];
  const now = Date.now();
  return {
    ...describeServer(gateway, server, observatory.calls.servers.get(name)),
    config: entry === undefined ? null : entryView(entry, operation.redact),
    tools: (catalog.list(name, "tools") ?? [])
      .filter((tool) => oversees(task.visit.caller, name, String(tool["name"])))
      .filter((tool) => !isAnothers(task.visit.caller, name, String(tool["name"])))
      .map((tool) => ({
        ...toolView(name, tool),
        profile: profileOf(profiles?.get(String(tool["name"])), now, operation.redact),
      })),
    log: operation.logOf(name).map(({ at, level, message, fields }) => ({
      at: new Date(at).toISOString(),
      level,
      stream: fields?.["stream"] ?? null,
      // Cut after secrets are out of it, or half of one would pass.
      text: operation.redact(`${message}${detailsOf(fields)}`).slice(0, maxLine),
    })),
  };
}

function profileOf(
  profile: Parameters<typeof profileView>[0] | undefined,
  now: number,
  redact: (text: string) => string,
): JsonObject | null {
  return profile === undefined ? null : profileView(profile, now, redact);
}

function detailsOf(fields: LogFields | undefined): string {
  const shown = Object.entries(fields ?? {}).filter(([name, value]) => name !== "stream" && value !== undefined);
  return shown.map(([name, value]) => ` ${name}=${value}`).join("");
}

/** Not an error when it cannot be started: what was asked for was done, and the answer says how it went. */
async function revive(task: Task): Promise<JsonObject> {
  const { name } = serverOf(task);
  task.gateway.log.info("A backend is restarted by an operator", { server: name, caller: task.visit.caller.name });
  const { breakerWasOpen, error } = await task.gateway.operation.revive(name, {
    by: actorOf(task.visit.caller),
  });
  return {
    backend: name,
    status: error === undefined ? "revived" : "not_revived",
    breaker_was_open: breakerWasOpen,
    transport_rebuilt: error === undefined,
    ...(error !== undefined && { error: task.gateway.operation.redact(error) }),
  };
}

async function stop(task: Task): Promise<JsonObject> {
  const { name } = serverOf(task);
  task.gateway.log.info("A backend is stopped by an operator", { server: name, caller: task.visit.caller.name });
  await task.gateway.operation.stop(name, { by: actorOf(task.visit.caller) });
  return { backend: name, status: "stopped" };
}
