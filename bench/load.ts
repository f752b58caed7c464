/**
 * The load driver, a process of its own: closed loop, one call at a time per session, over raw keep-alive sockets or
 * over one stdio pipe. `bun load.ts JSON` with a {@link LoadPlan}; prints a {@link LoadResult} as JSON.
 */
import { connectHttp, type Session } from "./http-session.ts";
import { connectStdio } from "./stdio-session.ts";

export interface LoadPlan {
  readonly target: { readonly url: string } | { readonly command: readonly string[] };
  readonly sessions: number;
  /** Milliseconds that count; as much again up to 300 ms before them is warm-up. */
  readonly durationMs: number;
  /** Ends earlier after this many calls. */
  readonly maxCalls?: number;
  readonly tool: string;
  readonly args: unknown;
}

export interface LoadResult {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

async function run(plan: LoadPlan): Promise<LoadResult> {
  const sessions: Session[] =
    "url" in plan.target
      ? await Promise.all(
          Array.from({ length: plan.sessions }, () => connectHttp((plan.target as { url: string }).url)),
        )
      : await connectStdio(plan.target.command, plan.sessions);
  const params = { name: plan.tool, arguments: plan.args };
  const latencies: number[] = [];
  const startedAt = performance.now();
  const countFrom = startedAt + Math.min(plan.durationMs, 300);
  const endAt = countFrom + plan.durationMs;
  let total = 0;
  const loop = async (session: Session) => {
    for (;;) {
      const from = performance.now();
      if (from >= endAt || total >= (plan.maxCalls ?? Number.POSITIVE_INFINITY)) return;
      total++;
      await session.request("tools/call", params);
      if (from >= countFrom) latencies.push(performance.now() - from);
    }
  };
  await Promise.all(sessions.map(loop));
  const countedMs = performance.now() - countFrom;
  for (const session of sessions) session.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round((latencies[Math.floor(latencies.length * share)] ?? Number.NaN) * 10_000) / 10;
  return {
    calls: total,
    callsPerSecond: Math.round((latencies.length / countedMs) * 1_000),
    p50Us: at(0.5),
    p99Us: at(0.99),
  };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2]!) as LoadPlan)));
process.exit(0);
