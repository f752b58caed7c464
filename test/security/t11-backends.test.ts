/** T11 for configured backends, on the executable: `security.trust_configured_backends: false` keeps the gateway out of its own network. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { binaryPath, environmentIn, type GatewayProcess, startGateway, writeConfig } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { backendCommand, HttpClient, type Loose } from "./clients.ts";
import { httpBackend } from "./http-backend.ts";

const tool = { name: "ping", description: "Ping", inputSchema: { type: "object" } };
let backend: Awaited<ReturnType<typeof httpBackend>>;
let gateway: GatewayProcess;

before(async () => {
  backend = await httpBackend({ tools: [tool] });
  const { port } = new URL(backend.url);
  const place = `localhost:${port}/mcp`;
  gateway = await startGateway({
    capabilities: { enabled: false },
    failsafe: { health_check: { enabled: false }, retry: { enabled: false } },
    security: { trust_configured_backends: false },
    backends: {
      web: { http_url: `http://${place}` },
      secure: { http_url: `https://${place}` },
      stream: { http_url: `http://localhost:${port}/sse` },
      socket: { http_url: `ws://${place}` },
      agent: { a2a_url: `http://${place}` },
      many: { replicas: [{ http_url: `http://${place}` }, { http_url: `http://${place}?second` }] },
      program: { command: backendCommand(`--offer=${JSON.stringify({ tools: [tool] })}`) },
    },
  });
});
after(async () => {
  await gateway?.stop();
  await backend?.close();
});

test("T11: a backend whose name leads inside is refused before a byte leaves, until the setting says otherwise", async () => {
  const client = await HttpClient.open(`${gateway.url}/mcp`);
  for (const name of ["web", "secure", "stream", "socket", "agent", "many"]) {
    const { body } = await client.invoke(name, "ping");
    assert.match(body, /localhost\\*" leads to (127\.0\.0\.1|::1), which is a private/, name);
    assert.match(body, /security\.trust_configured_backends/, name);
  }
  assert.equal(backend.messages.length, 0);
  assert.doesNotMatch((await client.invoke("program", "ping")).body, /private/);

  const config = JSON.parse(readFileSync(gateway.configPath, "utf8")) as Loose;
  writeFileSync(gateway.configPath, JSON.stringify({ ...config, security: { trust_configured_backends: true } }));
  await until(async () => !/private/.test((await client.invoke("web", "ping")).body));
  assert.ok(backend.messages.some(({ method }) => method === "tools/call"));

  // What is connected does not stay so.
  writeFileSync(gateway.configPath, JSON.stringify(config));
  await until(async () => /which is a private/.test((await client.invoke("web", "ping")).body));
});

test("T11: an address written down is refused with its place, by validate and by a start", () => {
  const { folder, configPath } = writeConfig({});
  const text = `security: {trust_configured_backends: false}
backends:
  a: {http_url: "http://127.1:9/mcp"}
  b: {a2a_url: "https://[::ffff:10.0.0.1]/"}
  c: {http_url: "ws://169.254.169.254/"}
  d: {replicas: [{http_url: "https://93.184.216.34/mcp"}, {http_url: "http://0x7f000001/"}]}
  e: {http_url: "unix:///run/a.sock"}
`;
  writeFileSync(configPath, text);
  const run = (...args: string[]) =>
    spawnSync(binaryPath, args, { cwd: folder, env: environmentIn(folder), encoding: "utf8", timeout: 30_000 });
  try {
    for (const args of [
      ["validate", configPath],
      ["serve", "--config", configPath],
    ]) {
      const { status, stdout, stderr } = run(...args);
      assert.notEqual(status, 0);
      const said = `${stdout}${stderr}`;
      assert.match(said, /gateway\.yaml:3:\d+ +backends\.a\.http_url is the private or reserved address 127\.0\.0\.1/);
      assert.match(said, /gateway\.yaml:4:\d+ +backends\.b\.a2a_url is the private or reserved address ::ffff:a00:1/);
      assert.match(said, /gateway\.yaml:5:\d+ +backends\.c\.http_url is the private or reserved address 169\.254/);
      assert.match(said, /gateway\.yaml:6:\d+ +backends\.d\.replicas\[1\]\.http_url is the private/);
      assert.doesNotMatch(said, /replicas\[0|backends\.e/);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
