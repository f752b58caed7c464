/** The gateway as a library, in the program that runs the test. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  createGateway,
  type EmbeddedGateway,
  type GatewayError,
  type GatewayLogger,
  type GatewayOptions,
} from "../../src/embed/create-gateway.ts";
import { isAlive, until } from "../fixtures/processes.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";

const one = { command: scriptArgv("stdio-backend.mjs"), description: "The one" };
const config = { capabilities: { enabled: false }, backends: { one } };

async function embedded(t: TestContext, options: Partial<GatewayOptions> = {}): Promise<EmbeddedGateway> {
  const gateway = await createGateway({ config, ...options });
  t.after(() => gateway.close());
  return gateway;
}

function temporaryFolder(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "gateway-embed-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: GatewayError) => error.code,
  );

test("createGateway: settings that are wrong are refused with all that is wrong, before anything is started", async () => {
  const wrong = { server: { port: "x" }, backends: { a: { comand: "x" } } };
  await assert.rejects(createGateway({ config: wrong }), (error: GatewayError) => {
    assert.deepEqual([error.name, error.code], ["ConfigError", "CONFIG_INVALID"]);
    assert.match(error.message, /^server\.port must be .*\nbackends\.a needs one of .*did you mean "command"/);
    return true;
  });
  const endless: Record<string, unknown> = {};
  endless["backends"] = endless;
  for (const none of [endless, [] as never, null as never, undefined as never, 5 as never])
    assert.equal(await codeOf(createGateway({ config: none })), "CONFIG_INVALID");
  assert.equal(await codeOf(createGateway({ config: "/none/gateway.yaml" })), "CONFIG_INVALID");
});

test("createGateway: variables of the program override nothing, and fill what refers to them", async (t) => {
  const env = { MCP_GATEWAY_BACKENDS__ONE__ENABLED: "false", WORD: "filled", PATH: process.env["PATH"] };
  const backends = { one: { ...one, env: { TOLD: `$${"{WORD}"}` } } };
  const gateway = await embedded(t, { config: { ...config, backends }, env });
  assert.match((await gateway.callTool("one", "env")).content[0]?.text ?? "", /"TOLD":"filled"/);
});

test("gateway: servers, tools and search start what they need; a server that cannot be asked is passed over", async (t) => {
  const backends = { one, broken: { command: ["/none/such"] }, off: { ...one, enabled: false } };
  const gateway = await embedded(t, { config: { ...config, backends } });
  assert.deepEqual(
    gateway.listServers().map(({ name, state, enabled }) => [name, state, enabled]),
    [
      ["one", "dormant", true],
      ["broken", "dormant", true],
      ["off", "stopped", false],
    ],
  );
  const tools = await gateway.listTools();
  assert.deepEqual(new Set(tools.map(({ server }) => server)), new Set(["one"]));
  assert.equal(tools.find(({ name }) => name === "echo")?.inputSchema["type"], "object");
  assert.deepEqual(await gateway.listTools("off"), []);
  assert.equal(await codeOf(gateway.listTools("broken")), "UPSTREAM_START_FAILED");
  await assert.rejects(gateway.listTools("onee"), /^DeniedError: There is no backend "onee": did you mean "one"\?$/);
  const [found, ...more] = await gateway.searchTools("echo", { limit: 1 });
  assert.deepEqual([found?.server, found?.name, more.length], ["one", "echo", 0]);
  assert.match(gateway.listServers()[1]?.lastError ?? "", /none\/such/);
});

test("callTool: goes through the policies; what a tool says of itself is a result, what else goes wrong is thrown", async (t) => {
  const security = { tool_policy: { deny: ["one:pid"] } };
  const gateway = await embedded(t, { config: { ...config, security } });
  assert.deepEqual(await gateway.callTool("one", "echo", { text: "x" }), { content: [{ type: "text", text: "x" }] });
  assert.equal(await codeOf(gateway.callTool("one", "pid")), "POLICY_DENIED");
  assert.equal(await codeOf(gateway.callTool("none", "echo")), "SERVER_NOT_FOUND");
  assert.equal(await codeOf(gateway.callTool("one", "silent", {}, { timeoutMs: 50 })), "TIMEOUT");
});

test("callTool: aborting cancels it here and at the server, before it began and while it runs", async (t) => {
  const folder = temporaryFolder(t);
  const gateway = await embedded(t);
  const reason = new Error("no longer");
  await assert.rejects(gateway.callTool("one", "echo", {}, { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const file = join(folder, "ran");
  const running = gateway.callTool("one", "work", { file }, { signal: controller.signal });
  await until(() => readdirSync(folder).length > 0);
  controller.abort(reason);
  await assert.rejects(running);
  assert.match((await gateway.callTool("one", "cancelled")).content[0]?.text ?? "", /requestId/);
});

test("reload: other settings are in force at once, wrong ones change nothing, and a file is read again", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "gateway.yaml");
  writeFileSync(path, JSON.stringify(config));
  const gateway = await embedded(t, { config: path });
  const pid = (await gateway.callTool("one", "pid")).content[0]?.text;
  writeFileSync(path, "backends: {one: {}}");
  assert.equal(await codeOf(gateway.reload()), "CONFIG_INVALID");
  assert.equal((await gateway.callTool("one", "pid")).content[0]?.text, pid);
  writeFileSync(path, JSON.stringify({ ...config, backends: { one, two: one } }));
  assert.deepEqual(await gateway.reload(), { changes: "added backends: [two]", restartRequired: false });
  assert.equal((await gateway.callTool("one", "pid")).content[0]?.text, pid, "what did not change runs on");
  assert.equal((await gateway.reload({ ...config, backends: {} })).changes, "removed backends: [one, two]");
  await until(() => !isAlive(Number(pid)));
  assert.deepEqual(gateway.listServers(), []);
});

test("logger: gets what is said as values, without secrets, and may throw", async (t) => {
  const lines: unknown[] = [];
  const note =
    (level: string) =>
    (...said: unknown[]) => {
      lines.push([level, ...said]);
      throw new Error("the log is full");
    };
  const logger: GatewayLogger = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
  const backends = { one: { ...one, env: { A_TOKEN: "secret-of-one" } } };
  const gateway = await embedded(t, { config: { ...config, extra: 1, backends }, logger });
  await gateway.callTool("one", "echo", { text: "x" });
  await gateway.reload({ ...config, backends: {} });
  const text = JSON.stringify(lines);
  assert.match(text, /\["warn","extra is not a known setting/);
  assert.match(text, /\["info","Configuration reloaded",\{"changes":"removed backends: \[one\]/);
  assert.doesNotMatch(text, /secret-of-one/);
});

test("fetch: answers as the gateway's server does, to who may come in, with the address the host's server tells", async (t) => {
  const lines: Record<string, unknown>[] = [];
  const logger = {
    debug() {},
    info() {},
    warn: (_: string, fields: object) => void lines.push({ ...fields }),
    error() {},
  };
  const auth = { enabled: true, bearer_token: "auto", public_paths: [] };
  const { fetch, bearerToken } = await embedded(t, { config: { ...config, auth }, logger });
  assert.match(bearerToken ?? "", /^mcp_[\w-]{43}$/);
  const ask = (headers: Record<string, string> = {}, connection?: unknown) =>
    fetch(new Request("http://localhost/health", { headers: { host: "localhost", ...headers } }), connection);
  assert.equal((await ask({ authorization: `Bearer ${bearerToken}` })).status, 200);
  assert.equal((await ask({ authorization: `Bearer ${bearerToken}`, host: "evil.example" })).status, 403);
  assert.equal((await ask({}, { requestIP: () => ({ address: "192.0.2.1" }) })).status, 401);
  assert.equal((await ask({}, { remoteAddr: { hostname: "192.0.2.2" } })).status, 401);
  assert.equal((await ask()).status, 401);
  assert.deepEqual(
    lines.map(({ address }) => address),
    ["192.0.2.1", "192.0.2.2", "unknown"],
  );
});

test("listen: opens the configured address or another one, as often as it is asked, until it is closed", async (t) => {
  const gateway = await embedded(t, { config: { ...config, server: { port: 0 } } });
  const [first, second] = [await gateway.listen(), await gateway.listen({ host: "127.0.0.1", port: 0 })];
  assert.notEqual(first.port, second.port);
  for (const { url } of [first, second]) assert.equal((await fetch(`${url}/liveness`)).status, 200);
  await assert.rejects(gateway.listen({ port: first.port }), /another program listens there/);
  await first.close();
  await assert.rejects(fetch(`${first.url}/liveness`));
  assert.equal((await fetch(`${second.url}/liveness`)).status, 200);
  await gateway.close();
  await assert.rejects(fetch(`${second.url}/liveness`));
});

test("close: ends every process, lets running calls answer, refuses what comes later; once is enough", async () => {
  let pid = 0;
  let other: EmbeddedGateway | undefined;
  {
    await using gateway = await createGateway({ config });
    other = await createGateway({ config });
    pid = Number((await gateway.callTool("one", "pid")).content[0]?.text);
    const running = gateway.callTool("one", "sleep", { ms: 100 });
    const closing = gateway.close();
    assert.equal((await running).content[0]?.text, "slept");
    await Promise.all([closing, gateway.close()]);
    for (const refused of [gateway.callTool("one", "echo"), gateway.listTools(), gateway.listen(), gateway.reload()])
      assert.equal(await codeOf(refused), "SHUTTING_DOWN");
  }
  assert.equal(isAlive(pid), false);
  assert.equal((await other.callTool("one", "echo", { text: "beside it" })).content[0]?.text, "beside it");
  await other.close();
});

test("dataDirectory: is where state is kept, and nothing is without it", async (t) => {
  const folder = temporaryFolder(t);
  const env = { ...process.env, HOME: join(folder, "home") };
  const data = join(folder, "data");
  const kept = await embedded(t, { dataDirectory: data, env });
  await kept.listTools();
  await kept.close();
  const forgotten = await embedded(t, { env });
  await forgotten.listTools();
  await forgotten.close();
  assert.deepEqual(readdirSync(folder), ["data"]);
  assert.ok(readdirSync(data).includes("catalog"));
});
