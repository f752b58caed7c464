/**
 * Start-up as a multiple of the smallest possible start: an empty program compiled with the same flags, measured in
 * the same run. `--version` and `--help` by hyperfine; `serve` by a loop of our own, from exec to the first good
 * answer, with ten stdio backends configured.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binaryPath, freePort, gatewayCommand, stdioBackend } from "./processes.ts";
import { fixed, median, printTable, ratio } from "./table.ts";

const runs = 60;
const warmUps = 5;

async function compileEmptyProgram(folder: string): Promise<string> {
  const source = join(folder, "empty.ts");
  const outfile = join(folder, "empty");
  writeFileSync(source, "export {};\n");
  await Bun.build({
    entrypoints: [source],
    compile: { outfile, autoloadDotenv: false, autoloadBunfig: false },
    minify: true,
    bytecode: true,
    splitting: true,
    format: "esm",
  });
  return outfile;
}

/** Median and smallest time in milliseconds of each command. */
function hyperfine(folder: string, commands: readonly string[]): { median: number; min: number }[] {
  const output = join(folder, "hyperfine.json");
  const args = ["-N", "--warmup", String(warmUps), "--runs", String(runs), "--export-json", output, ...commands];
  const run = Bun.spawnSync(["hyperfine", ...args], { stdout: "ignore", stderr: "pipe" });
  if (!run.success) throw new Error(`hyperfine failed: ${run.stderr}`);
  const { results } = JSON.parse(readFileSync(output, "utf8")) as { results: { median: number; min: number }[] };
  return results.map((result) => ({ median: result.median * 1_000, min: result.min * 1_000 }));
}

async function timeEmptyProgram(path: string): Promise<number> {
  const from = performance.now();
  const child = Bun.spawn([path], { stdout: "ignore", stderr: "ignore" });
  await child.exited;
  return performance.now() - from;
}

/** Milliseconds from exec until the answer to the request has arrived. */
async function timeFirstAnswer(argv: readonly string[], env: Record<string, string>, port: number, request: string) {
  const from = performance.now();
  const child = Bun.spawn([...argv], { env, stdout: "ignore", stderr: "ignore" });
  try {
    while (performance.now() - from < 10_000) {
      const answer = await exchange(port, request);
      if (answer === undefined) {
        // Asking without a pause would take the processor from the program that is measured.
        Bun.sleepSync(0.3);
        continue;
      }
      if (!answer.startsWith("HTTP/1.1 200")) throw new Error(`The gateway answered ${answer.slice(0, 300)}`);
      return performance.now() - from;
    }
    throw new Error("The gateway did not answer within 10 seconds");
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

/** The first bytes of the answer; `undefined` while nobody listens. */
function exchange(port: number, request: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => void socket.write(request),
        data(socket, bytes) {
          resolve(bytes.toString("latin1"));
          socket.end();
        },
        close: () => resolve(undefined),
        connectError: () => resolve(undefined),
      },
    }).catch(() => resolve(undefined));
  });
}

function post(port: number, message: object): string {
  const body = JSON.stringify(message);
  return `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** As people write it: ten backends, block style. */
function configuration(port: number): string {
  const backends = Array.from(
    { length: 10 },
    (_, index) =>
      `  server-${index}:\n    description: Backend number ${index}\n    command: ${stdioBackend.join(" ")}\n`,
  );
  return `server:\n  host: 127.0.0.1\n  port: ${port}\nbackends:\n${backends.join("")}`;
}

export async function benchStartup(): Promise<void> {
  if (Bun.which("hyperfine") === null) throw new Error("hyperfine is not installed: apt-get install hyperfine");
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-startup-"));
  try {
    const empty = await compileEmptyProgram(folder);
    const [base, version, help] = hyperfine(folder, [empty, `${binaryPath} --version`, `${binaryPath} --help`]);

    const port = await freePort();
    const { argv, env } = gatewayCommand(folder, configuration(port));
    const get = `GET /health HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`;
    const clientInfo = { name: "bench", version: "1.0.0" };
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
    const initialize = post(port, { jsonrpc: "2.0", id: 1, method: "initialize", params });
    const times = { empty: [] as number[], health: [] as number[], initialize: [] as number[] };
    for (let run = -warmUps; run < runs; run++) {
      const emptyMs = await timeEmptyProgram(empty);
      const healthMs = await timeFirstAnswer(argv, env, port, get);
      const initializeMs = await timeFirstAnswer(argv, env, port, initialize);
      if (run < 0) continue;
      times.empty.push(emptyMs);
      times.health.push(healthMs);
      times.initialize.push(initializeMs);
    }

    const row = (
      name: string,
      medianMs: number,
      minMs: number,
      against: { median: number; min: number },
      limit?: number,
    ) => [
      name,
      fixed(medianMs),
      fixed(minMs),
      limit === undefined ? "1.00 ×" : ratio(medianMs / against.median, { atMost: limit }),
      limit === undefined ? "1.00 ×" : ratio(minMs / against.min),
      limit === undefined ? "" : `≤ ${limit}`,
    ];
    const loop = { median: median(times.empty), min: Math.min(...times.empty) };
    console.log(`Start-up, ${runs} runs each\n`);
    printTable(
      ["start", "median ms", "min ms", "median ratio", "min ratio", "limit"],
      [
        row("empty program (hyperfine)", base!.median, base!.min, base!),
        row("--version", version!.median, version!.min, base!, 1.6),
        row("--help", help!.median, help!.min, base!, 1.8),
        row("empty program (own loop)", loop.median, loop.min, loop),
        row("serve to /health", median(times.health), Math.min(...times.health), loop, 3),
        row("serve to initialize", median(times.initialize), Math.min(...times.initialize), loop, 3),
      ],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
