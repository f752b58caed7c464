/** Stands for a group from the start on, and loads it with the first use: the first answer of a gateway can do without. */
import type { UpstreamEvents, UpstreamStatus } from "../../core/upstream.ts";
import type { GroupPlan, ReplicaGroup, ReplicaGroupOptions } from "./replica-group.ts";

export interface LazyGroupOptions extends ReplicaGroupOptions {
  /** Before it was used. */
  readonly unused: UpstreamStatus;
}

export function lazyGroup({ unused, ...options }: LazyGroupOptions): ReplicaGroup {
  const { name, clock, events } = options;
  let plan: GroupPlan = options.plan;
  let group: ReplicaGroup | undefined;
  let loading: Promise<ReplicaGroup> | undefined;
  /** Others know the server by this object. */
  const ownEvents: UpstreamEvents = {
    onNotification: (_group, method, params) => events.onNotification?.(lazy, method, params),
    onConnected: () => events.onConnected?.(lazy),
    onDisconnected: (_group, reason) => events.onDisconnected?.(lazy, reason),
  };
  const loaded = () => {
    loading ??= import("./replica-group.ts").then(({ createReplicaGroup }) => {
      group = createReplicaGroup({ name, plan, clock, events: ownEvents });
      return group;
    });
    return loading;
  };

  const lazy: ReplicaGroup = {
    name,
    kind: "group",
    get description() {
      return group?.description;
    },
    get isReady() {
      return group?.isReady ?? false;
    },
    get group() {
      return group?.group;
    },
    request: (request) => group?.request(request) ?? loaded().then((made) => made.request(request)),
    notify: (method, params) => group?.notify(method, params),
    start: async (signal) => (await loaded()).start(signal),
    restart: async () => group?.restart(),
    probe: async (timeoutMs) => group?.probe(timeoutMs),
    status: () => group?.status() ?? unused,
    configure(next) {
      plan = next;
      group?.configure(next);
    },
    close: async (graceMs) => (await loaded()).close(graceMs),
  };
  return lazy;
}
