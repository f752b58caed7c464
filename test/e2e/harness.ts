/** Starts the compiled gateway (or the one named by MCP_GATEWAY_BINARY) in a folder of its own, and ends it whatever happens. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { until } from "../fixtures/processes.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const binaryPath =
  process.env["MCP_GATEWAY_BINARY"] ??
  join(root, "dist", process.platform === "win32" ? "mcp-gateway.exe" : "mcp-gateway");

export interface GatewayOptions {
  /** Program and leading arguments; the compiled binary by default. */
  readonly command?: readonly string[];
  /** Lets the gateway find its configuration in the folder it is started in, instead of naming it by `--config`. */
  readonly discover?: boolean;
  /** After `serve --config PATH`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A free one is chosen by default. */
  readonly port?: number;
  /** Milliseconds until `/health` must answer; 15,000 by default. */
  readonly startTimeoutMs?: number;
}

export interface GatewayProcess {
  /** `http://localhost:PORT`, or `https:` where the configuration says so. */
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** Holds the configuration, the state and whatever the test writes; removed by {@link stop}. */
  readonly folder: string;
  readonly configPath: string;
  /** Everything written to stderr so far. */
  stderr(): string;
  /** Resolves once stderr matches: what the gateway writes there comes a moment after its answer. Rejects after 5 s. */
  logged(pattern: RegExp): Promise<void>;
  /** Sends the signal (SIGTERM by default) and resolves with the exit code; kills after 10 seconds. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Kills the process with the tests, should the test that started it not come to its end. */
export function endedWithTests<T extends ChildProcess>(child: T): T {
  running.add(child);
  child.on("exit", () => running.delete(child));
  return child;
}

/** A configuration file in a fresh folder. JSON is YAML. */
export function writeConfig(config: object): { folder: string; configPath: string } {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-"));
  const configPath = join(folder, "gateway.yaml");
  writeFileSync(configPath, JSON.stringify(config, null, 2));
  return { folder, configPath };
}

/** The environment of a gateway under test: nothing of the user's own home is read or written. */
export function environmentIn(folder: string, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    TMPDIR: tmpdir(),
    MCP_GATEWAY_CONFIG_DIR: join(folder, "state"),
    ...extra,
  };
}

/** `config.server` needs no port: a free one is chosen. Resolves when `/health` answers. */
export async function startGateway(config: object, options: GatewayOptions = {}): Promise<GatewayProcess> {
  const port = options.port ?? (await freePort());
  const server = { host: "127.0.0.1", ...("server" in config ? (config.server as object) : {}), port };
  const { folder, configPath } = writeConfig({ ...config, server });
  const named = options.discover ? [] : ["--config", configPath];
  const [program, ...leading] = options.command ?? [binaryPath];
  const child = endedWithTests(
    spawn(program!, [...leading, "serve", ...named, ...(options.args ?? [])], {
      cwd: folder,
      env: environmentIn(folder, options.env),
      stdio: ["ignore", "ignore", "pipe"],
    }),
  );
  const errors: string[] = [];
  child.stderr!.setEncoding("utf8").on("data", (chunk: string) => errors.push(chunk));
  const ended = new Promise<number | null>((resolve) => {
    child.on("exit", (code) => resolve(code));
    child.on("error", (error) => {
      errors.push(error.message);
      resolve(null);
    });
  });
  const gateway: GatewayProcess = {
    url: `${isTls(config) ? "https" : "http"}://localhost:${port}`,
    port,
    child,
    folder,
    configPath,
    stderr: () => errors.join(""),
    async logged(pattern) {
      await until(() => pattern.test(gateway.stderr())).catch(() => {
        throw new Error(`Not in the log: ${pattern}\n${gateway.stderr()}`);
      });
    },
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      const code = await ended;
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
      return code;
    },
  };
  try {
    await waitForHealth(gateway, options.startTimeoutMs ?? 15_000);
  } catch (error) {
    await gateway.stop("SIGKILL");
    throw error;
  }
  return gateway;
}

function isTls(config: object): boolean {
  return "mtls" in config && (config.mtls as { enabled?: boolean }).enabled === true;
}

/** The certificates of tests are nobody's; what they are good for is for the tests to say. */
const tls = { tls: { rejectUnauthorized: false } } as RequestInit;

async function waitForHealth(gateway: GatewayProcess, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (gateway.child.exitCode !== null || gateway.child.signalCode !== null) break;
    const response = await fetch(`${gateway.url.replace("localhost", "127.0.0.1")}/health`, tls).catch(() => undefined);
    if (response) return void (await response.text());
    await sleep(20);
  }
  throw new Error(`The gateway does not answer on port ${gateway.port}; its stderr:\n${gateway.stderr()}`);
}

/** Below the ports that connections get by themselves, so that none takes it before the gateway does; each once. */
export async function freePort(): Promise<number> {
  for (;;) {
    nextPort = firstPort + ((nextPort - firstPort + 1) % ports);
    const port = nextPort;
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await Promise.race([
      once(server, "listening").then(() => true),
      new Promise<boolean>((resolve) => server.once("error", () => resolve(false))),
    ]).catch(() => false);
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
const firstPort = Number(process.env["TEST_FIRST_PORT"] ?? 20_000);
const ports = 6_000;
let nextPort = firstPort + Math.floor(Math.random() * ports);

/** Path of the script an npm package starts. */
export function serverScript(name: "everything" | "filesystem" | "memory"): string {
  return join(root, "node_modules", "@modelcontextprotocol", `server-${name}`, "dist", "index.js");
}
