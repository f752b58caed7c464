/**
 * Several servers behind one name, as one upstream. The group decides which of them gets a request and whom it passes
 * over; whether the server as a whole is asked at all is the breaker's decision, and whether a request is sent again the
 * retry stage's. The group itself only ever hands on what was not sent: where there was no connection.
 */
import { abortError } from "../../core/abort-error.ts";
import type { Answer } from "../../core/answer.ts";
import type { RpcRequest } from "../../core/call.ts";
import {
  GatewayError,
  UnreachedError,
  UpstreamError,
  UpstreamRpcError,
  wantsOtherCredentials,
} from "../../core/errors.ts";
import type { ServerDescription, Upstream, UpstreamEvents } from "../../core/upstream.ts";
import { neverCancelled } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";
import { isStopping } from "../lifecycle-errors.ts";
import type { ManagedUpstream } from "../managed-upstream.ts";
import { choose, keepsClients } from "./balance.ts";
import { noReplica } from "./group-errors.ts";
import { groupStatus } from "./group-status.ts";
import { KnownReplicas } from "./known-replicas.ts";
import { Replica } from "./replica.ts";
import type { LoadBalancingSettings } from "./schema.ts";

export interface ReplicaPlan extends Pick<Replica, "id" | "address" | "definition" | "weight"> {
  /** @param isHeld whether it waits for what the server will say by itself */
  build(events: UpstreamEvents, isHeld: () => boolean): ManagedUpstream;
}

export interface GroupPlan {
  readonly settings: LoadBalancingSettings;
  /** At least one, in the order their lists are preferred. */
  readonly replicas: readonly ReplicaPlan[];
  /** Time that requests have to end at a replica that is not there any more. */
  readonly graceMs: number;
}

export interface ReplicaGroup extends ManagedUpstream {
  /** Puts another plan in force. A replica of the same id and definition goes on as it is. */
  configure(plan: GroupPlan): void;
}

export interface ReplicaGroupOptions {
  readonly name: string;
  readonly plan: GroupPlan;
  readonly clock: Clock;
  readonly events: UpstreamEvents;
}

export function createReplicaGroup({ name, plan, clock, events }: ReplicaGroupOptions): ReplicaGroup {
  let settings = plan.settings;
  let replicas: readonly Replica[] = [];
  /** Not needed any more, with requests to end. */
  const leaving = new Set<Replica>();
  const known = new KnownReplicas<Replica>();
  let lastDescription: ServerDescription | undefined;
  let isClosing = false;

  const ready = () => replicas.filter(({ upstream }) => upstream.isReady);
  const statuses = () => replicas.map((replica) => replica.status(settings));
  const none = (failures: readonly unknown[]) =>
    isClosing ? isStopping(name) : noReplica(name, statuses(), failures, clock.now());

  function add({ id, address, definition, build }: ReplicaPlan): Replica {
    const upstream = build(
      {
        onNotification: (_replica, method, params) => events.onNotification?.(group, method, params),
        onConnected() {
          replica.succeeded();
          lastDescription = upstream.description;
          // It has to hear what the others were told, and its lists may be others.
          events.onConnected?.(group);
        },
        onDisconnected(_replica, reason) {
          const watchedAny = known.forgetWatched(replica);
          if (isClosing || ready().length === 0) events.onDisconnected?.(group, reason);
          else if (watchedAny) events.onConnected?.(group);
        },
      },
      () => known.isWatching(replica),
    );
    const replica = new Replica({ id, address, definition }, upstream, clock);
    return replica;
  }

  function retire(replica: Replica, graceMs: number): void {
    leaving.add(replica);
    known.forgetHandles(replica);
    void replica.upstream.close(graceMs).finally(() => leaving.delete(replica));
  }

  /** `undefined` when there is none left to try. */
  function replicaFor(request: RpcRequest, tried: readonly Replica[]): Replica | undefined {
    const open = replicas.filter((replica) => !tried.includes(replica) && replica.isOpen);
    const watching = known.watcherOf(request);
    if (watching !== undefined && open.includes(watching)) return watching;
    const trusted = open.filter((replica) => replica.isTrusted(settings));
    // Where all failed, one that may fail again is better than none.
    const candidates = trusted.length > 0 ? trusted : open;
    if (candidates.length === 0) return undefined;
    const { strategy } = settings;
    const clientKey = () => keyOf(request, strategy);
    const chosen = choose(strategy, candidates, clientKey);
    const awake = candidates.filter(({ upstream }) => upstream.isReady);
    if (chosen.upstream.isReady || awake.length === 0 || keepsClients(strategy)) return chosen;
    // Its turn wakes it, and nobody waits for that while others are there.
    chosen.upstream.start(neverCancelled).catch((error) => chosen.failed(settings, error));
    return choose(strategy, awake, clientKey);
  }

  async function send(request: RpcRequest): Promise<Answer> {
    const owner = known.ownerOf(request);
    if (owner !== undefined) {
      if (!owner.upstream.isReady) await owner.upstream.start(request.signal);
      return deliver(owner, request);
    }
    const tried: Replica[] = [];
    const failures: unknown[] = [];
    for (;;) {
      const replica = replicaFor(request, tried);
      if (replica === undefined) throw none(failures);
      tried.push(replica);
      replica.chosen(settings);
      try {
        if (!replica.upstream.isReady) await replica.upstream.start(request.signal);
      } catch (error) {
        if (request.signal.aborted || !(error instanceof GatewayError)) throw error;
        replica.failed(settings, error);
        failures.push(error);
        continue;
      }
      try {
        return await deliver(replica, request);
      } catch (error) {
        if (!(error instanceof UnreachedError) || request.signal.aborted) throw error;
        failures.push(error);
      }
    }
  }

  async function deliver(replica: Replica, request: RpcRequest): Promise<Answer> {
    replica.inFlight++;
    try {
      const answer = await replica.upstream.request(request);
      replica.succeeded();
      known.note(request, answer, replica);
      return answer;
    } catch (error) {
      const failure = failureOf(request, error);
      if (failure === "none") replica.succeeded();
      else if (failure !== undefined) replica.failed(settings, failure);
      throw error;
    } finally {
      replica.inFlight--;
    }
  }

  const group: ReplicaGroup = {
    name,
    kind: "group",
    get description() {
      return ready()[0]?.upstream.description ?? lastDescription;
    },
    get isReady() {
      return replicas.some(({ upstream }) => upstream.isReady);
    },
    group: {
      get sources(): Upstream[] {
        const rank = (replica: Replica) => Number(!replica.isTrusted(settings));
        return ready()
          .sort((a, b) => rank(a) - rank(b))
          .map(({ upstream }) => upstream);
      },
      get isSound() {
        return replicas.some((replica) => replica.isSound);
      },
    },
    request(request) {
      // What holds for a connection holds for all of them.
      const all = request.method === "logging/setLevel" ? ready() : [];
      return all.length > 0
        ? Promise.any(all.map((replica) => deliver(replica, request))).catch(({ errors: [error] }: AggregateError) => {
            throw error;
          })
        : send(request);
    },
    notify(method, params) {
      for (const { upstream } of ready()) upstream.notify(method, params);
    },
    /** Starts all of them where none runs, and resolves with the first that is there. */
    async start(signal) {
      const { description } = group;
      if (group.isReady && description !== undefined) return description;
      const open = replicas.filter(({ isOpen }) => isOpen);
      if (open.length === 0) throw none([]);
      try {
        return await Promise.any(
          open.map((replica) =>
            replica.upstream.start(signal).catch((error) => {
              if (!signal.aborted) replica.failed(settings, error);
              throw error;
            }),
          ),
        );
      } catch (error) {
        throw signal.aborted ? abortError(signal) : none((error as AggregateError).errors);
      }
    },
    async restart() {
      await Promise.all(
        replicas.map((replica) => {
          replica.succeeded();
          // Nobody is to watch in its place: they all go.
          known.forgetWatched(replica);
          return replica.upstream.restart();
        }),
      );
    },
    async probe(timeoutMs) {
      const alive = await Promise.all(
        replicas.map(async (replica) => {
          const answers = await replica.upstream.probe(timeoutMs);
          if (answers === true) replica.succeeded();
          else if (answers === false) replica.failed(settings, new Error("It did not answer a ping"));
          return answers;
        }),
      );
      return alive.includes(true) ? true : alive.find((one) => one !== undefined);
    },
    status: () => groupStatus(statuses()),
    configure(next) {
      settings = next.settings;
      const before = replicas;
      replicas = next.replicas.map((wanted) => {
        const same = before.find(({ id, definition }) => id === wanted.id && definition === wanted.definition);
        const replica = same ?? add(wanted);
        replica.weight = wanted.weight;
        replica.turn = 0;
        return replica;
      });
      const gone = before.filter((replica) => !replicas.includes(replica));
      for (const replica of gone) retire(replica, next.graceMs);
      // What they watched is watched elsewhere from now on: who comes is told of it, and so are those that are there.
      if (gone.filter((replica) => known.forgetWatched(replica)).length === 0) return;
      if (group.isReady) events.onConnected?.(group);
      else group.start(neverCancelled).catch(() => {});
    },
    async close(graceMs) {
      isClosing = true;
      await Promise.all([...replicas, ...leaving].map(({ upstream }) => upstream.close(graceMs)));
    },
  };
  group.configure(plan);
  return group;
}

/** Why the replica failed; `none` when it answered, `undefined` when the outcome says nothing about it. */
function failureOf({ signal, attached }: RpcRequest, error: unknown): unknown {
  // The caller went away, or the time of the attempt was over.
  if (signal.aborted) return signal.reason instanceof UpstreamError ? signal.reason : undefined;
  if (error instanceof UpstreamRpcError) return "none";
  if (!(error instanceof UpstreamError)) return undefined;
  // It is one caller who is refused.
  if (attached?.holder !== undefined && wantsOtherCredentials(error)) return "none";
  return error.code === "RESULT_TOO_LARGE" ? "none" : error;
}

/** Equal for requests of one client. A revision without sessions leaves its identity and address. */
function keyOf(request: RpcRequest, strategy: LoadBalancingSettings["strategy"]): string {
  const { sessionId, caller, peer } = request;
  if (strategy === "ip_hash" && peer !== undefined) return peer.address;
  return sessionId ?? `${caller?.principal ?? ""} ${peer?.address ?? ""}`;
}
