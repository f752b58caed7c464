/** What the policies themselves cost: the whole chain around a call that answers at once, in one process, no wire. */
import * as v from "valibot";
import { Answer } from "../src/core/answer.ts";
import { type Call, chain, type Next } from "../src/core/call.ts";
import { anonymousCaller } from "../src/core/caller.ts";
import { silentLogger } from "../src/core/log.ts";
import { watchCalls } from "../src/gateway/watch-calls.ts";
import { systemClock } from "../src/lib/clock.ts";
import { stagesFor } from "../src/stages/order.ts";
import { failsafeSchema, securityStageEntries } from "../src/stages/schema.ts";
import { createStageState } from "../src/stages/upstream-stage-state.ts";
import { fixed, median, printTable, ratio } from "./table.ts";

const callsPerRound = 100_000;
const rounds = 9;
const limitUs = 10;

function pipeline(enabled: boolean, answer: Answer): Next {
  const rate_limit = { enabled, requests_per_second: 1e9, burst_size: 1e9 };
  const off = { enabled };
  const settings = v.parse(failsafeSchema, { rate_limit, circuit_breaker: off, retry: off, concurrency: off });
  const state = createStageState(settings, systemClock);
  const upstream = { isReady: true, start: () => Promise.reject(new Error("It is ready")) };
  const watched = enabled ? { sink: watch.onCall, underWay: watch.underWay } : {};
  const security = enabled ? v.parse(v.object(securityStageEntries), {}) : undefined;
  return chain(stagesFor({ upstream, settings, timeoutMs: 30_000, state, security, ...watched }), async () => answer);
}

/** As in a gateway: every call is counted and kept for who looks on. */
const watch = watchCalls({
  catalog: { list: () => undefined, tool: () => undefined },
  log: silentLogger,
  clock: systemClock,
  redact: (text) => text,
  stateDirectory: undefined,
  onProblem() {},
});

async function microsecondsPerCall(next: Next, call: Call): Promise<number> {
  const from = performance.now();
  for (let count = 0; count < callsPerRound; count++) await next({ ...call, deadline: performance.now() + 300_000 });
  return ((performance.now() - from) * 1_000) / callsPerRound;
}

export async function benchStages(): Promise<void> {
  await watch.observatory();
  // As it comes from a server: text.
  const answer = Answer.ofText('{"content":[{"type":"text","text":"Hello from the backend"}]}');
  const call: Call = {
    method: "tools/call",
    params: { name: "echo", arguments: { message: "Hello, how are you?", path: "/srv/notes/today.md", limit: 10 } },
    signal: new AbortController().signal,
    upstream: "bench",
    caller: anonymousCaller,
    sessionId: "session",
    requestId: "request",
    deadline: 0,
    safe: true,
  };
  const ways: Record<string, Next> = {
    "no stages": async () => answer,
    "stages off": pipeline(false, answer),
    "all stages on": pipeline(true, answer),
  };
  const times = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let round = -2; round < rounds; round++) {
    for (const [name, next] of Object.entries(ways)) {
      const us = await microsecondsPerCall(next, call);
      if (round >= 0) times.get(name)!.push(us);
    }
  }
  const base = median(times.get("no stages")!);
  console.log(`Stages, µs per call, medians of ${rounds} rounds of ${callsPerRound} calls (limit ${limitUs} µs)\n`);
  printTable(
    ["way", "µs per call", "over no stages", "of the limit"],
    [...times].map(([name, values]) => {
      const us = median(values);
      return [name, fixed(us, 2), fixed(us - base, 2), ratio((us - base) / limitUs, { atMost: 1 })];
    }),
  );
}
