/** The record of calls, from the calls to `audit verify` (T26). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { binaryPath, environmentIn, type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { backendCommand, HttpClient, type Loose } from "./clients.ts";

const secret = "audit-key-of-this-test";
const token = "canary-argument-4711";

function config(record: object): object {
  return {
    capabilities: { enabled: false },
    security: { transparency_log: { enabled: true, path: "record.jsonl", ...record } },
    backends: { files: { command: backendCommand('--offer={"tools":["echo","read","refuse"]}') } },
  };
}

function audit(gateway: GatewayProcess, ...args: string[]) {
  const env = environmentIn(gateway.folder, { AUDIT_KEY: secret });
  const { status, stdout, stderr } = spawnSync(binaryPath, ["audit", ...args, "--config", gateway.configPath], {
    env,
    cwd: gateway.folder,
    encoding: "utf8",
  });
  return { code: status, out: stdout, err: stderr };
}

function entries(gateway: GatewayProcess): Loose[] {
  const path = join(gateway.folder, "record.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

test("T26: every call leaves exactly one entry, refused ones too, with nothing of its content in it", async (t) => {
  const gateway = await startGateway(config({ shared_secret: "env:AUDIT_KEY" }), { env: { AUDIT_KEY: secret } });
  t.after(() => gateway.stop());
  const client = await HttpClient.open(`${gateway.url}/mcp`);
  await client.invoke("files", "echo", { token });
  await client.invoke("files", "read", { path: `${token}; rm -rf /` });
  await client.invoke("files", "write_file", { token });
  await client.invoke("files", "refuse", { message: token });
  await until(() => entries(gateway).length >= 3);
  const before = entries(gateway).length;
  const one = await HttpClient.open(`${gateway.url}/mcp/files`);
  await one.tool("write_file", { token });
  await until(() => entries(gateway).length > before);
  const found = entries(gateway);
  assert.deepEqual(
    found.map(({ counter, server, tool, outcome, caller }) => [counter, server, tool, outcome, caller]),
    [
      [1, "files", "echo", "OK", "anonymous"],
      [2, "files", "read", "FIREWALL_BLOCKED", "anonymous"],
      [3, "files", "refuse", "UPSTREAM_ERROR", "anonymous"],
      [4, "files", "write_file", "POLICY_DENIED", "anonymous"],
    ],
  );
  for (const { request_sha256, definition_sha256, hash, hmac } of found.slice(0, 3))
    for (const digest of [request_sha256, definition_sha256, hash, hmac]) assert.match(digest, /^[0-9a-f]{64}$/);
  const text = readFileSync(join(gateway.folder, "record.jsonl"), "utf8");
  for (const hidden of [token, secret, client.sessionId, one.sessionId]) assert.ok(!text.includes(hidden));

  assert.match(audit(gateway, "verify").out, /^✓ Chain verified \(hash \+ HMAC\) — 4 entries checked/);
  const shown = audit(gateway, "show", "--session", client.sessionId);
  assert.equal(shown.code, 0);
  assert.deepEqual(
    [...shown.out.matchAll(/"tool": "(\w+)"/g)].map((match) => match[1]),
    ["echo", "read", "refuse"],
  );
  assert.equal(audit(gateway, "show", "--session", "another").code, 1);

  writeFileSync(join(gateway.folder, "record.jsonl"), text.replace('"FIREWALL_BLOCKED"', '"OK"'));
  const tampered = audit(gateway, "verify");
  assert.equal(tampered.code, 1);
  assert.match(tampered.err, /^✗ Chain verification FAILED at counter 2: its content was changed/);
  assert.match(audit(gateway, "verify", "--path", "nothing.jsonl").err, /^There is no record at /);
});

test("E9: the chain goes on after kill -9", async (t) => {
  const first = await startGateway(config({}));
  t.after(() => first.stop());
  const client = await HttpClient.open(`${first.url}/mcp`);
  for (let count = 0; count < 20; count++) await client.invoke("files", "echo", { token });
  await until(() => entries(first).length === 20);
  const dead = new Promise((resolve) => first.child.on("exit", resolve));
  first.child.kill("SIGKILL");
  await dead;
  const path = join(first.folder, "record.jsonl");
  const second = await startGateway(config({ path }));
  t.after(() => second.stop());
  const again = await HttpClient.open(`${second.url}/mcp`);
  await again.invoke("files", "echo", { token });
  await until(() => entries(first).length === 21);
  assert.match(audit(second, "verify").out, /hash\) — 21 entries checked/);
});

test("F21: while the record cannot be written calls go on, or are refused where the operator wants it so", async (t) => {
  for (const fail_closed of [false, true]) {
    const gateway = await startGateway(config({ path: "/dev/null/record.jsonl", fail_closed }));
    t.after(() => gateway.stop());
    const client = await HttpClient.open(`${gateway.url}/mcp`);
    await client.invoke("files", "echo", { token });
    await until(() => gateway.stderr().includes("The record of calls cannot be"));
    const { message } = await client.invoke("files", "echo", { token });
    const code = message.result._meta?.["mcp-gateway/error"]?.code;
    assert.equal(code, fail_closed ? "AUDIT_UNAVAILABLE" : undefined);
  }
});
