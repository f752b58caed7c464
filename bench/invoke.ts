/**
 * What a call costs through the gateway: in the same run and in turns, directly to the raw backend, through the
 * yardstick (a fifteen-line fetch proxy for HTTP, a twenty-line relay for stdio), and through the gateway by
 * `/mcp/{backend}` and by `gateway_invoke`, with the stages off and on. Medians over the rounds.
 */
import type { BlobKind } from "./backend-answers.ts";
import type { LoadPlan, LoadResult } from "./load.ts";
import {
  bun,
  cpuUs,
  type Gateway,
  gatewayCommand,
  type Running,
  root,
  rssMb,
  startGateway,
  startScript,
  stdioBackend,
} from "./processes.ts";
import { fixed, median, printTable, ratio } from "./table.ts";

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 5);
const durationMs = Number(process.env["BENCH_MS"] ?? 1_000);
const sizes = { "10 kB": 10_000, "1 MB": 1_000_000, "10 MB": 10_000_000 } as const;

type Transport = "http" | "stdio";

/** One way to the backend of a transport. */
interface Way {
  readonly name: string;
  readonly target: LoadPlan["target"];
  /** The process in the middle, whose processor time is counted. */
  readonly pid?: number;
  /** Calls the backend's tool through the meta-tool. */
  readonly byInvoke?: boolean;
  readonly isYardstick?: boolean;
}

interface House {
  readonly ways: Readonly<Record<Transport, readonly Way[]>>;
  readonly gateway: Gateway;
  stop(): Promise<void>;
}

async function build(): Promise<House> {
  const running: Running[] = [];
  const start = async <T extends Running>(starting: Promise<T>): Promise<T> => {
    const process = await starting;
    running.push(process);
    return process;
  };
  const backend = await start(startScript("backend-http.ts"));
  const proxy = await start(startScript("proxy-fetch.ts", backend.url));
  const relay = await start(startScript("relay-stdio.ts", ...stdioBackend));
  const config = {
    capabilities: { enabled: false },
    backends: { http: { http_url: backend.url }, stdio: { command: stdioBackend } },
  };
  const off = { enabled: false };
  const stagesOff = {
    failsafe: {
      circuit_breaker: off,
      retry: off,
      rate_limit: off,
      concurrency: off,
      error_budget: off,
      tool_error_budget: off,
      health_check: off,
    },
    security: { sanitize_input: false, tool_policy: off, firewall: off, tool_integrity: off },
  };
  // On, but beyond what the driver can reach: a refused call costs nothing and would flatter.
  const failsafeOn = { rate_limit: { requests_per_second: 1e9, burst_size: 1e9 } };
  const bare = await start(startGateway({ ...config, ...stagesOff }));
  const gateway = await start(startGateway({ ...config, failsafe: failsafeOn }));
  const { argv, env } = gatewayCommand(gateway.folder, { ...config, failsafe: failsafeOn });
  const overStdio = ["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...argv, "--stdio"];

  const gatewayWays = (transport: Transport): Way[] => [
    { name: `/mcp/${transport}, stages off`, target: { url: `${bare.url}/mcp/${transport}` }, pid: bare.pid },
    { name: `/mcp/${transport}`, target: { url: `${gateway.url}/mcp/${transport}` }, pid: gateway.pid },
    { name: "gateway_invoke", target: { url: `${gateway.url}/mcp` }, pid: gateway.pid, byInvoke: true },
  ];
  return {
    gateway,
    ways: {
      http: [
        { name: "direct", target: { url: backend.url } },
        { name: "fetch proxy", target: { url: proxy.url }, pid: proxy.pid, isYardstick: true },
        ...gatewayWays("http"),
      ],
      stdio: [
        { name: "direct, one pipe", target: { command: stdioBackend } },
        { name: "relay", target: { url: relay.url }, pid: relay.pid, isYardstick: true },
        ...gatewayWays("stdio"),
        { name: "gateway_invoke, one pipe", target: { command: overStdio }, byInvoke: true },
      ],
    },
    stop: async () => {
      for (const process of running.reverse()) await process.stop();
    },
  };
}

async function load(
  way: Way,
  transport: Transport,
  plan: Pick<LoadPlan, "sessions" | "tool" | "args"> & Partial<LoadPlan>,
): Promise<LoadResult & { cpuUsPerCall: number | undefined }> {
  const { tool, args, ...rest } = plan;
  const call = way.byInvoke
    ? { tool: "gateway_invoke", args: { server: transport, tool, arguments: args } }
    : { tool, args };
  const full: LoadPlan = { target: way.target, durationMs, ...rest, ...call };
  const cpuBefore = way.pid === undefined ? undefined : cpuUs(way.pid);
  const driver = Bun.spawn([bun, `${root}bench/load.ts`, JSON.stringify(full)], { stdout: "pipe", stderr: "inherit" });
  const output = await new Response(driver.stdout).text();
  if ((await driver.exited) !== 0) throw new Error(`The load driver failed on ${way.name}`);
  const result = JSON.parse(output) as LoadResult;
  const cpuAfter = way.pid === undefined ? undefined : cpuUs(way.pid);
  const cpu = cpuBefore === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpuBefore) / result.calls;
  return { ...result, cpuUsPerCall: cpu };
}

async function inHouse(measure: (house: House) => Promise<void>): Promise<void> {
  const house = await build();
  try {
    await measure(house);
  } finally {
    await house.stop();
  }
}

type Field = "p50Us" | "p99Us" | "callsPerSecond" | "cpuUsPerCall";
/** Median over the rounds. */
type Found = (way: Way, sessions: number, field: Field) => number;

async function measureCalls(
  ways: readonly Way[],
  transport: Transport,
  sessionCounts: readonly number[],
): Promise<Found> {
  const found = new Map<string, Awaited<ReturnType<typeof load>>[]>();
  for (let round = 0; round < rounds; round++)
    for (const sessions of sessionCounts)
      for (const way of ways) {
        const key = `${way.name} ${sessions}`;
        const result = await load(way, transport, { sessions, tool: "echo", args: {} });
        found.set(key, [...(found.get(key) ?? []), result]);
      }
  return (way, sessions, field) =>
    median(found.get(`${way.name} ${sessions}`)!.map((result) => result[field] ?? Number.NaN));
}

export function benchCalls(): Promise<void> {
  return inHouse(async ({ ways }) => {
    for (const transport of ["http", "stdio"] as const)
      printCalls(transport, ways[transport], await measureCalls(ways[transport], transport, [1, 8, 32]));
  });
}

/**
 * One session with everything on one core: the work of a call and nothing else. With more cores the host's time to wake
 * an idle virtual processor is in it, which grows by jumps: 8 µs of work added to the relay added 40 µs to its p50.
 */
export async function benchLatency(): Promise<void> {
  if (process.env["BENCH_ON_ONE_CORE"] !== "1") {
    if (Bun.which("taskset") === null) return console.log("Latency on one core needs taskset (util-linux)\n");
    const argv = ["taskset", "-c", "0", bun, `${root}bench/run.ts`, "latency"];
    const child = Bun.spawn(argv, {
      env: { ...process.env, BENCH_ON_ONE_CORE: "1" },
      stdio: ["ignore", "inherit", "inherit"],
    });
    if ((await child.exited) !== 0) throw new Error("Measuring on one core failed");
    return;
  }
  await inHouse(async ({ ways }) => {
    for (const transport of ["http", "stdio"] as const) {
      const asked = ways[transport];
      const mid = await measureCalls(asked, transport, [1]);
      const yardstick = asked.find((way) => way.isYardstick)!;
      console.log(`One session to a ${transport} backend, everything on one core, medians of ${rounds} rounds\n`);
      printTable(
        ["way", "p50 µs", `vs ${yardstick.name}`, "p99 µs"],
        asked.map((way) => [
          way.name,
          fixed(mid(way, 1, "p50Us")),
          ratio(mid(way, 1, "p50Us") / mid(yardstick, 1, "p50Us"), isLimited(way) ? { atMost: 1.3 } : undefined),
          fixed(mid(way, 1, "p99Us"), 0),
        ]),
      );
    }
  });
}

function isLimited(way: Way): boolean {
  return way.pid !== undefined && !way.isYardstick;
}

function printCalls(transport: Transport, ways: readonly Way[], mid: Found) {
  const yardstick = ways.find((way) => way.isYardstick)!;
  console.log(`Calls to a ${transport} backend, medians of ${rounds} rounds of ${durationMs} ms\n`);
  printTable(
    [
      "way",
      "p50 µs (1)",
      `vs ${yardstick.name}`,
      "calls/s (8)",
      "calls/s (32)",
      `vs ${yardstick.name}`,
      "p99 µs (32)",
      "its CPU µs/call (32)",
    ],
    ways.map((way) => [
      way.name,
      fixed(mid(way, 1, "p50Us")),
      ratio(mid(way, 1, "p50Us") / mid(yardstick, 1, "p50Us"), isLimited(way) ? { atMost: 1.3 } : undefined),
      fixed(mid(way, 8, "callsPerSecond"), 0),
      fixed(mid(way, 32, "callsPerSecond"), 0),
      ratio(
        mid(way, 32, "callsPerSecond") / mid(yardstick, 32, "callsPerSecond"),
        isLimited(way) ? { atLeast: 0.8 } : undefined,
      ),
      fixed(mid(way, 32, "p99Us"), 0),
      fixed(mid(way, 32, "cpuUsPerCall")),
    ]),
  );
  const [direct, , bare, full, invoke] = ways.map((way) => mid(way, 1, "p50Us"));
  console.log(
    `Where the time of one call goes, µs: backend and driver ${fixed(direct)}, the hop ${fixed(bare! - direct!)}, ` +
      `the stages ${fixed(full! - bare!)}, the meta-tool ${fixed(invoke! - full!)}\n`,
  );
}

export function benchSizes(): Promise<void> {
  return inHouse(async ({ ways }) => {
    for (const transport of ["http", "stdio"] as const)
      for (const kind of ["image", "text"] as const) await measureSizes(ways[transport], transport, kind);
  });
}

async function measureSizes(ways: readonly Way[], transport: Transport, kind: BlobKind): Promise<void> {
  const found = new Map<string, number[]>();
  for (let round = 0; round < Math.min(rounds, 3); round++)
    for (const [size, bytes] of Object.entries(sizes))
      for (const way of ways) {
        const { p50Us } = await load(way, transport, { sessions: 1, tool: "blob", args: { bytes, kind } });
        found.set(`${way.name} ${size}`, [...(found.get(`${way.name} ${size}`) ?? []), p50Us]);
      }
  const mid = (way: Way, size: string) => median(found.get(`${way.name} ${size}`)!);
  const perMegabyte = (way: Way) => ((mid(way, "10 MB") - mid(way, "10 kB")) / (10_000_000 - 10_000)) * 1_000_000;
  const yardstick = ways.find((way) => way.isYardstick)!;
  console.log(`Answers of a ${transport} backend by size, ${kind}, one session, p50 in ms\n`);
  printTable(
    ["way", ...Object.keys(sizes), "ms per MB", `vs ${yardstick.name}`],
    ways.map((way) => [
      way.name,
      ...Object.keys(sizes).map((size) => fixed(mid(way, size) / 1_000, 2)),
      fixed(perMegabyte(way) / 1_000, 2),
      ratio(
        perMegabyte(way) / perMegabyte(yardstick),
        way.pid === undefined || way.isYardstick ? undefined : { atMost: 2 },
      ),
    ]),
  );
}

export function benchMemory(): Promise<void> {
  const total = Number(process.env["BENCH_CALLS"] ?? 1_000_000);
  const steps = 10;
  return inHouse(async ({ ways, gateway }) => {
    await Bun.sleep(1_000);
    const idle = rssMb(gateway.pid);
    // In turns by address and by meta-tool, to both backends.
    const turns = (["http", "stdio"] as const).flatMap((transport) =>
      ways[transport].filter((way) => way.pid === gateway.pid).map((way) => ({ way, transport })),
    );
    const rows: string[][] = [["idle", fixed(idle), `${ratio(idle / 45, { atMost: 1 })} of 45 MB`]];
    const seen: number[] = [];
    let calls = 0;
    for (let step = 0; step < steps; step++) {
      for (const { way, transport } of turns) {
        const maxCalls = Math.ceil(total / steps / turns.length);
        const plan = { sessions: 32, tool: "echo", args: {}, maxCalls, durationMs: 600_000 };
        calls += (await load(way, transport, plan)).calls;
      }
      seen.push(rssMb(gateway.pid));
      rows.push([`after ${calls} calls`, fixed(seen[step]), ratio(seen[step]! / seen[0]!)]);
    }
    console.log("Memory of the gateway, MB resident\n");
    printTable(["when", "MB", "vs first step"], rows);
  });
}
