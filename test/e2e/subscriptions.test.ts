/** Subscriptions on the executable: many clients, one backend that is asked once, and that may fail meanwhile. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { until } from "../fixtures/processes.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { type GatewayProcess, startGateway } from "./harness.ts";

let gateway: GatewayProcess;
before(async () => {
  const backend = (resource: string) => ({
    command: scriptArgv("stdio-backend.mjs", "--resources", `--resource=${resource}`),
    stop_when_idle_for: "300ms",
  });
  gateway = await startGateway({
    capabilities: { enabled: false },
    failsafe: { health_check: { interval: "200ms", timeout: "1s" } },
    backends: { one: backend("test://one"), two: backend("test://two") },
  });
});
after(() => gateway?.stop());

async function connect(path: string, to = gateway) {
  const client = new Client({ name: "test", version: "1" });
  const heard: string[] = [];
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
  const transport = new StreamableHTTPClientTransport(new URL(`${to.url}${path}`));
  // The SDK's own types disagree with exactOptionalPropertyTypes.
  await client.connect(transport as Transport);
  const call = async (server: string, tool: string, args: object = {}) => {
    const result = await client.callTool({ name: "gateway_invoke", arguments: { server, tool, arguments: args } });
    return (result.content as { text: string }[])[0]?.text as string;
  };
  const leave = async () => {
    await transport.terminateSession();
    await client.close();
  };
  return { client, heard, call, leave };
}

test("who subscribed hears of the change, nobody else does, and the backend was asked once", async () => {
  const [first, second, third] = await Promise.all([connect("/mcp"), connect("/mcp/one"), connect("/mcp")]);
  assert.ok(first.client.getServerCapabilities()?.resources?.subscribe);
  await first.client.subscribeResource({ uri: "test://one" });
  await second.client.subscribeResource({ uri: "test://one" });
  await third.client.subscribeResource({ uri: "gw+two:test://shared" });
  assert.equal(await first.call("one", "watched"), "+test://one");
  await first.call("one", "update", { uri: "test://one" });
  await first.call("one", "update", { uri: "test://shared" });
  await first.call("two", "update", { uri: "test://shared" });
  await until(() => first.heard.length > 0 && second.heard.length > 0 && third.heard.length > 0);
  assert.deepEqual(
    [first.heard, second.heard, third.heard],
    [["test://one"], ["test://one"], ["gw+two:test://shared"]],
  );
  await second.client.unsubscribeResource({ uri: "test://one" });
  assert.equal(await first.call("one", "watched"), "+test://one");
  await second.leave();
  await third.leave();
  await first.leave();
  const last = await connect("/mcp");
  assert.equal(await last.call("one", "watched"), "+test://one -test://one", "the end of the last session ends it");
  await last.leave();
});

test("a watched backend is kept awake, and one that was killed is back and watched without a call", async () => {
  const watcher = await connect("/mcp");
  await watcher.client.subscribeResource({ uri: "test://two" });
  const pid = Number(await watcher.call("two", "pid"));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(Number(await watcher.call("two", "pid")), pid, "it was not stopped as idle");
  process.kill(pid, "SIGKILL");
  const health = async () => (await fetch(`${gateway.url}/health`)).json() as Promise<object>;
  let restarted = false;
  for (let tries = 0; tries < 200 && !restarted; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    restarted = /"restart_count":\s*1/.test(JSON.stringify(await health()));
  }
  assert.ok(restarted, JSON.stringify(await health()));
  assert.match(await watcher.call("two", "watched"), /^\+test:\/\/two/);
  await watcher.call("two", "update", { uri: "test://two" });
  await until(() => watcher.heard.length > 0);
  assert.deepEqual(watcher.heard, ["test://two"]);
  await watcher.leave();
});

test("streaming.auto_subscribe: every session is told without asking, once the backend runs, and live on reload", async () => {
  const backend = (resource: string) => ({
    command: scriptArgv("stdio-backend.mjs", "--resources", `--resource=${resource}`),
    stop_when_idle_for: "300ms",
  });
  const own = await startGateway({
    capabilities: { enabled: false },
    streaming: { auto_subscribe: ["one"] },
    backends: { one: backend("test://one"), two: backend("test://two") },
  });
  try {
    const [first, second] = await Promise.all([connect("/mcp", own), connect("/mcp/one", own)]);
    const watched = () => first.call("one", "watched");
    await until(async () => (await watched()) === "+test://shared +test://one");
    await first.call("two", "update", { uri: "test://two" });
    await first.call("one", "update", { uri: "test://one" });
    await until(() => first.heard.length > 0 && second.heard.length > 0);
    // It needs no more than there is, and gives nothing back that others have.
    await first.client.subscribeResource({ uri: "test://one" });
    await first.call("one", "update", { uri: "test://shared" });
    await until(() => first.heard.length > 1 && second.heard.length > 1);
    await first.client.unsubscribeResource({ uri: "test://one" });
    assert.deepEqual(
      [first.heard, second.heard],
      [
        ["test://one", "gw+one:test://shared"],
        ["test://one", "test://shared"],
      ],
    );
    const pid = Number(await first.call("one", "pid"));
    assert.equal(await watched(), "+test://shared +test://one");
    process.kill(pid, "SIGKILL");
    await until(async () => (await first.call("one", "pid")) !== String(pid));
    await until(async () => (await watched()) === "+test://shared +test://one");
    const config = JSON.parse(readFileSync(own.configPath, "utf8")) as object;
    writeFileSync(own.configPath, JSON.stringify({ ...config, streaming: { auto_subscribe: ["two"] } }));
    await until(async () => (await watched()) === "+test://shared +test://one -test://shared -test://one");
    await until(async () => (await first.call("two", "watched")) === "+test://shared +test://two");
    await first.leave();
    await second.leave();
  } finally {
    await own.stop();
  }
});

test("streaming.auto_subscribe wakes nothing by itself", async () => {
  const state = mkdtempSync(join(tmpdir(), "auto-subscribe-"));
  const config = {
    capabilities: { enabled: false },
    streaming: { auto_subscribe: ["one"] },
    backends: { one: { command: scriptArgv("stdio-backend.mjs", "--resources") } },
  };
  const env = { MCP_GATEWAY_CONFIG_DIR: state };
  try {
    // Whose lists are on disk is not started for them.
    const before = await startGateway(config, { env });
    const learning = await connect("/mcp", before);
    await until(async () => (await learning.call("one", "watched")).includes("+test://own"));
    await before.stop();

    const own = await startGateway(config, { env });
    try {
      const { client, call, leave } = await connect("/mcp", own);
      const listed = await client.listResources();
      assert.ok(listed.resources.some(({ uri }) => uri === "test://own"));
      const servers = await client.callTool({ name: "gateway_list_servers", arguments: {} });
      assert.match(JSON.stringify(servers), /not_started/);
      await until(async () => (await call("one", "watched")).includes("+test://own"));
      await leave();
    } finally {
      await own.stop();
    }
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
});
