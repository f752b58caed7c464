/** From a backend with `replicas` to the upstream that they are together. */
import { replicasOf } from "../config/replicas.ts";
import type { BackendConfig } from "../config/schema.ts";
import { asleep, type UpstreamStatus } from "../core/upstream.ts";
import { stableJson } from "../lib/json.ts";
import { lazyGroup } from "../upstreams/group/lazy-group.ts";
import type { GroupPlan, ReplicaGroup } from "../upstreams/group/replica-group.ts";
import type { LoadBalancingSettings } from "../upstreams/group/schema.ts";
import { type BackendContext, backendUpstream, definitionOf, kindOf } from "./backend-upstream.ts";

/** @param graceMs that requests have to end at a replica that a reload took away */
export function replicaUpstream(backend: BackendConfig, context: BackendContext, graceMs: number): ReplicaGroup {
  const { clock, events } = context;
  const plan = groupPlan(backend, context, graceMs);
  return lazyGroup({ name: backend.name, plan, clock, events, unused: unusedStatus(backend) });
}

export function groupPlan(backend: BackendConfig, context: BackendContext, graceMs: number): GroupPlan {
  return {
    // The configuration has it wherever it has replicas.
    settings: backend.load_balancing as LoadBalancingSettings,
    graceMs,
    replicas: replicasOf(backend).map(({ id, address, weight, backend: own }) => ({
      id,
      address,
      weight,
      definition: stableJson(definitionOf(own)),
      build: (events, isHeld) =>
        backendUpstream(own, {
          ...context,
          events,
          isWatched: (name) => context.isWatched(name) && isHeld(),
          log: context.log.with({ replica: id }),
        }),
    })),
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
