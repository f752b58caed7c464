/** Capabilities made of tools, for some states of a session, and with common fields: at the executable. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { RawApi } from "../capabilities/raw-api.ts";
import { until } from "../fixtures/processes.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { HttpClient, type Loose, post } from "../security/clients.ts";
import { binaryPath, endedWithTests, environmentIn, type GatewayProcess, startGateway } from "./harness.ts";

const issue = { id: 7, title: "Broken", user: { login: "ada" }, noise: "x".repeat(200) };
const stdioBackend = scriptArgv("stdio-backend.mjs");
const config = () => ({
  capabilities: { directories: ["capabilities"], builtin: false },
  security: { ssrf_protection: false },
  failsafe: { rate_limit: { enabled: false } },
  backends: { tracker: { command: stdioBackend }, broken: { command: [...stdioBackend, "--exit-at-start"] } },
});
const mcp = (server: string, tool: string, more: object = {}) => ({
  service: "mcp",
  config: { server, tool, ...more },
});
const dead = { config: { base_url: "http://127.0.0.1:9" }, max_attempts: 1 };
let api: RawApi;
let gateway: GatewayProcess;

const files = (): Record<string, object> => ({
  report: {
    description: "Reports something to the tracker",
    schema: { input: { type: "object", properties: { what: { type: "string" } }, required: ["what"] } },
    providers: { primary: mcp("tracker", "echo", { arguments: { text: "{env.TEAM}: {what}" } }) },
  },
  slow: { description: "Works for long", providers: { primary: mcp("tracker", "silent") } },
  steps: { description: "Tells of its progress", providers: { primary: mcp("tracker", "progress") } },
  either: { description: "An API, or a tool", providers: { primary: dead, fallback: mcp("tracker", "pid") } },
  other: {
    description: "A tool, or an API",
    providers: { primary: mcp("broken", "echo"), fallback: { config: { base_url: api.origin } } },
  },
  ping: { description: "Goes round", providers: { primary: mcp("gateway", "pong") } },
  pong: { description: "Goes round", providers: { primary: mcp("capabilities", "ping") } },
  pay: {
    description: "Pays what is in the basket",
    visible_in_states: ["checkout"],
    providers: { primary: { config: { base_url: api.origin } } },
  },
  issue: {
    description: "Reads an issue",
    projection: { actor: { handle: "user.login" }, subject: { id: "id", title: "title" } },
    providers: { primary: { config: { base_url: api.origin } } },
  },
});

function writeCapabilities(folder: string): void {
  mkdirSync(join(folder, "capabilities"), { recursive: true });
  for (const [name, file] of Object.entries(files()))
    writeFileSync(join(folder, "capabilities", `${name}.yaml`), JSON.stringify(file));
}

before(async () => {
  api = await RawApi.start(() => ({ body: JSON.stringify(issue) }));
  gateway = await startGateway(config(), { env: { TEAM: "core" } });
  writeCapabilities(gateway.folder);
});
after(async () => {
  await gateway.stop();
  await api[Symbol.asyncDispose]();
});

const open = () => HttpClient.open(`${gateway.url}/mcp`);
const textOf = (message: Loose): string => message.result.content[0].text;

test("a capability made of a tool calls it, passes its progress on, and ends with the client's cancellation", async () => {
  const client = await open();
  await until(async () => (await client.invoke("gateway", "report", { what: "ready" })).body.includes("core: ready"));
  assert.equal(
    textOf((await client.invoke("gateway", "report", { what: "a {env.TEAM}" })).message),
    "core: a {env.TEAM}",
  );
  const params = {
    name: "gateway_invoke",
    arguments: { server: "gateway", tool: "steps" },
    _meta: { progressToken: "p" },
  };
  const { messages } = await client.request("tools/call", params);
  const told = messages
    .filter(({ method }) => method === "notifications/progress")
    .map(({ params: { extra, ...p } }) => p);
  assert.deepEqual(
    told,
    [1, 2].map((progress) => ({ progressToken: "p", progress })),
  );
  const slow = client.send({
    jsonrpc: "2.0",
    id: "slow",
    method: "tools/call",
    params: { name: "gateway_invoke", arguments: { server: "gateway", tool: "slow" } },
  });
  await until(async () => (await client.invoke("tracker", "cancelled")).status === 200);
  await client.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "slow" } });
  await slow;
  await until(async () => textOf((await client.invoke("tracker", "cancelled")).message) !== "[]");
});

test("tools stand in for APIs and APIs for tools; a circle ends, and says how", async () => {
  const client = await open();
  assert.match(textOf((await client.invoke("gateway", "either")).message), /^\d+$/);
  assert.match(textOf((await client.invoke("gateway", "other")).message), /"title": "Broken"/);
  const { result } = (await client.invoke("gateway", "ping")).message;
  assert.equal(result.isError, true);
  assert.match(result.content[0].text, /one of more than 4 in each other\n.*circle/);
});

test("without a gateway, a capability made of a tool says that it needs one", () => {
  const run = (...args: string[]) =>
    spawnSync(binaryPath, args, {
      cwd: gateway.folder,
      env: environmentIn(gateway.folder),
      encoding: "utf8",
      input: "",
    });
  for (const args of [
    ["cap", "test", "capabilities/report.yaml", "--args", '{"what":"x"}'],
    ["tool", "invoke", "report", "what=x", "--capabilities", "capabilities"],
  ]) {
    const { status, stderr } = run(...args);
    assert.equal(status, 1, stderr);
    assert.match(stderr, /Tool "echo" of server "tracker" can be called by a running gateway only/);
  }
  assert.match(run("cap", "validate", "capabilities/report.yaml").stdout, /URL: mcp tracker:echo/);
});

test("a state of the session shows and hides, on every way to a tool, and outlives a kill", async (t) => {
  const client = await open();
  const pay = async () => (await client.invoke("gateway", "pay")).body;
  const search = async () => (await client.tool("gateway_search_tools", { query: "pay basket" })).body;
  await until(async () => (await pay()).includes('hidden in the state \\"default\\"'));
  assert.doesNotMatch(await search(), /Pays what is/);
  const { result } = (await client.tool("gateway_set_state", { state: "checkout" })).message;
  const { visible_tools, ...set } = JSON.parse(result.content[0].text);
  assert.deepEqual(set, { previous: "default", current: "checkout", session_id: client.sessionId });
  assert.ok(visible_tools >= 9);
  assert.match(await pay(), /Broken/);
  assert.match(await search(), /Pays what is/);
  const atBackend = await HttpClient.open(`${gateway.url}/mcp/gateway`);
  assert.doesNotMatch((await atBackend.request("tools/list")).body, /Pays what is/);
  assert.match((await atBackend.tool("pay")).body, /hidden in the state/);
  assert.match(await modernInvoke("pay"), /hidden in the state/);
  assert.match(await modernInvoke("issue"), /Broken/);
  gateway.child.kill("SIGKILL");
  await until(() => gateway.child.signalCode !== null);
  const again = endedWithTests(
    spawn(binaryPath, ["serve", "--config", gateway.configPath], {
      cwd: gateway.folder,
      env: environmentIn(gateway.folder, { TEAM: "core" }),
      stdio: "ignore",
    }),
  );
  t.after(() => again.kill("SIGKILL"));
  await until(() =>
    fetch(`${gateway.url}/liveness`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  assert.match(await pay(), /Broken/);
  const { previous } = JSON.parse(textOf((await client.tool("gateway_set_state", { state: "default" })).message));
  assert.equal(previous, "checkout");
  assert.match(await pay(), /hidden in the state/);
});

/** By a client of 2026-07-28, which has no session. */
async function modernInvoke(tool: string): Promise<string> {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  };
  const params = { name: "gateway_invoke", arguments: { server: "gateway", tool }, _meta };
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params };
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "gateway_invoke" };
  return (await post(`${gateway.url}/mcp`, message, headers)).body;
}

test("common fields: switched on while running, for half of the sessions with counts, and off again", async (t) => {
  const gateway = await startGateway({ ...config(), backends: {} });
  t.after(() => gateway.stop());
  writeCapabilities(gateway.folder);
  const settings = JSON.parse(readFileSync(gateway.configPath, "utf8"));
  const setMode = (mode: string) =>
    writeFileSync(gateway.configPath, JSON.stringify({ ...settings, meta_mcp: { projection_mode: mode } }));
  const openOne = () => HttpClient.open(`${gateway.url}/mcp`);
  const client = await openOne();
  const read = async (one: HttpClient, args: object = {}) => {
    const { result } = (await one.invoke("gateway", "issue", args)).message;
    return result.isError ? result.content[0].text : JSON.parse(result.content[0].text);
  };
  await until(async () => (await read(client)).id === 7);
  setMode("on");
  await until(async () => (await read(client))._raw !== undefined);
  const common = { actor: { handle: "ada" }, subject: { id: 7, title: "Broken" } };
  assert.deepEqual(await read(client), { ...common, _raw: issue });
  assert.deepEqual(await read(client, { _full: true }), issue);
  const listed = (await (await HttpClient.open(`${gateway.url}/mcp/gateway`)).request("tools/list")).message.result
    .tools;
  assert.ok(listed.find(({ name }: Loose) => name === "issue").inputSchema.properties._full);
  setMode("experimental");
  const metric = async (line: string) =>
    Number(
      new RegExp(`^projection_ab_${line} (\\d+)$`, "m").exec(
        await (await fetch(`${gateway.url}/metrics`)).text(),
      )?.[1] ?? 0,
    );
  await until(async () => {
    await read(client);
    return (await metric('response_bytes_count\\{arm="(?:control|treatment)"\\}')) > 0;
  });
  const before = await metric('invocations_total\\{arm="treatment",projected="true"\\}');
  let treated = 0;
  for (let count = 0; count < 30; count++) {
    const one = await openOne();
    const answers = [await read(one), await read(one)].map(({ _raw }) => _raw !== undefined);
    assert.equal(answers[0], answers[1]);
    if (answers[0]) treated += 2;
  }
  assert.ok(treated > 4 && treated < 56, `${treated}`);
  assert.equal(await metric('invocations_total\\{arm="treatment",projected="true"\\}'), before + treated);
  assert.equal(await metric('invocations_total\\{arm="control",projected="true"\\}'), 0);
  setMode("off");
  await until(async () => (await read(client)).id === 7);
});
