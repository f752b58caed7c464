/** Calls while they run and when they have ended, as a list or as a stream. Never arguments or results. */
import { shownToolName } from "../../../core/call-record.ts";
import type { Caller } from "../../../core/caller.ts";
import { oversees } from "../../../core/role.ts";
import type { Gateway } from "../../../gateway/gateway.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { JsonObject } from "../../../lib/json.ts";
import { idleTimeoutSeconds } from "../../../runtime/serve.ts";
import { toolName } from "../../../stages/tool-name.ts";
import { EventStream } from "../event-stream.ts";
import { eventStreamHeaders } from "../exchange.ts";
import { Refusal, send } from "../respond.ts";
import type { ManagementRoute, Task } from "./route.ts";
import { wholeNumber } from "./whole-number.ts";

export const callRoutes: readonly ManagementRoute[] = [
  { method: "GET", path: "/ui/api/calls", who: "viewer", run: calls },
  { method: "GET", path: "/ui/api/calls/stream", who: "viewer", run: stream },
];

const lookEveryMs = 500;
const maxStreams = 20;
const maxRunning = 100;
const streams = new WeakMap<Gateway, Set<EventStream>>();

/** Ends the streams, which would otherwise stay open for ever. */
export function endCallStreams(gateway: Gateway): void {
  for (const open of streams.get(gateway) ?? []) open.end();
}

async function calls({ gateway, clock, query, visit }: Task): Promise<JsonObject> {
  const { live } = await gateway.operation.observatory();
  return {
    count: live.count,
    running: running(gateway, clock, visit.caller),
    in_flight: gateway.inFlight,
    calls: seenBy(visit.caller, live.since(wholeNumber(query, "since", 0))),
  };
}

/** Of calls that have ended, those the caller may know of. */
function seenBy(caller: Caller, ended: JsonObject[]): JsonObject[] {
  if (caller.admin) return ended;
  return ended.filter(({ server, tool }) => oversees(caller, String(server), tool === null ? tool : String(tool)));
}

/** What began first comes first: a call that hangs is at the top. */
function running({ operation }: Gateway, clock: Clock, caller: Caller): JsonObject[] {
  const views: JsonObject[] = [];
  for (const { call, startedAtMs: startedMs } of operation.underWay) {
    if (views.length === maxRunning) break;
    if (!oversees(caller, call.upstream, toolName(call))) continue;
    views.push({
      request_id: call.requestId,
      caller: call.caller.name,
      server: call.upstream,
      method: call.method,
      tool: shownToolName(toolName(call)) ?? null,
      running_ms: Math.round(clock.now() - startedMs),
    });
  }
  return views;
}

/** One event at once, and then one whenever something happened, at most two in a second. */
async function stream({ gateway, clock, visit }: Task): Promise<Response> {
  if (visit.request.method === "HEAD")
    throw new Refusal(405, "A stream has no end to ask for", { headers: { allow: "GET" } });
  const { live } = await gateway.operation.observatory();
  const open = streams.get(gateway) ?? new Set();
  streams.set(gateway, open);
  if (open.size >= maxStreams) throw new Refusal(503, `${maxStreams} streams of calls are open already`);
  const { auth, streaming } = gateway.config;
  let cancelLook = () => {};
  const events = new EventStream(
    {
      clock,
      maxWaiting: streaming.buffer_size,
      keepAliveMs: Math.min(streaming.keep_alive_interval, (idleTimeoutSeconds * 1_000) / 2),
    },
    () => {
      cancelLook();
      open.delete(events);
    },
  );
  open.add(events);
  let seen = Math.max(0, live.count - 50);
  let lastRunning: string | undefined;
  const look = () => {
    // A key may have been taken away: who still has one comes back.
    if (gateway.draining || gateway.config.auth !== auth) return events.end();
    const now = running(gateway, clock, visit.caller);
    const ids = now.map(({ request_id }) => request_id).join();
    if (live.count > seen || ids !== lastRunning)
      events.send(
        JSON.stringify({
          count: live.count,
          in_flight: gateway.inFlight,
          running: now,
          calls: seenBy(visit.caller, live.since(seen)),
        }),
      );
    seen = live.count;
    lastRunning = ids;
    cancelLook = clock.after(lookEveryMs, look);
  };
  look();
  visit.peer.keepOpen();
  return send(visit, 200, "text/event-stream", events.body, eventStreamHeaders);
}
