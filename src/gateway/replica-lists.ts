/**
 * What replicas list. The first that answers says what there is; all are asked for their tools, because a call may get to
 * any of them, and one that defines a tool otherwise is a server that changed its definition (T2).
 */
import type { Logger } from "../core/log.ts";
import { type JsonObject, stableJson } from "../lib/json.ts";
import type { ListKind } from "../mcp/protocol.ts";
import { fetchList, type Route } from "./dispatch.ts";

export interface SharedList {
  readonly items: readonly JsonObject[];
  /** Definitions of the same tools that differ, as other replicas list them. */
  readonly deviations: readonly JsonObject[];
}

export class ReplicaLists {
  readonly #log: Logger;
  /** What was said of a server last, so that it is not said again. */
  readonly #reported = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  async fetch(
    { upstream, listTimeoutMs }: Pick<Route, "upstream" | "listTimeoutMs">,
    kind: ListKind,
  ): Promise<SharedList> {
    const sources = upstream.group?.sources ?? [];
    const asked = (source: typeof upstream) => fetchList({ upstream: source, listTimeoutMs }, kind);
    if (sources.length < 2) return { items: await asked(sources[0] ?? upstream), deviations: [] };
    if (kind !== "tools") return { items: await firstOf(sources, asked), deviations: [] };
    const lists = (await Promise.allSettled(sources.map(asked))).flatMap((one) =>
      one.status === "fulfilled" ? [one.value] : [],
    );
    const [items, ...others] = lists;
    if (items === undefined) return { items: await asked(upstream), deviations: [] };
    const known = new Map(items.map((item) => [item["name"], stableJson(item)]));
    const deviations = others
      .flat()
      .filter((item) => known.has(item["name"]) && known.get(item["name"]) !== stableJson(item));
    this.#report(upstream.name, lists, deviations);
    return { items, deviations };
  }

  #report(server: string, lists: readonly (readonly JsonObject[])[], deviations: readonly JsonObject[]): void {
    const counts = new Map<unknown, number>();
    for (const { name } of lists.flat()) counts.set(name, (counts.get(name) ?? 0) + 1);
    const missing = [...counts].filter(([, count]) => count < lists.length).map(([name]) => name);
    const differing = [...new Set(deviations.map(({ name }) => name))];
    const found = JSON.stringify([missing, differing]);
    if (found === (this.#reported.get(server) ?? "[[],[]]")) return;
    this.#reported.set(server, found);
    if (missing.length + differing.length === 0) return;
    const shown = (names: readonly unknown[]) => names.slice(0, 10).join(", ").slice(0, 500) || undefined;
    this.#log.warn("Replicas of a backend list different tools", {
      server,
      not_everywhere: shown(missing),
      defined_otherwise: shown(differing),
    });
  }
}

async function firstOf<S, T>(sources: readonly S[], ask: (source: S) => Promise<T>): Promise<T> {
  let failure: unknown;
  for (const source of sources) {
    try {
      return await ask(source);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
