/** One address of the management API, as data. */
import type { Role } from "../../../core/role.ts";
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
  /** The least role, or every caller that has a key. What a route shows and does reaches as far as `oversees`. */
  readonly who: Role | "caller";
  /** Whether it is about all servers at once, so that no role will do that reaches only some. */
  readonly isWhole?: boolean;
  /** What is returned is sent as JSON. */
  run(task: Task): Response | JsonObject | Promise<Response | JsonObject>;
}
