/** Keeps the catalog true: asks backends for their lists when first needed, when they connect, when they say so, and when old. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Logger } from "../core/log.ts";
import type { Clock } from "../lib/clock.ts";
import { allListKinds, type ListKind, listKinds } from "../mcp/protocol.ts";
import { fetchList, type Route } from "./dispatch.ts";
import type { ReplicaLists, SharedList } from "./replica-lists.ts";
import type { ToolIntegrity } from "./tool-integrity.ts";

/** A list that waits for a slow backend longer than this makes hosts give up on the whole gateway; the rest follows as `list_changed`. */
const patienceMs = 3_000;

/** So long after a failure nobody waits for that backend: it is asked again, but a search must not hang on it each time. */
const distrustMs = 60_000;

/** A server whose connections come and go faster than it can be asked is not asked without end. */
const maxRounds = 3;

interface Asked {
  /** A connection was made meanwhile: another replica, or a new session, may list something else. */
  isOutdated: boolean;
}

const noItems: SharedList = { items: [], deviations: [] };

/** A burst of `list_changed` becomes one question. */
const debounceMs = 100;

export interface ListKeeperOptions {
  readonly catalog: Catalog;
  readonly routeOf: (server: string) => Route | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Age in milliseconds after which the list of a running backend is asked for again. */
  readonly maxAgeMs: () => number;
  readonly onChanged: (server: string, kind: ListKind) => void;
  /** What of the tools a server lists may be seen; all by default. */
  readonly admit?: ToolIntegrity["admit"];
  /** The server was asked for its tools, with whatever outcome. */
  readonly onAsked?: (server: string) => void;
}

export interface ListKeeper {
  /**
   * Resolves once the list is known, or with `again` once it was asked for anew, waking the backend for it.
   * Rejects with why it could not be asked.
   */
  ensureListed(server: string, kind: ListKind, again?: boolean): Promise<void>;
  /**
   * Resolves once the list is known, could not be had, or has been asked for longer than a client that lists many
   * backends should wait. Who comes later does not wait anew for the same backend.
   */
  listedSoon(server: string, kind: ListKind): Promise<void>;
  refreshIfStale(server: string, kind: ListKind): void;
  /** A connection was made: everything may have changed. */
  onConnected(server: string): void;
  onNotification(server: string, method: string): void;
}

export function createListKeeper(options: ListKeeperOptions): ListKeeper {
  const { catalog, routeOf, clock, log, maxAgeMs, onChanged, admit = async (_server, tools) => tools } = options;
  const asking = new Map<string, { readonly answer: Promise<void>; readonly sinceMs: number; readonly asked: Asked }>();
  let replicaLists: ReplicaLists | undefined;
  const debounced = new Set<string>();
  /** Monotonic milliseconds of the last failure to get a list, until one succeeds. */
  const failedAtMs = new Map<string, number>();

  function refresh(server: string, kind: ListKind): Promise<void> {
    const key = `${kind} ${server}`;
    const running = asking.get(key);
    if (running !== undefined) return running.answer;
    const asked: Asked = { isOutdated: false };
    const answer = askUntilCurrent(server, kind, asked)
      .then(
        () => void failedAtMs.delete(key),
        (error: unknown) => {
          failedAtMs.set(key, clock.now());
          throw error;
        },
      )
      .finally(() => {
        asking.delete(key);
        if (kind === "tools") options.onAsked?.(server);
      });
    asking.set(key, { answer, sinceMs: clock.now(), asked });
    return answer;
  }

  async function askUntilCurrent(server: string, kind: ListKind, asked: Asked): Promise<void> {
    for (let round = 1; round <= maxRounds; round++) {
      await ask(server, kind, asked);
      if (!asked.isOutdated) return;
    }
  }

  async function fetchShared(route: Route, kind: ListKind): Promise<SharedList> {
    const { upstream, listTimeoutMs } = route;
    const sources = upstream.group?.sources ?? [upstream];
    if (sources.length < 2) {
      return { items: await fetchList({ upstream: sources[0] ?? upstream, listTimeoutMs }, kind), deviations: [] };
    }
    const module = await import("./replica-lists.ts");
    replicaLists ??= new module.ReplicaLists(log);
    return replicaLists.fetch(route, sources, kind);
  }

  async function ask(server: string, kind: ListKind, asked: Asked): Promise<void> {
    const route = routeOf(server);
    if (route === undefined) return;
    const { capabilities } = await route.upstream.start(AbortSignal.timeout(route.listTimeoutMs));
    asked.isOutdated = false;
    const isOffered = capabilities[listKinds[kind].capability] !== undefined;
    const { items: sent, deviations } = isOffered ? await fetchShared(route, kind) : noItems;
    const items = kind === "tools" ? await admit(server, sent, deviations) : sent;
    // A reload may have replaced the backend while it was asked.
    if (routeOf(server)?.upstream !== route.upstream) return;
    const wasUnknown = catalog.list(server, kind) === undefined;
    if (catalog.update(server, kind, items) && !(wasUnknown && items.length === 0)) onChanged(server, kind);
  }

  function refreshInBackground(server: string, kind: ListKind): void {
    refresh(server, kind).catch((error: unknown) => {
      const upstream = routeOf(server)?.upstream;
      // Whom we stopped or removed ourselves owes no answer.
      if (upstream === undefined || upstream.status().state.is === "stopped") return;
      log.warn("Asking a backend for its list failed, the last known one stays", {
        server,
        list: kind,
        error: error instanceof Error ? error.message : String(error),
      });
    });
  }

  return {
    async ensureListed(server, kind, again = false) {
      await catalog.ready();
      if (again || catalog.list(server, kind) === undefined) await refresh(server, kind);
    },
    async listedSoon(server, kind) {
      await catalog.ready();
      if (catalog.list(server, kind) !== undefined) return;
      // Why it failed is in the backend's status; the lists of the others are worth having all the same.
      const answer = refresh(server, kind).catch(() => {});
      const sinceMs = asking.get(`${kind} ${server}`)?.sinceMs ?? clock.now();
      const restMs = sinceMs + patienceMs - clock.now();
      const failedLately = clock.now() - (failedAtMs.get(`${kind} ${server}`) ?? Number.NEGATIVE_INFINITY) < distrustMs;
      if (restMs <= 0 || failedLately) return;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(restMs, resolve);
        void answer.then(() => {
          cancel();
          resolve();
        });
      });
    },
    refreshIfStale(server, kind) {
      const seenAt = catalog.seenAt(server, kind);
      const isRunning = routeOf(server)?.used?.isReady;
      if (isRunning && seenAt !== undefined && Date.now() - seenAt > maxAgeMs()) refreshInBackground(server, kind);
    },
    onConnected(server) {
      for (const kind of allListKinds) {
        const running = asking.get(`${kind} ${server}`);
        if (running !== undefined) running.asked.isOutdated = true;
        else refreshInBackground(server, kind);
      }
    },
    onNotification(server, method) {
      if (debounced.has(`${server} ${method}`)) return;
      const kinds = allListKinds.filter((kind) => listKinds[kind].changed === method);
      if (kinds.length === 0) return;
      debounced.add(`${server} ${method}`);
      clock.after(debounceMs, () => {
        debounced.delete(`${server} ${method}`);
        for (const kind of kinds) {
          // What is being asked for right now may have been answered before the change.
          const running = asking.get(`${kind} ${server}`)?.answer ?? Promise.resolve();
          void running.catch(() => {}).then(() => refreshInBackground(server, kind));
        }
      });
    },
  };
}
