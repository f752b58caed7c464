/** The clients that are connected. Their session ids let whoever has them in, so a digest stands for each. */

import type { Session } from "../../../clients/session.ts";
import { GatewayError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { sha256Hex } from "../../../runtime/digest.ts";
import type { ManagementRoute, Task } from "./route.ts";

export const connectionRoutes: readonly ManagementRoute[] = [
  { method: "GET", path: "/api/v1/connections", who: "viewer", isWhole: true, run: list },
  {
    method: "GET",
    path: "/api/v1/connections/:id",
    who: "viewer",
    isWhole: true,
    run: (task) => describe(task, sessionOf(task)),
  },
  { method: "DELETE", path: "/api/v1/connections/:id", who: "operator", isWhole: true, run: close },
];

const idLength = 16;
const maxText = 100;

function idOf({ id }: Session): string {
  return sha256Hex(id).slice(0, idLength);
}

function sessionOf({ gateway, names }: Task): Session {
  for (const session of gateway.sessions.all()) if (idOf(session) === names["id"]) return session;
  throw new GatewayError("SESSION_NOT_FOUND", "There is no such connection");
}

function list(task: Task): JsonObject {
  const connections = [...task.gateway.sessions.all()].map((session) => describe(task, session));
  return { connections, total: connections.length };
}

function describe({ clock }: Task, session: Session): JsonObject {
  const { clientInfo, principal, backend, protocolVersion, lastSeenMs, streaming, running } = session;
  const text = (value: unknown) => (typeof value === "string" ? value.slice(0, maxText) : null);
  return {
    id: idOf(session),
    client: text(clientInfo["name"]),
    client_version: text(clientInfo["version"]),
    // The kind of credential and the head of its digest.
    principal: principal.slice(0, 16),
    backend: backend ?? null,
    protocol_version: protocolVersion,
    idle_seconds: Math.max(0, Math.round((clock.now() - lastSeenMs) / 1_000)),
    streaming,
    running_requests: running.size,
  };
}

function close(task: Task): JsonObject {
  const session = sessionOf(task);
  task.gateway.log.info("A session is ended by an operator", {
    connection: idOf(session),
    caller: task.visit.caller.name,
  });
  task.gateway.sessions.close(session.id, session.principal);
  return { id: idOf(session), status: "closed" };
}
