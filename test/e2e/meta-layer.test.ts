/** Code mode, routing profiles, playbooks and operator tools of the compiled gateway, through the official client. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { until } from "../fixtures/processes.ts";
import { type GatewayProcess, serverScript, startGateway } from "./harness.ts";

const keys = { admin: "key-of-the-admin-0123456789", bound: "key-of-the-bound-0123456789" };
const config = {
  capabilities: { enabled: false },
  auth: {
    enabled: true,
    api_keys: [
      { key: keys.admin, name: "admin", admin: true },
      { key: keys.bound, name: "bound", profile: "graph" },
    ],
  },
  code_mode: { enabled: true },
  playbooks: { enabled: true },
  routing_profiles: {
    graph: { description: "The graph, read only", allow_backends: ["memory"], deny_tools: ["delete_*"] },
  },
  backends: {
    everything: { command: ["node", serverScript("everything"), "stdio"] },
    memory: { command: ["node", serverScript("memory")] },
  },
};

interface Connected {
  readonly client: Client;
  readonly told: string[];
  text(name: string, args: Record<string, unknown>): Promise<string>;
}

let gateway: GatewayProcess;
const open: Client[] = [];

async function connect(key: string, path = "/mcp", headers: Record<string, string> = {}): Promise<Connected> {
  const client = new Client({ name: "e2e", version: "1.0.0" });
  const told: string[] = [];
  client.fallbackNotificationHandler = async ({ method }) => void told.push(method);
  const requestInit = { headers: { authorization: `Bearer ${key}`, ...headers } };
  const url = new URL(`${gateway.url}${path}`);
  const transport = path.startsWith("/sse")
    ? new SSEClientTransport(url, { requestInit })
    : new StreamableHTTPClientTransport(url, { requestInit });
  // The SDK is not written for exactOptionalPropertyTypes.
  await client.connect(transport as Transport);
  open.push(client);
  return {
    client,
    told,
    async text(name, args) {
      const { content } = await client.callTool({ name, arguments: args });
      return (content as { text?: string }[]).map(({ text }) => text ?? "").join("\n");
    },
  };
}

before(async () => {
  gateway = await startGateway(config);
});
after(async () => {
  for (const client of open) await client.close();
  await gateway?.stop();
});

describe("code mode", () => {
  test("lists search and execution alone, and finds and runs a tool by them", async () => {
    const { client, text } = await connect(keys.admin);
    const { tools } = await client.listTools();
    assert.deepEqual(
      tools.map(({ name }) => name),
      ["gateway_search", "gateway_execute"],
    );
    assert.match(await text("gateway_search", { query: "echo a message" }), /"tool":"everything:echo".*"input_schema"/);
    assert.equal(await text("gateway_execute", { tool: "everything:echo", arguments: { message: "hi" } }), "Echo: hi");
  });

  test("passes the results of a chain on, and says at which step it ended", async () => {
    const { text } = await connect(keys.admin);
    const first = { tool: "everything:get-structured-content", arguments: { location: "New York" } };
    const echo = (from: string) => ({ tool: "everything:echo", arguments: { message: { $from: from } } });
    const done = await text("gateway_execute", {
      chain: [first, echo("step1.conditions")],
      output: { $from: "step2" },
    });
    assert.match(done, /^\{"steps":2,"output":"Echo: Cloudy"\}$/);
    const ended = JSON.parse(await text("gateway_execute", { chain: [first, echo("step1.condition")] }));
    assert.equal(ended.results.length, 1);
    assert.match(ended.failed.error, /"step1" has no "condition", it has temperature, conditions, humidity/);
  });

  test("runs a program that calls many tools and returns only what it returns", async () => {
    const { text } = await connect(keys.admin);
    const script = `
      const sums = await Promise.all([1, 2, 3].map((n) => tools.everything.get_sum({ a: n, b: 10 })));
      return sums.map((sum) => Number(sum.match(/is (\\d+)/)[1])).reduce((a, b) => a + b);`;
    assert.equal(await text("gateway_execute", { script }), "36");
    assert.match(
      await text("gateway_execute", { script: "return tools.everything.ecko({})" }),
      /Did you mean|no tool named/,
    );
    assert.equal(
      await text("gateway_execute", { script: "return typeof process + typeof fetch" }),
      "undefinedundefined",
    );
  });

  test("a program that never ends is ended, and holds up nobody meanwhile", async () => {
    const { client, text } = await connect(keys.admin);
    const endless = client.callTool({ name: "gateway_execute", arguments: { script: "while (true) {}" } });
    let ended = false;
    void endless.then(() => {
      ended = true;
    });
    assert.equal(
      await text("gateway_execute", { tool: "everything:echo", arguments: { message: "still" } }),
      "Echo: still",
    );
    assert.equal(ended, false);
    assert.match(JSON.stringify(await endless), /computed for longer than 5000 ms/);
  });
});

describe("routing profiles", () => {
  test("by header, by address and by key: what is hidden is neither found nor called", async () => {
    for (const { text } of [
      await connect(keys.admin, "/mcp", { "x-mcp-profile": "graph" }),
      await connect(keys.admin, "/mcp?profile=graph"),
      await connect(keys.admin, "/sse?profile=graph"),
      await connect(keys.bound),
    ]) {
      assert.doesNotMatch(await text("gateway_list_servers", {}), /everything/);
      assert.doesNotMatch(await text("gateway_search", { query: "delete entities" }), /memory:delete/);
      assert.match(
        await text("gateway_invoke", { server: "everything", tool: "echo" }),
        /No server is named "everything"/,
      );
      assert.match(
        await text("gateway_execute", { script: "return callTool('memory:delete_entities')" }),
        /has no tool named/,
      );
      assert.match(await text("gateway_invoke", { server: "memory", tool: "read_graph", arguments: {} }), /entities/);
    }
    await assert.rejects(connect(keys.admin, "/mcp/everything", { "x-mcp-profile": "graph" }), /There is no backend/);
    await assert.rejects(connect(keys.admin, "/mcp?profile=grph"), /There is no routing profile \\?"grph/);
    await assert.rejects(connect(keys.bound, "/mcp?profile=default"), /is bound to the routing profile/);
  });

  test("set by an admin: the client is told that its lists changed", async () => {
    const { client, told, text } = await connect(keys.admin);
    assert.match(await text("gateway_set_profile", { profile: "graph" }), /"backend_filter":"only memory"/);
    await until(() => told.includes("notifications/tools/list_changed"), 5_000);
    assert.match(await text("gateway_get_profile", {}), /"profile":"graph"/);
    assert.doesNotMatch(JSON.stringify((await client.listTools()).tools[0]?.description), /everything/);
    const { text: textOfBound } = await connect(keys.bound);
    assert.match(await textOfBound("gateway_set_profile", { profile: "default" }), /is for admins/);
  });
});

test("playbooks run as their file says, and a changed file is the one that runs", async () => {
  const { text } = await connect(keys.admin);
  const folder = join(gateway.folder, "playbooks");
  mkdirSync(folder);
  const write = (greeting: string) =>
    writeFileSync(
      join(folder, "greet.yaml"),
      `playbook: "1.0"
name: greet
inputs:
  name: { type: string, required: true }
steps:
  - name: weather
    tool: everything:get-structured-content
    arguments: { location: New York }
  - name: say
    tool: everything:echo
    arguments: { message: "${greeting} \${inputs.name}, it is \${weather.conditions}" }
    condition: $weather.temperature > 0
output:
  properties:
    said: { path: $say }
`,
    );
  write("Hello");
  assert.match(await text("gateway_list_playbooks", {}), /"name":"greet"/);
  const run = () => text("gateway_run_playbook", { name: "greet", arguments: { name: "Ada" } });
  assert.match(
    await run(),
    /^\{"output":\{"said":"Echo: Hello Ada, it is Cloudy"\},"steps_completed":2,"steps_skipped":0/,
  );
  write("Bye");
  assert.match(await run(), /Echo: Bye Ada/);
  writeFileSync(join(folder, "greet.yaml"), "name: greet\nsteps: 3\n");
  assert.match(await run(), /no playbook.*greet\.yaml:2:1 {2}\\?"steps\\?" must be a list/s);
});

test("operator tools: a reload is refused for a broken file, live for a good one, and only for admins", async () => {
  const { client, text } = await connect(keys.admin);
  const { text: textOfBound } = await connect(keys.bound);
  assert.match(await textOfBound("gateway_reload_config", {}), /FORBIDDEN/);
  const good = readFileSync(gateway.configPath, "utf8");
  writeFileSync(gateway.configPath, "backends: [");
  assert.match(await text("gateway_reload_config", {}), /CONFIG_INVALID.*gateway\.yaml:1/s);
  const next = { ...JSON.parse(good), code_mode: { enabled: false }, meta_mcp: { operator_tools: ["get_stats"] } };
  writeFileSync(gateway.configPath, JSON.stringify(next));
  assert.match(
    await text("gateway_reload_config", {}),
    /"status":"ok","changes":"(profiles\/meta config changed|no changes detected)"/,
  );
  assert.deepEqual((await client.listTools()).tools.map(({ name }) => name).slice(4), [
    "gateway_get_stats",
    "gateway_run_playbook",
    "gateway_list_playbooks",
  ]);
  assert.match(
    await text("gateway_get_stats", {}),
    /"top_tools":\[\{"server":"everything","tool":"echo","count":\d+,"failed":0\}/,
  );
  assert.match(await text("gateway_execute", { script: "return 1" }), /Programs are switched off/);
  assert.match(await text("gateway_get_stats", {}), /"list_tokens_estimated":\{"direct":\d+/);

  writeFileSync(gateway.configPath, JSON.stringify({ ...next, meta_mcp: { max_result_size: 500 } }));
  await text("gateway_reload_config", {});
  const message = "a long word ".repeat(200);
  const long = await text("gateway_invoke", { server: "everything", tool: "echo", arguments: { message } });
  const [, uri] = /kept as (gateway:\/\/results\/\S+):/.exec(long) as RegExpExecArray;
  assert.ok(long.length < 1_000);
  const { contents } = await client.readResource({ uri: uri as string });
  assert.ok(JSON.stringify(contents).includes(message));
  const part = await text("gateway_read_result", { result: uri, offset: 2_390, limit: 5 });
  assert.equal(part.split("\n")[0], `Echo: ${message}`.slice(2_390, 2_395));
});
