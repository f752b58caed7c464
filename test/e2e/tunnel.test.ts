/** `tunnel` on the binary, with a stand-in for Tailscale's program on PATH: the real one was not run. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isAlive, until } from "../fixtures/processes.ts";
import { binaryPath, environmentIn, root, startGateway, writeConfig } from "./harness.ts";

const host = "box.tail1234.ts.net";
const base = { capabilities: { enabled: false }, backends: {} };

function withTailscale(t: TestContext) {
  const bin = mkdtempSync(join(tmpdir(), "tailscale-"));
  t.after(() => rmSync(bin, { recursive: true, force: true }));
  copyFileSync(join(root, "test/fixtures/fake-tailscale.sh"), join(bin, "tailscale"));
  chmodSync(join(bin, "tailscale"), 0o755);
  const read = (name: string) => (existsSync(join(bin, name)) ? readFileSync(join(bin, name), "utf8") : "");
  return {
    env: { PATH: `${bin}:${process.env["PATH"]}` },
    read,
    isUp: () => read("pid") !== "",
    pids: () => [Number(read("pid")), Number(read("child"))],
  };
}

/** `fetch` sets the header "Host" itself. */
async function statusFor(port: number, name: string): Promise<number | undefined> {
  const asking = request({ port, host: "127.0.0.1", path: "/health", headers: { host: name } }).end();
  const [response] = await once(asking, "response");
  response.resume();
  return response.statusCode;
}

/** As Tailscale hands on the handshake of a client behind it. */
async function openWebSocket(port: number): Promise<number | undefined> {
  const headers = {
    ...{ host, "x-forwarded-for": "203.0.113.9", connection: "Upgrade", upgrade: "websocket" },
    ...{ "sec-websocket-version": "13", "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==" },
    "sec-websocket-protocol": "mcp",
  };
  const asking = request({ port, host: "127.0.0.1", path: "/mcp", headers }).end();
  const [response, socket] = await once(asking, "upgrade");
  socket.destroy();
  return response.statusCode;
}

test("the tunnel opens with the gateway, lets its own name in, and ends with it, also by kill -9", async (t) => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const { env, read, isUp, pids } = withTailscale(t);
    const gateway = await startGateway({ ...base, tunnel: { enabled: true } }, { env });
    try {
      await until(() => isUp() && /The tunnel is open/.test(gateway.stderr()));
      assert.equal(read("calls"), `serve --https=443 http://127.0.0.1:${gateway.port}\n`);
      await gateway.logged(/The tunnel is open.*https:\/\/box\.tail1234\.ts\.net\/mcp/);
      await gateway.logged(/lets every device of the tailnet in with all rights/);
      assert.equal(await statusFor(gateway.port, host), 200);
      assert.equal(await statusFor(gateway.port, "evil.test"), 403);
      assert.equal(await openWebSocket(gateway.port), 101);
      assert.ok(pids().every(isAlive));
    } finally {
      await gateway.stop(signal);
    }
    await until(() => !pids().some(isAlive));
  }
});

test("a reload opens and closes it, and one that would let everybody in is refused", async (t) => {
  const { env, isUp, pids } = withTailscale(t);
  const gateway = await startGateway(base, { env });
  t.after(() => gateway.stop());
  const write = (more: object) =>
    writeFileSync(
      gateway.configPath,
      JSON.stringify({ ...base, server: { host: "127.0.0.1", port: gateway.port }, ...more }),
    );
  assert.equal(await statusFor(gateway.port, host), 403);
  await until(() => /MCP Gateway is ready/.test(gateway.stderr()));
  write({ tunnel: { enabled: true } });
  await until(isUp, 15_000);
  await until(async () => (await statusFor(gateway.port, host)) === 200);
  write({ tunnel: { enabled: true, mode: "funnel" } });
  await until(() => /would let everybody on the internet in/.test(gateway.stderr()), 15_000);
  assert.ok(pids().every(isAlive));
  write({});
  await until(() => !pids().some(isAlive), 15_000);
  await until(async () => (await statusFor(gateway.port, host)) === 403);
});

test("funnel without authentication is no start; without the program the gateway serves, and the doctor says why", async (t) => {
  const run = (config: object, ...args: string[]) => {
    const { folder, configPath } = writeConfig(config);
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const options = { cwd: folder, env: { ...environmentIn(folder), PATH: "/nowhere" }, encoding: "utf8" } as const;
    return spawnSync(binaryPath, [...args, "--config", configPath], { ...options, timeout: 20_000 });
  };
  const funnel = run({ ...base, tunnel: { enabled: true, mode: "funnel" } }, "serve");
  assert.equal(funnel.status, 1);
  assert.match(funnel.stderr, /tunnel\.mode would let everybody on the internet in: set "auth\.enabled"/);

  const auth = { enabled: true, bearer_token: "a-token-of-some-length" };
  const tunnel = { enabled: true, mode: "funnel", executable: "/nowhere/tailscale" };
  const gateway = await startGateway({ ...base, auth, tunnel });
  t.after(() => gateway.stop());
  await until(() => /The tunnel cannot be opened; the gateway serves without it/.test(gateway.stderr()));
  await gateway.logged(/Install Tailscale, or set tunnel\.executable/);
  assert.equal(await statusFor(gateway.port, "localhost"), 200);

  const doctor = run({ ...base, auth, tunnel }, "doctor", "--quick", "--json");
  assert.equal(doctor.status, 1);
  assert.match(doctor.stdout, /"tunnel"[\s\S]*there is no program \\"\/nowhere\/tailscale\\"/);
});
