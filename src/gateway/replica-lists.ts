/**
 * What replicas list. The first that answers says what there is; the others are asked too, because a call may get to any
 * of them, and one that defines a tool otherwise is a server that changed its definition (T2).
 */
import type { Logger } from "../core/log.ts";
import type { Upstream } from "../core/upstream.ts";
import { type Json, type JsonObject, stableJson } from "../lib/json.ts";
import type { ListKind } from "../mcp/protocol.ts";
import { fetchList, type Route } from "./dispatch.ts";

export interface SharedList {
  readonly items: readonly JsonObject[];
  /** The same items as other replicas define them, where that is otherwise. */
  readonly deviations: readonly JsonObject[];
}

/** One that is slower than this has no say: it must not hold up what the others list. */
const patienceMs = 5_000;

export class ReplicaLists {
  readonly #log: Logger;
  /** What was said of a server last, so that it is not said again. */
  readonly #reported = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param sources several, the one whose lists count first */
  async fetch(
    { upstream, listTimeoutMs }: Pick<Route, "upstream" | "listTimeoutMs">,
    sources: readonly Upstream[],
    kind: ListKind,
  ): Promise<SharedList> {
    const ask = (source = upstream, limitMs = listTimeoutMs) =>
      fetchList({ upstream: source, listTimeoutMs: Math.min(limitMs, listTimeoutMs) }, kind);
    const outcomes = await Promise.allSettled(sources.map((source) => ask(source, patienceMs)));
    const lists = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const [items = await ask(sources[0]), ...others] = lists;
    const known = new Map(items.map((item) => [nameOf(item), stableJson(item)]));
    const deviations = others.flat().filter((item) => {
      const definition = known.get(nameOf(item));
      return definition !== undefined && definition !== stableJson(item);
    });
    this.#report(upstream.name, kind, lists, deviations);
    return { items, deviations };
  }

  #report(server: string, kind: ListKind, lists: readonly JsonObject[][], deviations: readonly JsonObject[]): void {
    const counts = new Map<Json | undefined, number>();
    for (const item of lists.flat()) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
    const missing = [...counts].flatMap(([name, count]) => (count < lists.length ? [name] : []));
    const found = JSON.stringify([missing, deviations.map(nameOf)]);
    const key = `${kind} ${server}`;
    if (found === (this.#reported.get(key) ?? "[[],[]]")) return;
    this.#reported.set(key, found);
    if (missing.length + deviations.length === 0) return;
    this.#log.warn("Replicas of a backend list different things", {
      server,
      list: kind,
      not_everywhere: shown(missing),
      defined_otherwise: shown(deviations.map(nameOf)),
    });
  }
}

function nameOf({ uri, uriTemplate, name }: JsonObject): Json | undefined {
  return uri ?? uriTemplate ?? name;
}

function shown(names: readonly unknown[]): string | undefined {
  return [...new Set(names)].slice(0, 10).join(", ").slice(0, 500) || undefined;
}
