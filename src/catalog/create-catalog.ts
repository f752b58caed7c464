/** The lists in memory, kept on disk in the background, searched through an index that is built at the first search. */
import { stableJson } from "../lib/json.ts";
import { allListKinds, type ListKind } from "../mcp/protocol.ts";

import type { Catalog, CatalogServer, Listed, SearchHit, SearchOptions } from "./catalog.ts";
import type { StoredLists, ToolListStore } from "./list-store.ts";
import { nearestNames } from "./nearest-names.ts";
import type { SearchIndex } from "./search-index.ts";
import { stableHash } from "./stable-hash.ts";

/** A list confirmed unchanged is written again only after this time: `seenAt` on disk may be that much too old. */
const rewriteAfterMs = 3_600_000;

const identityOf = { tools: "name", prompts: "name", resources: "uri", templates: "uriTemplate" } as const;

interface KnownList {
  readonly items: readonly Listed[];
  readonly digest: string;
  readonly byIdentity: ReadonlyMap<string, Listed>;
  seenAt: number;
  savedAt: number;
}

interface KnownServer {
  definition: CatalogServer;
  readonly lists: Map<ListKind, KnownList>;
  /** `undefined` until the disk was asked. */
  loading: Promise<void> | undefined;
}

export interface CatalogOptions {
  /** Left out, lists are kept in memory only. */
  readonly store?: ToolListStore | undefined;
  /** Calendar time in milliseconds. */
  readonly now: () => number;
}

export function createCatalog({ store, now }: CatalogOptions): Catalog {
  let servers: readonly CatalogServer[] = [];
  let order: ReadonlyMap<string, number> = new Map();
  let known = new Map<string, KnownServer>();
  let revision = 0;
  let toLoad = new Set<KnownServer>();
  let loaded = Promise.resolve();
  const toSave = new Set<KnownServer>();
  let saving: Promise<void> | undefined;
  const toIndex = new Set<string>();
  let indexing: Promise<SearchIndex> | undefined;

  function setServers(next: readonly CatalogServer[]): void {
    const before = known;
    known = new Map();
    toLoad = new Set();
    for (const definition of next) {
      const kept = before.get(definition.name);
      const server: KnownServer =
        kept !== undefined && kept.definition.key === definition.key
          ? kept
          : { definition, lists: new Map(), loading: undefined };
      if (server !== kept || server.definition.description !== definition.description) toIndex.add(definition.name);
      server.definition = definition;
      known.set(definition.name, server);
      if (store && server.loading === undefined) toLoad.add(server);
    }
    for (const name of before.keys()) if (!known.has(name)) toIndex.add(name);
    servers = [...next];
    order = new Map(next.map(({ name }, at) => [name, at]));
    revision++;
  }

  function ready(): Promise<void> {
    if (toLoad.size > 0) {
      const loads = [loaded, ...[...toLoad].map(load)];
      toLoad = new Set();
      loaded = Promise.all(loads).then(() => {});
    }
    return loaded;
  }

  function load(server: KnownServer): Promise<void> {
    server.loading ??= (async () => {
      if (!store) return;
      const stored = await store.load(server.definition);
      if (known.get(server.definition.name) !== server) return;
      for (const kind of allListKinds) {
        const list = stored[kind];
        // What the server itself said meanwhile is newer than the disk.
        if (list && !server.lists.has(kind)) remember(server, kind, list.items, list.seenAt, list.seenAt);
      }
    })();
    return server.loading;
  }

  function remember(server: KnownServer, kind: ListKind, items: readonly Listed[], seenAt: number, savedAt: number) {
    const byIdentity = new Map<string, Listed>();
    const valid = items.filter((item) => {
      const identity: unknown = item?.[identityOf[kind]];
      if (typeof identity !== "string") return false;
      if (!byIdentity.has(identity)) byIdentity.set(identity, item);
      return true;
    });
    const digest = stableHash(stableJson(valid));
    const before = server.lists.get(kind);
    if (before?.digest === digest) {
      before.seenAt = seenAt;
      return false;
    }
    server.lists.set(kind, { items: valid, digest, byIdentity, seenAt, savedAt });
    if (kind === "tools") toIndex.add(server.definition.name);
    revision++;
    return true;
  }

  function update(name: string, kind: ListKind, items: readonly Listed[]): boolean {
    const server = known.get(name);
    if (!server) return false;
    const changed = remember(server, kind, items, now(), Number.NEGATIVE_INFINITY);
    const list = server.lists.get(kind) as KnownList;
    if (store && list.seenAt - list.savedAt > rewriteAfterMs) {
      toSave.add(server);
      saving ??= saveAll(store);
    }
    return changed;
  }

  async function saveAll(target: ToolListStore): Promise<void> {
    for (const server of toSave) {
      // The file is written whole: lists that are only on disk so far must be in it.
      await load(server);
      toSave.delete(server);
      const lists: StoredLists = {};
      for (const [kind, list] of server.lists) {
        lists[kind] = { seenAt: list.seenAt, items: list.items };
        list.savedAt = list.seenAt;
      }
      const saved = await target.save(server.definition, lists);
      if (!saved) for (const list of server.lists.values()) list.savedAt = Number.NEGATIVE_INFINITY;
    }
    saving = undefined;
  }

  async function search(query: string, options: SearchOptions): Promise<SearchHit[]> {
    await ready();
    // One after the other: a search that comes while lists are being indexed waits for them, and sees none half done.
    indexing = bringIndexUpToDate(indexing);
    try {
      return (await indexing).find(query, options, order);
    } catch (error) {
      indexing = undefined;
      throw error;
    }
  }

  async function bringIndexUpToDate(current: Promise<SearchIndex> | undefined): Promise<SearchIndex> {
    if (current === undefined) for (const name of known.keys()) toIndex.add(name);
    const index = await (current ?? import("./search-index.ts").then((module) => new module.SearchIndex()));
    for (const name of toIndex) {
      toIndex.delete(name);
      const server = known.get(name);
      const tools = server?.lists.get("tools")?.byIdentity.values() ?? [];
      if (server) await index.replace(server.definition, [...tools]);
      else index.remove(name);
    }
    return index;
  }

  return {
    setServers,
    ready,
    update,
    search,
    get servers() {
      return servers;
    },
    get revision() {
      return revision;
    },
    list: (server, kind) => known.get(server)?.lists.get(kind)?.items,
    tool: (server, name) => known.get(server)?.lists.get("tools")?.byIdentity.get(name),
    seenAt: (server, kind) => known.get(server)?.lists.get(kind)?.seenAt,
    nearest: nearestNames,
    async flush() {
      while (saving) await saving;
    },
  };
}
