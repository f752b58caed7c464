/**
 * Tool lists on disk, so that search works while every backend sleeps. One file per server and definition.
 * A cache: a file that is missing, broken or of something else is as good as none, and a full disk costs nothing but it.
 */
import { parseExact } from "../lib/exact-json.ts";
import { FailureSeries } from "../lib/failure-series.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { allListKinds, type ListKind } from "../mcp/protocol.ts";
import { exists, readText, writeAtomic } from "../runtime/files.ts";
import type { CatalogServer, Listed } from "./catalog.ts";
import { stableHash } from "./stable-hash.ts";

export interface StoredList {
  /** Calendar time in milliseconds when the server last confirmed the list. */
  readonly seenAt: number;
  readonly items: readonly Listed[];
}
export type StoredLists = Partial<Record<ListKind, StoredList>>;

/** Whose lists they are: name and hash of the definition. */
export type ListOwner = Pick<CatalogServer, "name" | "key">;

/** Neither function rejects. */
export interface ToolListStore {
  load(owner: ListOwner): Promise<StoredLists>;
  /** Whether the lists are on disk now. */
  save(owner: ListOwner, lists: StoredLists): Promise<boolean>;
}

const formatVersion = 1;
const maxFileBytes = 64 * 1_048_576;

/**
 * Keeps the files in `directory`, while `isEnabled` says so. `onChange` is called with the error when
 * writing begins to fail, and with `undefined` when it works again.
 */
export function createListStore(
  directory: string,
  isEnabled: () => boolean,
  onChange: (error: unknown) => void,
): ToolListStore {
  const failures = new FailureSeries(onChange);
  /** Asked once, before a key is worked out for every server: a first start has no lists. */
  let directoryExists: Promise<boolean> | undefined;
  const pathOf = (server: string, key: string) =>
    `${directory}/${server.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 60)}-${stableHash(`${server}\0${key}`)}.json`;

  return {
    async load(owner) {
      if (!isEnabled()) return {};
      directoryExists ??= exists(directory);
      if (!(await directoryExists)) return {};
      const { name, key } = owner;
      try {
        return readLists(parseExact(await readText(pathOf(name, key), maxFileBytes)) as Json, name, key);
      } catch {
        return {};
      }
    },
    async save({ name, key }, lists) {
      if (!isEnabled()) return false;
      try {
        const text = JSON.stringify({ version: formatVersion, server: name, key, lists });
        await writeAtomic(pathOf(name, key), text, { mode: 0o600 });
        directoryExists = undefined;
        failures.succeeded();
      } catch (error) {
        failures.failed(error);
      }
      return !failures.isFailing;
    },
  };
}

function readLists(file: Json, server: string, key: string): StoredLists {
  if (!isJsonObject(file) || file["version"] !== formatVersion || file["server"] !== server || file["key"] !== key)
    return {};
  const lists = file["lists"];
  if (!isJsonObject(lists)) return {};
  const read: StoredLists = {};
  for (const kind of allListKinds) {
    const list = lists[kind];
    if (!isJsonObject(list)) continue;
    const { seenAt, items } = list;
    if (typeof seenAt === "number" && Array.isArray(items)) read[kind] = { seenAt, items: items.filter(isJsonObject) };
  }
  return read;
}
