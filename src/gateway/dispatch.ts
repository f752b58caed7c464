/**
 * The only file that calls an upstream (a test says so): client calls through every stage, and the gateway's own
 * requests for lists, which have no caller to limit.
 */
import { type Call, chain, type Next, type Stage } from "../core/call.ts";
import { DeniedError, UpstreamError } from "../core/errors.ts";
import type { Upstream } from "../core/upstream.ts";
import type { JsonObject } from "../lib/json.ts";
import { type ListKind, listKinds } from "../mcp/protocol.ts";

export interface Route {
  readonly upstream: Upstream;
  readonly next: Next;
  /** Longest time one page of a list may take, in milliseconds. */
  readonly listTimeoutMs: number;
}

export function routeTo(upstream: Upstream, stages: readonly (Stage | undefined)[], listTimeoutMs: number): Route {
  return { upstream, listTimeoutMs, next: chain(stages, (call) => upstream.request(call)) };
}

export function dispatch(routes: ReadonlyMap<string, Route>, call: Call): ReturnType<Next> {
  const route = routes.get(call.upstream);
  if (route !== undefined) return route.next(call);
  throw new DeniedError("SERVER_NOT_FOUND", `There is no running backend "${call.upstream}"`, {
    data: { server: call.upstream },
  });
}

/** A server that pages its list without end must not keep us forever; the official SDK stops here too. */
const maxPages = 64;

/** All pages of one list, items exactly as sent. Waits for the start of a dormant upstream. */
export async function fetchList({ upstream, listTimeoutMs }: Route, kind: ListKind): Promise<JsonObject[]> {
  const { method, field } = listKinds[kind];
  const items: JsonObject[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const answer = await upstream.request({
      method,
      params: cursor === undefined ? undefined : { cursor },
      signal: AbortSignal.timeout(listTimeoutMs),
    });
    const found = answer.value[field];
    if (!Array.isArray(found))
      throw new UpstreamError("UPSTREAM_PROTOCOL", `Backend "${upstream.name}" answered ${method} without "${field}"`);
    items.push(...found);
    const next = answer.value["nextCursor"];
    if (typeof next !== "string" || next === cursor) return items;
    cursor = next;
  }
  return items;
}

/** Asks a running backend that logs to log at this level; what it says to that changes nothing. */
export function requestLogLevel({ upstream, listTimeoutMs }: Route, level: string): void {
  if (!upstream.isReady || upstream.description?.capabilities["logging"] === undefined) return;
  const signal = AbortSignal.timeout(listTimeoutMs);
  upstream.request({ method: "logging/setLevel", params: { level }, signal }).catch(() => {});
}
