/** One address of the management API, as data. */
import type { Gateway } from "../../../gateway/gateway.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { JsonObject } from "../../../lib/json.ts";
import type { Visit } from "../visit.ts";

export interface Task {
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly visit: Visit;
  /** Values of the `:name` segments of the path. */
  readonly names: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Of a request that changes something; empty when it has no body. */
  readonly body: JsonObject;
}

export interface ManagementRoute {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Segments that begin with `:` stand for any one segment. */
  readonly path: string;
  /** Who may: admins, or every caller that has a key. */
  readonly who: "admin" | "caller";
  /** What is returned is sent as JSON. */
  run(task: Task): Response | JsonObject | Promise<Response | JsonObject>;
}
