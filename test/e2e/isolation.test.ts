/** Servers in containers and sandboxes, on the executable: what is started, what it can reach, and that nothing of it stays. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { isAlive, until } from "../fixtures/processes.ts";
import { HttpClient, type Loose } from "../security/clients.ts";
import { type GatewayProcess, root, startGateway } from "./harness.ts";

const fixtures = join(root, "test", "fixtures");
const server = join(fixtures, "stdio-backend.mjs");
const noShell = process.platform === "win32" && "the stand-in for Docker is a shell script";
const noSandbox =
  process.platform !== "linux"
    ? "bubblewrap is for Linux"
    : spawnSync("bwrap", ["--unshare-all", "--ro-bind", "/", "/", "true"]).status !== 0 &&
      "bubblewrap is not installed, or this machine forbids it (user namespaces)";

async function started(t: TestContext, config: object, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-isolation-"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(join(fixtures, "fake-docker.sh"), join(bin, "docker"));
  const path = `${bin}:${process.env["PATH"]}`;
  const base = {
    capabilities: { enabled: false },
    auth: { enabled: true, bearer_token: "t0ken-of-tests", public_paths: [] },
  };
  const gateway = await startGateway({ ...base, ...config }, { env: { PATH: path, DOCKER_CONFIG: folder, ...env } });
  t.after(async () => {
    await gateway.stop("SIGKILL");
    await until(() => containers(folder).length === 0);
    rmSync(folder, { recursive: true, force: true });
  });
  const all = await HttpClient.open(`${gateway.url}/mcp`, { authorization: "Bearer t0ken-of-tests" });
  return { gateway, all, folder };
}

/** Processes of the containers that the stand-in for Docker has started and not removed. */
function containers(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".pid"))
    .map((name) => Number(readFileSync(join(folder, name), "utf8")));
}

function callsOf(folder: string): string[][] {
  const text = readFileSync(join(folder, "calls"), "utf8");
  return text
    .split("\n\n")
    .filter(Boolean)
    .map((call) => call.split("\n"));
}

async function textOf(all: HttpClient, name: string, tool: string, args: object = {}): Promise<string> {
  const { message } = (await all.invoke(name, tool, args)) as { message: Loose };
  return message.result?.content[0].text ?? JSON.stringify(message);
}

const boxed = (flags = "") => ({
  backends: {
    boxed: { command: `node ${server} ${flags}`, env: { API_KEY: "s3cr3t-of-boxed" }, runtime_profile: "box" },
  },
  runtime: {
    availability: { docker: true },
    profiles: {
      box: {
        provider: "docker",
        image: "an-image",
        network_egress: "none",
        guarded_env_keys: ["OF_GATEWAY"],
        resources: { memory_mb: 64 },
      },
    },
  },
});

async function runtimeOf({ url }: GatewayProcess, name: string): Promise<unknown> {
  const headers = { authorization: "Bearer t0ken-of-tests" };
  const health = (await (await fetch(`${url}/health`, { headers })).json()) as Loose;
  return health.backends[name].runtime;
}

test("a server in a container: its client gets the arguments, and the values of variables only beside them", {
  skip: noShell,
}, async (t) => {
  const { gateway, all, folder } = await started(t, boxed(), { OF_GATEWAY: "guarded-of-gateway" });
  const env = JSON.parse(await textOf(all, "boxed", "env"));
  assert.deepEqual([env.OF_GATEWAY, env.API_KEY], ["guarded-of-gateway", "s3cr3t-of-boxed"]);
  const [run = []] = callsOf(folder);
  const name = run[run.indexOf("--name") + 1] as string;
  assert.match(name, /^mcp-gateway-boxed-[0-9a-f]{12}$/);
  assert.deepEqual(run, [
    ...["run", "--interactive", "--rm", "--init", "--name", name, "--log-driver", "none", "--network", "none"],
    ...["--memory", "64m", "--memory-swap", "64m", "--pids-limit", "512", "--cap-drop", "ALL"],
    ...["--security-opt", "no-new-privileges", "--env", "OF_GATEWAY", "--env", "API_KEY", "an-image", "node", server],
  ]);
  assert.doesNotMatch(readFileSync(join(folder, "calls"), "utf8"), /s3cr3t|guarded-of/);
  assert.equal(await runtimeOf(gateway, "boxed"), "docker");
  const [pid] = containers(folder) as [number];
  await gateway.stop("SIGTERM");
  assert.equal(isAlive(pid), false);
  assert.deepEqual(containers(folder), []);
});

for (const signal of ["SIGTERM", "SIGKILL"] as const)
  test(`a container that hears nothing is gone after ${signal} of the gateway`, { skip: noShell }, async (t) => {
    const { gateway, all, folder } = await started(t, boxed("--deaf"));
    assert.equal(await textOf(all, "boxed", "echo", { text: "here" }), "here");
    const [pid] = containers(folder) as [number];
    assert.ok(isAlive(pid));
    await gateway.stop(signal);
    await until(() => !isAlive(pid));
    assert.ok(callsOf(folder).some(([command, force]) => command === "rm" && force === "--force"));
  });

test("a container whose client is killed is removed, and the next call has a new one", { skip: noShell }, async (t) => {
  const { gateway, all, folder } = await started(t, boxed("--deaf"));
  await textOf(all, "boxed", "echo");
  const [first] = containers(folder) as [number];
  // The client is the parent of the container, as the stand-in starts it.
  const client = Number(readFileSync(`/proc/${first}/stat`, "latin1").split(") ")[1]?.split(" ")[1]);
  process.kill(client, "SIGKILL");
  await until(() => !isAlive(first) && gateway.stderr().includes("The server failed"));
  assert.equal(await textOf(all, "boxed", "echo", { text: "again" }), "again");
  assert.equal(containers(folder).length, 1);
});

test("a server in a sandbox answers, sees its mounts alone, and is gone after kill -9 of the gateway", {
  skip: noSandbox,
}, async (t) => {
  const { gateway, all } = await started(t, {
    backends: {
      caged: { command: ["node", server, "--deaf"], env: { API_KEY: "s3cr3t-of-caged" }, runtime_profile: "cage" },
    },
    runtime: {
      availability: { bubblewrap: true },
      profiles: {
        cage: {
          provider: "bubblewrap",
          network_egress: "none",
          mounts: [{ source: dirname(server), target: dirname(server) }],
        },
      },
    },
  });
  assert.equal(await textOf(all, "caged", "echo", { text: "here" }), "here");
  const env = JSON.parse(await textOf(all, "caged", "env"));
  assert.equal(env.HOME, "/tmp/home");
  assert.equal(await runtimeOf(gateway, "caged"), "bubblewrap");
  const inside = () => sandboxed(server);
  assert.ok(inside().length > 0);
  const pids = inside();
  await gateway.stop("SIGKILL");
  await until(() => !pids.some(isAlive));
});

test("a server that the sandbox has not is said so", { skip: noSandbox }, async (t) => {
  const { all, folder } = await started(t, {
    backends: { caged: { command: "./server", runtime_profile: "cage" } },
    runtime: { availability: { bubblewrap: true }, profiles: { cage: { provider: "bubblewrap" } } },
  });
  writeFileSync(join(folder, "server"), "");
  assert.match(await textOf(all, "caged", "echo"), /bwrap: execvp \.\/server: No such file or directory/);
});

/** Processes with this script among their arguments. */
function sandboxed(script: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
        return words[0] === "node" && words.includes(script) && words.includes("--deaf");
      } catch {
        return false;
      }
    });
}
