/**
 * The upstreams that are in use, kept across reloads: a backend whose definition did not change keeps its object, and
 * with it its process, counters and sessions.
 */

import type { Upstream } from "../core/upstream.ts";
import { stableJson } from "../lib/json.ts";
import { Lazy } from "../lib/lazy.ts";

export interface Definition<U extends Upstream> {
  readonly name: string;
  /** Everything that, when changed, needs a new upstream; compared by its stable JSON. */
  readonly settings: unknown;
  /** Makes the upstream without starting it; asked with the first use of it. */
  build(): U;
  /** Brings an upstream that is kept up to date with what is not in {@link settings}. */
  adapt?(kept: U): void;
}

export interface PoolChange<U extends Upstream> {
  /** In the order of the definitions. */
  readonly upstreams: ReadonlyMap<string, Lazy<U>>;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Makes the change the pool's own, and closes what is not needed any more as soon as `quiet` resolves for it. */
  commit(quiet: (name: string) => Promise<void>): void;
}

export interface Pool<U extends Upstream> {
  /** Changes nothing yet: a change that is not committed is as if it never was. */
  apply(definitions: readonly Definition<U>[]): PoolChange<U>;
  /** Closes everything, what was retired earlier included. */
  close(graceMs: number): Promise<void>;
}

interface Entry<U extends Upstream> {
  readonly settings: unknown;
  readonly upstream: Lazy<U>;
  /** In force: what it is built by when it is needed. */
  definition: Definition<U>;
}

export function createPool<U extends Upstream>(): Pool<U> {
  let entries = new Map<string, Entry<U>>();
  const retired = new Set<U>();

  const retire = async (upstream: U, quiet: Promise<void>) => {
    retired.add(upstream);
    await quiet;
    await upstream.close(0);
    retired.delete(upstream);
  };

  return {
    apply(definitions) {
      const next: typeof entries = new Map();
      const added: string[] = [];
      const changed: string[] = [];
      for (const definition of definitions) {
        const { name, settings } = definition;
        const known = entries.get(name);
        if (known !== undefined && stableJson(known.settings) === stableJson(settings)) {
          next.set(name, known);
          continue;
        }
        (known === undefined ? added : changed).push(name);
        const entry: Entry<U> = { settings, upstream: new Lazy(() => entry.definition.build()), definition };
        next.set(name, entry);
      }
      const removed = [...entries.keys()].filter((name) => !next.has(name));
      return {
        upstreams: new Map([...next].map(([name, { upstream }]) => [name, upstream])),
        added,
        changed,
        removed,
        commit(quiet) {
          const before = entries;
          entries = next;
          for (const definition of definitions) {
            const entry = next.get(definition.name);
            if (entry === undefined || entry.definition === definition) continue;
            entry.definition = definition;
            if (entry.upstream.made !== undefined) definition.adapt?.(entry.upstream.made);
          }
          for (const [name, { upstream }] of before)
            if (upstream.made !== undefined && next.get(name)?.upstream !== upstream)
              void retire(upstream.made, quiet(name));
        },
      };
    },
    async close(graceMs) {
      const all = new Set([...retired, ...[...entries.values()].flatMap(({ upstream }) => upstream.made ?? [])]);
      entries = new Map();
      await Promise.all([...all].map((upstream) => upstream.close(graceMs)));
    },
  };
}
