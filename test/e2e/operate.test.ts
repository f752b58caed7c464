/** What operators have of the executable: metrics, management API, statistics that stay, and the commands over them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { httpClient } from "../faults/client.ts";
import { eventually, rawBackend, withGateway } from "../faults/gateway.ts";
import { metricLabels } from "../fixtures/metric-labels.ts";
import { binaryPath, environmentIn, freePort, type GatewayProcess, serverScript, startGateway } from "./harness.ts";

const token = "operator-token-1";
const auth = { enabled: true, bearer_token: token };
const authorization = { authorization: `Bearer ${token}` };
const none = { capabilities: { enabled: false } };

type Json = Record<string, unknown>;

async function get<T = Json>({ url }: GatewayProcess, path: string): Promise<T> {
  const response = await fetch(url + path, { headers: authorization });
  assert.equal(response.status, 200, `${path}: ${await response.clone().text()}`);
  return (await response.json()) as T;
}

async function send({ url }: GatewayProcess, method: string, path: string, body: object = {}) {
  const headers = { ...authorization, "content-type": "application/json" };
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : (JSON.parse(text) as Json) };
}

function run(folder: string, env: Record<string, string>, ...args: string[]) {
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const options = { cwd: folder, env: { ...environmentIn(folder), ...env }, timeout: 30_000 };
    execFile(binaryPath, args, options, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

/** Value of one sample of the Prometheus text. */
function sample(text: string, name: string): number {
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
}

test("/metrics: counts calls by server, tool and outcome; on the main port with a token, on its own without", async () => {
  const metrics_port = await freePort();
  await withGateway({ ...none, server: { metrics_port }, auth, backends: { raw: rawBackend() } }, async (gateway) => {
    const client = await httpClient(gateway, undefined, authorization);
    for (let count = 0; count < 3; count++) await client.invoke("raw", "echo", { text: "x" });
    await client.invoke("raw", "die", {});
    await client.call("gateway_search_tools", { query: "echo" });
    assert.equal((await fetch(`${gateway.url}/metrics`)).status, 401);
    const own = await fetch(`http://127.0.0.1:${metrics_port}/metrics`);
    assert.equal(own.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const text = await own.text();
    assert.equal(sample(text, 'mcp_tool_invocations_total{server="raw",status="ok"}'), 3);
    assert.equal(sample(text, 'mcp_tool_invocations_total{server="raw",status="error"}'), 1);
    assert.equal(sample(text, 'mcp_tool_calls_total{server="raw",tool="echo",status="ok"}'), 3);
    assert.equal(sample(text, 'mcp_backend_requests_total{backend="raw",status="ok"}'), 3);
    assert.equal(sample(text, 'mcp_tool_invocation_duration_seconds_count{server="raw"}'), 4);
    assert.equal(sample(text, "mcp_search_total"), 1);
    assert.equal(sample(text, 'mcp_backend_circuit_state{backend="raw"}'), 1);
    for (const line of text.trimEnd().split("\n"))
      assert.match(line, /^# (HELP|TYPE) [a-z_]+ .+$|^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [\d.e+-]+$/);
    // What alerts and dashboards count on.
    for (const [name, labels] of Object.entries(metricLabels)) {
      const given = text.split("\n").filter((line) => new RegExp(`^${name}(_bucket)?[{ ]`).test(line));
      if (name === "up") continue;
      assert.ok(given.length > 0, `there is no ${name}`);
      for (const label of labels) assert.ok(given[0]?.includes(`${label}="`), `${name} has no ${label}`);
    }
    const main = await (await fetch(`${gateway.url}/metrics`, { headers: authorization })).text();
    assert.equal(sample(main, 'mcp_tool_calls_total{server="raw",tool="echo",status="ok"}'), 3);
    for (const path of ["/", "/mcp", "/ui/api/status"])
      assert.equal((await fetch(`http://127.0.0.1:${metrics_port}${path}`)).status, 404, path);
    const rebound = await fetch(`http://127.0.0.1:${metrics_port}/metrics`, { headers: { host: "evil.test" } });
    assert.equal(rebound.status, 403);
  });
});

test("management API: state, try it, restart, stop and the log of a server", () =>
  withGateway(
    { ...none, auth, backends: { raw: rawBackend(), sick: rawBackend("--exit-at-start") } },
    async (gateway) => {
      const called = await send(gateway, "POST", "/ui/api/tools/call", {
        server: "raw",
        tool: "echo",
        arguments: { text: "hi" },
      });
      assert.deepEqual(called.body["result"], { content: [{ type: "text", text: "hi" }] });
      const { request_id } = called.body as { request_id: string };
      const { calls } = await get<{ calls: Json[] }>(gateway, "/ui/api/calls");
      assert.ok(
        calls.some((call) => call["request_id"] === request_id && call["tool"] === "echo" && call["kind"] === "ok"),
      );

      const failed = await send(gateway, "POST", "/ui/api/tools/call", { server: "sick", tool: "x" });
      assert.equal(failed.status, 502);
      const sick = await get<{ log: { text: string }[]; last_error: string }>(gateway, "/ui/api/backends/sick");
      assert.match(sick.last_error, /no API key given/);
      assert.ok(
        sick.log.some(({ text }) => text === "fatal: no API key given"),
        "its stderr is shown",
      );
      const revived = await send(gateway, "POST", "/ui/api/backends/sick/revive");
      assert.equal(revived.body["status"], "not_revived");

      const pidOf = async () => (await get(gateway, "/ui/api/backends/raw"))["pid"];
      const before = await pidOf();
      assert.equal((await send(gateway, "POST", "/ui/api/backends/raw/revive")).body["status"], "revived");
      const after = await pidOf();
      assert.ok(typeof after === "number" && after !== before);
      await send(gateway, "POST", "/ui/api/backends/raw/stop");
      assert.equal(await pidOf(), null);
      const again = await send(gateway, "POST", "/ui/api/tools/call", {
        server: "raw",
        tool: "echo",
        arguments: { text: "on" },
      });
      assert.equal(again.status, 200, "the next call starts it");
    },
  ));

test("management API: a call that runs is seen, and ends with who asked for it", () =>
  withGateway({ ...none, backends: { raw: rawBackend() } }, async (gateway) => {
    const leaving = new AbortController();
    const asked = fetch(`${gateway.url}/ui/api/tools/call`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ server: "raw", tool: "silent" }),
      signal: leaving.signal,
    }).catch((error: unknown) => error);
    const running = () => get<{ running: { tool: string }[] }>(gateway, "/ui/api/calls");
    await eventually(running, (found) => found.running.some(({ tool }) => tool === "silent"));
    leaving.abort();
    await asked;
    await eventually(running, (found) => found.running.length === 0);
    const { calls } = await get<{ calls: Json[] }>(gateway, "/ui/api/calls");
    assert.equal(calls.at(-1)?.["kind"], "cancelled");
  }));

test("management API: the file is changed with its comments kept, and is in force when the answer comes", () =>
  withGateway({ ...none, auth }, async (gateway) => {
    const settings = Object.entries(JSON.parse(readFileSync(gateway.configPath, "utf8")) as Json);
    const lines = settings.map(([section, value]) => `${section}: ${JSON.stringify(value)} # kept`);
    writeFileSync(gateway.configPath, `# about all of it\n${lines.join("\n")}\n`);
    const command = rawBackend().command.join(" ");
    const added = await send(gateway, "POST", "/ui/api/backends", { name: "fresh", command, description: "New" });
    assert.equal(added.status, 201);
    assert.deepEqual((added.body["reload"] as Json)["changes"], "added backends: [fresh]");
    assert.equal((await send(gateway, "POST", "/ui/api/backends", { name: "fresh", command })).status, 409);
    assert.equal((await send(gateway, "POST", "/ui/api/backends", { name: "a/b", command })).status, 422);
    assert.equal((await send(gateway, "POST", "/ui/api/backends", { name: "c", command, cwd: "/" })).status, 422);
    const used = await send(gateway, "POST", "/ui/api/tools/call", {
      server: "fresh",
      tool: "echo",
      arguments: { text: "1" },
    });
    assert.equal(used.status, 200);
    const off = await send(gateway, "PATCH", "/ui/api/backends/fresh", { enabled: false });
    assert.equal(off.body["changes"], "removed backends: [fresh]");
    assert.equal((await send(gateway, "POST", "/ui/api/tools/call", { server: "fresh", tool: "echo" })).status, 503);
    assert.equal((await send(gateway, "PATCH", "/ui/api/backends/fresh", { command: "evil" })).status, 422);
    assert.equal((await send(gateway, "DELETE", "/ui/api/backends/fresh")).status, 204);
    const { tools } = await get<{ tools: Json[] }>(gateway, "/ui/api/stats");
    assert.deepEqual([tools[0]?.["tool"], tools[0]?.["ok"]], ["echo", 1], "what was counted outlives every reload");
    assert.equal((await send(gateway, "POST", "/ui/api/reload")).body["changes"], "no changes detected");
    assert.ok(readFileSync(gateway.configPath, "utf8").startsWith(`# about all of it\n${lines[0]}`));
    writeFileSync(gateway.configPath, "backends: [");
    const broken = await send(gateway, "POST", "/ui/api/reload");
    assert.equal(broken.status, 422);
    assert.match(JSON.stringify(broken.body), /gateway\.yaml:1:/);
  }));

test("management API: a file that cannot be written is said so, and nothing changes", async () => {
  const gateway = await startGateway(
    { ...none, auth, backends: { raw: rawBackend() } },
    // No file may grow: what a full or read-only disk does, for every user.
    { command: ["/bin/sh", "-c", 'ulimit -f 0; trap "" XFSZ; exec "$@"', "sh", binaryPath] },
  );
  try {
    const before = readFileSync(gateway.configPath, "utf8");
    const off = await send(gateway, "PATCH", "/ui/api/backends/raw", { enabled: false });
    assert.equal(off.status, 503);
    assert.match(JSON.stringify(off.body), /cannot be written: EFBIG/);
    assert.equal(readFileSync(gateway.configPath, "utf8"), before);
    const used = { server: "raw", tool: "echo", arguments: { text: "still" } };
    assert.equal((await send(gateway, "POST", "/ui/api/tools/call", used)).status, 200);
  } finally {
    await gateway.stop("SIGKILL");
  }
});

test("stats: what was measured outlives the gateway, and the command shows it", async () => {
  const config = {
    ...none,
    auth: { enabled: true, bearer_token: "env:GATEWAY_TOKEN" },
    backends: { raw: rawBackend() },
  };
  const { folder } = await startAndCall(config);
  const state = join(folder, "state");
  const env = { GATEWAY_TOKEN: token, MCP_GATEWAY_CONFIG_DIR: state };
  await withGateway(
    config,
    async (gateway) => {
      const stats = await get<{ invocations: number; tools: Json[]; tokens: Json }>(gateway, "/ui/api/stats");
      assert.equal(stats.invocations, 5);
      assert.deepEqual([stats.tools[0]?.["tool"], stats.tools[0]?.["calls"]], ["echo", 5]);
      assert.equal(stats.tokens["sessions"], 1);
      const text = await run(gateway.folder, env, "stats", "--config", gateway.configPath, "-p", "3");
      assert.equal(text.code, 0, text.err);
      assert.match(text.out, /^Invocations +5$/m);
      assert.match(text.out, /^raw:echo +5 +0 %/m);
      assert.match(text.out, /at \$3 per million/);
      const json = await run(gateway.folder, {}, "stats", "--url", gateway.url, "--token", token, "--json");
      assert.equal((JSON.parse(json.out) as Json)["invocations"], 5);
      const stranger = await run(gateway.folder, {}, "stats", "--url", gateway.url);
      assert.equal(stranger.code, 1);
      assert.match(stranger.err, /401.*\n.*--token/);
      const gone = await run(gateway.folder, {}, "stats", "--url", "http://127.0.0.1:1");
      assert.deepEqual([gone.code, gone.err.startsWith("No answer from http://127.0.0.1:1")], [1, true]);
    },
    { env },
  );
  rmSync(folder, { recursive: true });

  async function startAndCall(first: object) {
    const gateway = await startGateway(first, { env: { GATEWAY_TOKEN: token } });
    const client = await httpClient(gateway, undefined, authorization);
    for (let count = 0; count < 5; count++) await client.invoke("raw", "echo", { text: "x" });
    gateway.child.kill("SIGTERM");
    await new Promise((resolve) => gateway.child.on("exit", resolve));
    return gateway;
  }
});

test("tokens: counts the tools of real servers with and without the gateway, and says what could not be asked", async () => {
  const backends = {
    everything: { command: ["node", serverScript("everything")] },
    memory: { command: ["node", serverScript("memory")] },
    sick: rawBackend("--exit-at-start"),
    off: { command: ["never"], enabled: false },
  };
  await withGateway({ ...none, backends }, async ({ folder, configPath }) => {
    const json = await run(folder, {}, "tokens", "--config", configPath, "--json");
    assert.equal(json.code, 1, "one backend could not be asked");
    const found = JSON.parse(json.out) as {
      direct_list: number;
      gateway_list: number;
      saved_per_session: number;
      search_mean: number;
      servers: { server: string; tools: number; tokens: number }[];
      failures: { server: string; reason: string }[];
    };
    assert.deepEqual(
      found.servers.map(({ server }) => server),
      ["everything", "memory"],
    );
    assert.equal(
      found.direct_list,
      found.servers.reduce((sum, { tokens }) => sum + tokens, 0),
    );
    assert.ok(found.direct_list > 2_000 && found.gateway_list < 400 && found.search_mean > 50, json.out);
    assert.equal(found.saved_per_session, found.direct_list - found.gateway_list);
    assert.match(found.failures[0]?.reason ?? "", /no API key given/);
    const text = await run(folder, {}, "tokens", "--config", configPath);
    assert.match(text.out, /^All tools, listed directly +\d+ +[\d,]+$/m);
    assert.match(text.err, /"sick" is not in it/);
  });
});

test("/dashboard: a page without a script, escaped, for whoever has a token", () =>
  withGateway({ ...none, auth, backends: { raw: { ...rawBackend(), description: "<b>" } } }, async (gateway) => {
    assert.equal((await fetch(`${gateway.url}/dashboard`)).status, 401);
    const response = await fetch(`${gateway.url}/dashboard`, { headers: authorization });
    const html = await response.text();
    assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.match(html, /<td>raw<\/td><td>not_started<\/td><td>closed<\/td>/);
    assert.ok(!html.includes("<script"));
  }));
