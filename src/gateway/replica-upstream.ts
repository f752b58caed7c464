/** From a backend with `replicas` to the upstream that they are together. */
import { replicasOf } from "../config/replicas.ts";
import type { BackendConfig, Config } from "../config/schema.ts";
import { asleep, type UpstreamStatus } from "../core/upstream.ts";
import { stableJson } from "../lib/json.ts";
import type { Environment } from "../runtime/process.ts";
import { LazyGroup } from "../upstreams/group/lazy-group.ts";
import type { GroupPlan, ReplicaGroup } from "../upstreams/group/replica-group.ts";
import type { LoadBalancingSettings } from "../upstreams/group/schema.ts";
import { type BackendContext, backendUpstream, definitionOf, kindOf } from "./backend-upstream.ts";
import { isolationOf } from "./isolation.ts";

interface ReplicaContext extends BackendContext {
  readonly env: Environment;
}

export function replicaUpstream(backend: BackendConfig, config: Config, context: ReplicaContext): ReplicaGroup {
  const { clock, events } = context;
  const plan = groupPlan(backend, config, context);
  return new LazyGroup({ name: backend.name, plan, clock, events, unused: unusedStatus(backend) });
}

export function groupPlan(
  backend: BackendConfig,
  { server, runtime, security }: Config,
  context: ReplicaContext,
): GroupPlan {
  return {
    // The configuration has it wherever it has replicas.
    settings: backend.load_balancing as LoadBalancingSettings,
    graceMs: server.shutdown_timeout,
    replicas: replicasOf(backend).map(({ id, address, weight, backend: own }) => {
      const isolation = isolationOf(own, runtime, context.env);
      return {
        id,
        address,
        weight,
        definition: stableJson(definitionOf(own, isolation, security)),
        build(events, isHeld) {
          const isWatched = (name: string) => context.isWatched(name) && isHeld();
          const log = context.log.with({ replica: id });
          return backendUpstream(own, { ...context, events, isWatched, log }, isolation);
        },
      };
    }),
  };
}

/** Before its first use. */
export function unusedStatus(backend: BackendConfig): UpstreamStatus {
  if (backend.replicas === undefined) return asleep;
  const replicas = replicasOf(backend).map(({ id, address, weight, backend: own }) => ({
    ...asleep,
    id,
    address,
    weight,
    kind: kindOf(own),
    failureCount: 0,
    inRotation: true,
  }));
  return { ...asleep, replicas };
}
