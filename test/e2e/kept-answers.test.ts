/** The cache and idempotency keys of the compiled gateway. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { until } from "../fixtures/processes.ts";
import { type GatewayProcess, root, startGateway } from "./harness.ts";

interface Result {
  content: { text: string }[];
  _meta?: Record<string, unknown>;
}

let gateway: GatewayProcess | undefined;
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

const backend = (...flags: string[]) => ({
  command: ["node", join(root, "test", "fixtures", "stdio-backend.mjs"), ...flags],
});

/** Each with a client of its own. */
async function post(
  path: string,
  name: string,
  args: Record<string, unknown>,
  meta?: Record<string, unknown>,
): Promise<Result> {
  const client = new Client({ name: "e2e", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway?.url}${path}`)) as Transport);
  try {
    return (await client.callTool({ name, arguments: args, ...(meta && { _meta: meta }) })) as never;
  } finally {
    await client.close();
  }
}

const invoke = (tool: string, args: object, more: object = {}) =>
  post("/mcp", "gateway_invoke", { server: "box", tool, arguments: args, ...more });
const textOf = ({ content }: Result) => content.map(({ text }) => text).join("");

test("answers of tools that only read are kept where the file says so, until something is written", async () => {
  gateway = await startGateway({
    capabilities: { enabled: false },
    cache: { tools: { "box:echo": 0 } },
    backends: { box: backend("--reads=work,echo") },
  });
  const file = join(gateway.folder, "ran");
  const args = { file, ms: 0 };
  const runs = () => readFileSync(file, "utf8").split("\n").length - 1;
  // Before its list is known, nobody knows what only reads.
  await post("/mcp", "gateway_list_tools", { server: "box" });
  assert.equal((await invoke("work", args))._meta, undefined);
  const again = await invoke("work", args);
  assert.ok(again._meta?.["mcp-gateway/cache"]);
  assert.ok((await post("/mcp/box", "work", args))._meta?.["mcp-gateway/cache"], "the same call by another way");
  assert.equal(runs(), 1);
  await invoke("echo", { text: "reads, and is not kept" });
  await invoke("echo", { text: "reads, and is not kept" });
  await invoke("pid", {});
  await invoke("work", args);
  assert.equal(runs(), 2);
  const stats = JSON.parse(textOf(await post("/mcp", "gateway_get_stats", {})));
  assert.deepEqual([stats.cache_hits, stats.cache_hit_rate], [2, "28.6%"]);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  assert.match(metrics, /mcp_cache_hits_total\{server="box",kind="response"\} 2/);

  await invoke("work", args);
  writeFileSync(gateway.configPath, readFileSync(gateway.configPath, "utf8").replace('"cache"', '"_cache"'));
  const { stderr } = gateway;
  await until(() => stderr().includes("Configuration reloaded"));
  for (const _ of [1, 2]) assert.equal((await invoke("work", args))._meta, undefined);
});

test("a call with an idempotency key is made once, though the gateway is killed while it runs", async (t) => {
  const config = { capabilities: { enabled: false }, backends: { box: backend() } };
  const state = mkdtempSync(join(tmpdir(), "kept-answers-"));
  t.after(() => rmSync(state, { recursive: true }));
  const env = { MCP_GATEWAY_CONFIG_DIR: state };
  gateway = await startGateway(config, { env });
  const file = join(state, "ran");
  writeFileSync(file, "");
  const runs = () => readFileSync(file, "utf8").split("\n").length - 1;
  const done = { idempotency_key: "done" };
  const first = await invoke("work", { file, ms: 0 }, done);
  const second = await invoke("work", { file, ms: 0 }, done);
  assert.deepEqual([first.content, first._meta], [second.content, undefined]);
  assert.deepEqual(second._meta, { "mcp-gateway/idempotency": { repeated: true } });
  const meta = { "mcp-gateway/idempotency_key": "done" };
  assert.equal(textOf(await post("/mcp/box", "work", { file, ms: 0 }, meta)), textOf(first));
  assert.match(textOf(await invoke("work", { file, ms: 1 }, done)), /IDEMPOTENCY_CONFLICT.*other arguments/s);
  assert.equal(runs(), 1);

  invoke("work", { file }, { idempotency_key: "hangs" }).catch(() => {});
  await until(() => runs() === 2);
  await gateway.stop("SIGKILL");
  gateway = await startGateway(config, { env });
  assert.equal(textOf(await invoke("work", { file, ms: 0 }, done)), textOf(first));
  const hung = await invoke("work", { file }, { idempotency_key: "hangs" });
  assert.match(textOf(hung), /IDEMPOTENCY_CONFLICT/);
  assert.equal(runs(), 2);
});
