/** The executable with the configurations of two other gateways: one converted, one read as it is. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type SocketServer, webSocketServer } from "../fixtures/socket-servers.ts";
import { binaryPath, environmentIn, freePort, startGateway } from "./harness.ts";
import { type Peer, peers, type Target } from "./peers.ts";

const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-older-"));
let server: SocketServer;
let other: SocketServer;

before(async () => {
  server = await webSocketServer("first");
  other = await webSocketServer("second");
});
after(async () => {
  await Promise.all([server.stop(), other.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(binaryPath, args, {
    cwd: folder,
    env: environmentIn(folder),
    encoding: "utf8",
    timeout: 20_000,
  });
  return { code: status, out: stdout, err: stderr };
}

/** Starts the gateway with the file, which names the port. */
async function withClient<T>(path: string, port: number, use: (client: Peer) => Promise<T>): Promise<T> {
  const gateway = await startGateway({}, { args: ["--config", path], port });
  try {
    const client = await (peers["SDK client v2"] as (target: Target) => Promise<Peer>)({ url: `${gateway.url}/mcp` });
    const result = await use(client);
    await client.close();
    return result;
  } finally {
    await gateway.stop();
  }
}

test("a TOML file: serve names the command that converts it, and serves what comes of that", async () => {
  const port = await freePort();
  writeFileSync(
    join(folder, "config.toml"),
    `[server]
host = "127.0.0.1"
port = ${port}
workers = 8
[gateway]
name = "mcp-gateway"
environment = "production"
[upstream.groups.first]
strategy = "round_robin"
[[upstream.groups.first.servers]]
id = "mcp-server-1"
url = "${server.url}"
weight = 100
[[upstream.groups.second.servers]]
id = "mcp-server-2"
url = "${other.url}"
[upstream.health_check]
enabled = true
interval = 30
timeout = 5
[security.rate_limiting]
enabled = true
requests_per_minute = 1000
`,
  );
  const refused = run("serve", "--config", "config.toml");
  assert.equal(refused.code, 1);
  const command = /convert it with: mcp-gateway (.*)$/m.exec(refused.err)?.[1];
  assert.equal(command, "config import config.toml -o gateway.yaml");
  const converted = run(...(command as string).split(" "));
  assert.deepEqual([converted.code, converted.err], [0, ""]);
  assert.match(converted.out, /upstream\.groups\.first\.servers → backends\.first\.http_url/);
  assert.deepEqual(run("validate", "gateway.yaml"), {
    code: 0,
    out: "gateway.yaml is valid: 2 backend(s)\n",
    err: "",
  });
  const path = join(folder, "gateway.yaml");
  assert.match(readFileSync(path, "utf8"), new RegExp(`port: ${port}`));
  await withClient(path, port, async (client) => {
    const args = { server: "second", tool: "echo", arguments: {} };
    assert.equal((await client.callTool("gateway_invoke", args)).content[0]?.text, "second");
  });
});

test("a flat YAML file: is served as it is, in direct mode where it says so", async () => {
  const port = await freePort();
  const path = join(folder, "servers.yaml");
  writeFileSync(
    path,
    `port: ${port}\nhost: 127.0.0.1\nenable_meta_mcp: false\n\nbackends:\n  one:\n    http_url: "${server.url}"\n    idle_timeout: 600\n`,
  );
  assert.equal(run("validate", path).code, 0);
  await withClient(path, port, async (client) => {
    const echo = (await client.listTools()).find((name) => name.endsWith("echo"));
    assert.equal((await client.callTool(echo as string, {})).content[0]?.text, "first");
  });
});
