/** A group before its first use. */
import type { UpstreamStatus } from "../../core/upstream.ts";
import { LazyUpstream } from "../lazy-upstream.ts";
import type { GroupPlan, ReplicaGroup, ReplicaGroupOptions } from "./replica-group.ts";

export interface LazyGroupOptions extends ReplicaGroupOptions {
  /** Before it was used. */
  readonly unused: UpstreamStatus;
}

export class LazyGroup extends LazyUpstream<ReplicaGroup> implements ReplicaGroup {
  readonly #unused: UpstreamStatus;
  #plan: GroupPlan;

  constructor({ name, clock, events, plan, unused }: LazyGroupOptions) {
    super({
      name,
      kind: "group",
      events,
      load: async (ownEvents) =>
        (await import("./replica-group.ts")).createReplicaGroup({ name, plan: this.#plan, clock, events: ownEvents }),
    });
    this.#plan = plan;
    this.#unused = unused;
  }

  get group() {
    return this.made?.group;
  }

  override status(): UpstreamStatus {
    return this.made?.status() ?? this.#unused;
  }

  configure(plan: GroupPlan): void {
    this.#plan = plan;
    this.made?.configure(plan);
  }
}
