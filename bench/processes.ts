/** Processes of a measurement: started, asked for their address, measured from outside, ended. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const bun = process.execPath;
export const binaryPath =
  process.env["MCP_GATEWAY_BINARY"] ??
  join(root, "dist", process.platform === "win32" ? "mcp-gateway.exe" : "mcp-gateway");
export const stdioBackend = [bun, join(root, "bench", "backend-stdio.ts")] as const;

export interface Running {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a script of this folder that prints its address. */
export async function startScript(name: string, ...args: string[]): Promise<Running> {
  const child = Bun.spawn([bun, join(root, "bench", name), ...args], { stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  return { pid: child.pid, url: new TextDecoder().decode(value).trim(), stop: () => end(child) };
}

export interface Gateway extends Running {
  readonly folder: string;
}

/** Starts the executable with this configuration on a free port; its state is kept in a folder of its own. */
export async function startGateway(config: object): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-bench-"));
  const port = await freePort();
  const { argv, env } = gatewayCommand(folder, { ...config, server: { host: "127.0.0.1", port } });
  const child = Bun.spawn(argv, { env, stdout: "ignore", stderr: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 500; attempt++) {
    if ((await fetch(`${url}/health`).catch(() => undefined)) !== undefined) break;
    await Bun.sleep(10);
  }
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  return { pid: child.pid, url, folder, stop };
}

/** Writes the configuration, an object or YAML, into the folder and says how to start the gateway with it. */
export function gatewayCommand(
  folder: string,
  config: object | string,
): { argv: string[]; env: Record<string, string> } {
  const configPath = join(folder, "gateway.yaml");
  writeFileSync(configPath, typeof config === "string" ? config : JSON.stringify(config));
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, MCP_GATEWAY_CONFIG_DIR: join(folder, "state") };
  return { argv: [binaryPath, "serve", "--config", configPath, "--log-level", "error"], env };
}

async function end(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await child.exited;
  clearTimeout(timer);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resident memory in megabytes. */
export function rssMb(pid: number): number {
  const kilobytes = Bun.spawnSync(["ps", "-o", "rss=", "-p", String(pid)]).stdout.toString();
  return Math.round(Number(kilobytes) / 102.4) / 10;
}

/** Processor time used so far in microseconds; `undefined` where there is no /proc. */
export function cpuUs(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.split(" ");
    // utime and stime, in ticks of 10 ms.
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return undefined;
  }
}
