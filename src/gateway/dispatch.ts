/**
 * The only file that calls an upstream (a test says so): client calls through every stage, and the gateway's own
 * requests for lists, which have no caller to limit.
 */
import type { Answer } from "../core/answer.ts";
import { type Call, chain, type Next, type Stage } from "../core/call.ts";
import { UpstreamError } from "../core/errors.ts";
import type { Upstream } from "../core/upstream.ts";
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Lazy } from "../lib/lazy.ts";
import { type ListKind, listKinds } from "../mcp/protocol.ts";

type StageList = readonly (Stage | undefined)[];

/** The way to one backend under one configuration. */
export class Route {
  readonly #upstream: Lazy<Upstream>;
  /** Longest time one page of a list may take, in milliseconds. */
  readonly listTimeoutMs: number;
  readonly #stages: () => StageList | Promise<StageList>;
  #next: Next | undefined;
  #preparing: Promise<Next> | undefined;
  #inFlight = 0;
  readonly #waiting = new Set<() => void>();

  /** @param stages asked at the first call: most starts end with most backends unused */
  constructor(upstream: Lazy<Upstream>, stages: () => StageList | Promise<StageList>, listTimeoutMs: number) {
    this.#upstream = upstream;
    this.listTimeoutMs = listTimeoutMs;
    this.#stages = stages;
  }

  get upstream(): Upstream {
    return this.#upstream.value;
  }

  /** The upstream if anything ever needed it. */
  get used(): Upstream | undefined {
    return this.#upstream.made;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  call(call: Call): Promise<Answer> {
    this.#inFlight++;
    const answer = this.#next === undefined ? this.#prepare().then((next) => next(call)) : this.#next(call);
    return answer.then(this.#onAnswer, this.#onError);
  }

  #prepare(): Promise<Next> {
    // Made at once: a reload in between closes what it finds.
    const { upstream } = this;
    this.#preparing ??= Promise.resolve(this.#stages()).then((stages) => {
      this.#next = chain(stages, (last) => upstream.request(last));
      return this.#next;
    });
    return this.#preparing;
  }

  /** Made once, not for every call. */
  readonly #onAnswer = (answer: Answer): Answer => {
    this.#leave();
    return answer;
  };
  readonly #onError = (error: unknown): never => {
    this.#leave();
    throw error;
  };

  #leave(): void {
    if (--this.#inFlight === 0) for (const tell of this.#waiting) tell();
  }

  /** Resolves when no call is on its way, those that queue or wait for a retry included, at the latest after `graceMs`. */
  async quiet(graceMs: number, clock: Clock): Promise<void> {
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      const tell = () => {
        cancel();
        this.#waiting.delete(tell);
        resolve();
      };
      const cancel = clock.after(graceMs, tell);
      this.#waiting.add(tell);
    });
  }
}

/** A server that pages its list without end must not keep us forever; the official SDK stops here too. */
const maxPages = 64;

/** All pages of one list, items exactly as sent. Waits for the start of a dormant upstream. */
export async function fetchList(
  { upstream, listTimeoutMs }: Pick<Route, "upstream" | "listTimeoutMs">,
  kind: ListKind,
): Promise<JsonObject[]> {
  const { method, field } = listKinds[kind];
  const items: JsonObject[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const answer = await upstream.request({
      method,
      params: cursor === undefined ? undefined : { cursor },
      signal: AbortSignal.timeout(listTimeoutMs),
    });
    const value = answer.exactValue;
    const found = value[field];
    if (!Array.isArray(found))
      throw new UpstreamError("UPSTREAM_PROTOCOL", `Backend "${upstream.name}" answered ${method} without "${field}"`);
    items.push(...found);
    const next = value["nextCursor"];
    if (typeof next !== "string" || next === cursor) return items;
    cursor = next;
  }
  return items;
}

/** Asks a running backend that logs to log at this level. */
export function requestLogLevel(route: Route, level: string): void {
  if (route.used?.description?.capabilities["logging"] !== undefined) tell(route, "logging/setLevel", { level });
}

/** Tells a running backend that somebody watches the resource, again after it forgot, or that nobody does any more. */
export function tellWatched(route: Route, uri: string, isWatched: boolean): void {
  tell(route, isWatched ? "resources/subscribe" : "resources/unsubscribe", { uri });
}

/** For a backend that runs; what it says to that changes nothing. */
function tell({ used, listTimeoutMs }: Route, method: string, params: JsonObject): void {
  if (used?.isReady !== true) return;
  used.request({ method, params, signal: AbortSignal.timeout(listTimeoutMs) }).catch(() => {});
}
