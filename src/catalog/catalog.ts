/** What exists behind the gateway: the lists of every backend, as last seen, whether or not it runs now. */
import type { JsonObject } from "../lib/json.ts";
import type { ListKind } from "../mcp/protocol.ts";

/** One thing an upstream lists (tool, resource, template, prompt), exactly as the upstream sent it. */
export type Listed = JsonObject;

export interface CatalogServer {
  readonly name: string;
  readonly description: string;
  /** Digest of the backend's definition: the on-disk list of a changed definition is not used. */
  readonly key: string;
}

export interface SearchHit {
  readonly server: string;
  readonly tool: string;
  readonly listed: Listed;
  readonly score: number;
}

export interface SearchOptions {
  readonly limit: number;
  readonly server?: string | undefined;
  /** Only tools it returns true for are found: permission and availability are decided by the caller. */
  readonly visible: (server: string, tool: string) => boolean;
  /** Factor for the score of a tool; 1, if left out. */
  readonly boost?: ((server: string, tool: string) => number) | undefined;
}

export interface Catalog {
  /** Names in configuration order; kept lists of unchanged servers stay. Reads nothing: see {@link ready}. */
  setServers(servers: readonly CatalogServer[]): void;
  /**
   * Reads the lists on disk of servers set since the last call; await it before looking at lists. Costs nothing when
   * all is read. Never rejects. Apart from {@link setServers}, so that the port opens without waiting for the disk.
   */
  ready(): Promise<void>;
  readonly servers: readonly CatalogServer[];
  /** Replaces one list; returns whether it differs from what was known. Written to disk in the background. */
  update(server: string, kind: ListKind, items: readonly Listed[]): boolean;
  /** `undefined` while the list was never seen; an empty array is a known empty list. */
  list(server: string, kind: ListKind): readonly Listed[] | undefined;
  tool(server: string, name: string): Listed | undefined;
  /** Calendar time in milliseconds when the list was last confirmed; `undefined` when never. */
  seenAt(server: string, kind: ListKind): number | undefined;
  /** Grows with every change of servers or lists: what was derived from the catalog is current while it stays. */
  readonly revision: number;
  /** Ranked, best first; an exact name always leads. Loads and builds the index when needed; waits for {@link ready}. */
  search(query: string, options: SearchOptions): Promise<SearchHit[]>;
  /** Up to `limit` names nearest to `name` by edit distance, nearest first; for "did you mean". */
  nearest(name: string, candidates: readonly string[], limit: number): string[];
  /** Resolves when every pending write to disk is done. */
  flush(): Promise<void>;
}
