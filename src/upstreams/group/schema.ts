/** Several servers behind one name: what may differ between them, and how calls are spread over them. */
import * as v from "valibot";
import { duration, maybe, positiveInteger, setting, stringMap } from "../../core/kinds.ts";

export const replicaSchema = v.object({
  id: maybe(
    v.pipe(v.string(), v.minLength(1)),
    "Name of the replica in status, log and metrics; its host or program by default",
  ),
  command: maybe(
    v.union([v.string(), v.pipe(v.array(v.string()), v.minLength(1))]),
    "Program of a stdio server, as in a backend",
  ),
  args: maybe(v.array(v.string()), "Arguments appended to `command`"),
  cwd: maybe(v.string(), "Working directory of the program; the backend's by default"),
  http_url: maybe(v.string(), "Address of a server, as in a backend"),
  a2a_url: maybe(v.string(), "Address of an A2A agent, as in a backend"),
  url: maybe(v.string(), "Other name of `http_url`"),
  env: setting(stringMap, {}, "Variables besides those of the backend; of equal names these count"),
  headers: setting(stringMap, {}, "Headers besides those of the backend; of equal names these count"),
  weight: setting(positiveInteger, 100, "Share of the calls, against the weights of the others"),
});

export const replicasSchema = v.pipe(v.array(replicaSchema), v.minLength(1));

export const loadBalancingSchema = v.object({
  strategy: setting(
    v.picklist(["round_robin", "weighted_round_robin", "least_connections", "ip_hash", "session_hash"]),
    "round_robin",
    "Who gets a call: the next in turn, by `weight` or not; the one with the fewest running for its `weight`; always the same one for a client's address or session",
  ),
  failure_threshold: setting(
    positiveInteger,
    3,
    "Consecutive failures after which a replica gets no calls while others answer",
  ),
  reset_timeout: setting(duration, "10s", "Time until such a replica gets one call again, to see how it is"),
});
export type LoadBalancingSettings = v.InferOutput<typeof loadBalancingSchema>;
