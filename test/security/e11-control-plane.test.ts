/** The control plane at the executable: roles, decisions that are kept with their reasons, and what a SIEM is given. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { binaryPath, environmentIn, type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { startTokenIssuer, type TokenIssuer } from "../fixtures/token-issuer.ts";
import { backendCommand, HttpClient, type Loose } from "./clients.ts";

const canary = "canary-argument-4711";
const apiKey = "s3cret-key-of-the-app";
const schema = { type: "object", properties: { a: { type: "number" } } };
const add = { name: "add", description: "Adds two numbers", inputSchema: schema };
const changedAdd = { ...add, description: "Adds two numbers, and more than that" };
const echo = { name: "echo", description: "Gives back the token", inputSchema: schema };

let provider: TokenIssuer;
before(async () => {
  provider = await startTokenIssuer();
});
after(() => provider.close());

const exported = { enabled: true, sink_path: "siem.ndjson", poll_interval_secs: 1 };

function config(more: object = {}, exporting: object = exported): object {
  const roles = ["viewer", "operator"].map((role) => ({ issuer: provider.issuer, group: `${role}s`, role }));
  const issuer = { issuer: provider.issuer, audiences: ["client-1"], rules: [{ backends: ["*"] }] };
  return {
    capabilities: { enabled: false },
    meta_mcp: { cache_ttl: "0s" },
    auth: { enabled: true, bearer_token: "the-operator", api_keys: [{ key: apiKey, name: "app" }], issuers: [issuer] },
    control_plane: { role_mapping: { rules: roles }, export: exporting },
    security: { transparency_log: { enabled: true, path: "record.jsonl" } },
    backends: {
      calc: { command: backendCommand("--offer-file=calc.json") },
      web: { command: backendCommand(`--offer=${JSON.stringify({ tools: [echo] })}`) },
    },
    ...more,
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const tokenOf = (group: string) => provider.sign({ groups: [group] });

interface House {
  readonly gateway: GatewayProcess;
  offer(tools: readonly object[]): void;
  ask(path: string, token: string, body?: object, method?: string): Promise<{ status: number; body: Loose }>;
  events(): Loose[];
}

function houseOf(gateway: GatewayProcess): House {
  const sink = join(gateway.folder, "siem.ndjson");
  return {
    gateway,
    offer(tools) {
      const path = join(gateway.folder, "calc.json");
      writeFileSync(`${path}.new`, JSON.stringify({ tools }));
      renameSync(`${path}.new`, path);
    },
    async ask(path, token, body, method = body === undefined ? "GET" : "POST") {
      const headers = { ...bearer(token), "content-type": "application/json" };
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`${gateway.url}${path}`, { method, headers, ...content });
      const text = await response.text();
      return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
    },
    events: () =>
      existsSync(sink)
        ? readFileSync(sink, "utf8")
            .split("\n")
            .slice(0, -1)
            .map((line) => JSON.parse(line))
        : [],
  };
}

async function setting(t: TestContext, more: object = {}, exporting: object = exported): Promise<House> {
  const gateway = await startGateway(config(more, exporting));
  t.after(() => gateway.stop());
  const house = houseOf(gateway);
  house.offer([add]);
  return house;
}

/** Changes the definition of `add`, and asks until that is seen. */
async function quarantine(house: House): Promise<Loose> {
  const one = await HttpClient.open(`${house.gateway.url}/mcp/calc`, bearer("the-operator"));
  await one.request("tools/list");
  house.offer([changedAdd]);
  const queue = async () => (await house.ask("/ui/api/control-plane", "the-operator")).body.decision_queue;
  const deadline = performance.now() + 10_000;
  while ((await queue()).length === 0) {
    assert.ok(performance.now() < deadline, "The change was not seen within 10 s");
    await one.request("tools/list");
  }
  return (await queue())[0];
}

test("E11: viewers look, operators decide with a reason, and everybody reads in the journal who did what and why", async (t) => {
  const house = await setting(t);
  const { gateway, ask } = house;
  const [viewer, operator] = [await tokenOf("viewers"), await tokenOf("operators")];
  const held = await quarantine(house);
  assert.match(held.target_id, /^calc:add@[0-9a-f]{64}$/);
  const decision = { target_kind: "tool", target_id: held.target_id, decision: "deny", reason: "who changed that?" };
  const decisions = "/ui/api/control-plane/decisions";
  const refused = await ask(decisions, viewer, decision);
  assert.deepEqual(
    [refused.status, refused.body.error?.message],
    [403, 'This needs the role "operator" or admin rights'],
  );
  assert.equal((await ask(decisions, operator, { ...decision, reason: "" })).body.reason_code, "reason_required");
  assert.deepEqual((await ask(decisions, operator, decision)).body.ok, true);
  const seen = (await ask("/ui/api/control-plane", viewer)).body;
  assert.deepEqual([seen.actor.role, seen.mutation_enabled, seen.export_configured], ["viewer", false, true]);
  assert.equal(seen.decision_queue[0].denied.reason, "who changed that?");
  const client = await HttpClient.open(`${gateway.url}/mcp`, bearer("the-operator"));
  const codeOf = async () =>
    (await client.invoke("calc", "add", { a: 1 })).message.result?._meta?.["mcp-gateway/error"]?.code;
  assert.equal(await codeOf(), "TOOL_QUARANTINED", "what is denied stays refused");
  assert.equal((await ask(decisions, operator, { ...decision, decision: "approve", reason: "we did" })).body.ok, true);
  assert.equal(await codeOf(), undefined);
  assert.equal((await ask(decisions, operator, { ...decision, decision: "approve", reason: "again" })).status, 404);

  const server = { target_kind: "server", target_id: "web", reason: "it is too loud", rollback: "approve it" };
  assert.equal((await ask(decisions, operator, { ...server, decision: "deny" })).body.ok, true);
  const killed = await client.invoke("web", "echo", {});
  assert.equal(killed.message.result._meta["mcp-gateway/error"].code, "SERVER_DISABLED");
  await client.tool("gateway_revive_server", { server: "web" });
  assert.equal((await client.invoke("web", "echo", {})).message.result.isError, undefined);
  for (const [method, path] of [
    ["POST", "/ui/api/backends"],
    ["DELETE", "/ui/api/backends/web"],
  ] as const)
    assert.equal((await ask(path, operator, {}, method)).status, 403);

  const journal = (await ask("/ui/api/control-plane", viewer)).body.journal;
  const told = journal.map(({ action, by, reason }: Loose) => [action, by?.name ?? null, by?.role ?? null, reason]);
  const expected = [
    ["tool-quarantined", null, null, null],
    ["tool-denied", "ada", "operator", "who changed that?"],
    ["tool-approved", "ada", "operator", "we did"],
    ["server-killed", "ada", "operator", "it is too loud"],
    ["server-revived", "bearer", "admin", null],
  ];
  assert.deepEqual(told, expected);
  const state = join(gateway.folder, "state", "control-plane.jsonl");
  const copy = readFileSync(state, "utf8");
  assert.equal(copy.split("\n").length, expected.length + 1);
});

test("E9: a SIEM learns of refusals, strangers, findings, decisions and reloads, and of no content or secret", async (t) => {
  const house = await setting(t);
  const { gateway, ask, events } = house;
  const client = await HttpClient.open(`${gateway.url}/mcp`, bearer(apiKey));
  await client.invoke("web", "echo", { token: canary });
  await client.invoke("web", "echo", { token: `${canary}; rm -rf /` });
  await ask("/ui/api/status", "a-wrong-token-4711");
  await ask("/ui/api/reload", apiKey, {});
  await ask("/ui/api/backends/web/kill", "the-operator", {});
  const file = JSON.parse(readFileSync(gateway.configPath, "utf8"));
  writeFileSync(gateway.configPath, JSON.stringify({ ...file, meta_mcp: { cache_ttl: "5s" } }));
  await ask("/ui/api/reload", "the-operator", {});
  const has = (action: string) => events().some(({ event }) => event.action === action);
  const wanted = ["call", "call-denied", "firewall-finding", "authentication-failed", "operation-denied"];
  await until(() => [...wanted, "server-killed", "configuration-reloaded"].every(has));
  const of = (action: string) => events().find(({ event }) => event.action === action);
  assert.deepEqual(
    [of("call").user.name, of("call").mcp_gateway.tool, of("call").event.outcome],
    ["app", "echo", "success"],
  );
  assert.equal(of("firewall-finding").event.code, "block");
  assert.match(of("authentication-failed").source.ip, /127\.0\.0\.1|::1/);
  assert.match(of("operation-denied").message, /^POST \/ui\/api\/reload: This needs the role/);
  assert.deepEqual(of("server-killed").user.roles, ["admin"]);
  const status = (await ask("/ui/api/control-plane/export-status", "the-operator")).body;
  assert.deepEqual([status.configured, status.failing], [true, false]);
  assert.ok(status.sources.calls.written >= 2 && status.sources.access.written >= 2, JSON.stringify(status));
  const metrics = await (await fetch(`${gateway.url}/metrics`, { headers: bearer("the-operator") })).text();
  assert.match(metrics, /^siem_export_lag_entries\{source="control_plane"\} 0$/m);
  const text = readFileSync(join(gateway.folder, "siem.ndjson"), "utf8");
  for (const hidden of [canary, apiKey, "the-operator", "a-wrong-token-4711", client.sessionId])
    assert.ok(!text.includes(hidden), hidden);
});

test("F21: while the export cannot be written calls go on, /health says so, and a reload to a good place mends it", async (t) => {
  const bad = { ...exported, sink_path: "/dev/full" };
  const house = await setting(t, {}, bad);
  const { gateway, ask, events } = house;
  const client = await HttpClient.open(`${gateway.url}/mcp`, bearer("the-operator"));
  for (let count = 0; count < 20; count++) await client.invoke("web", "echo", {});
  const degraded = async () => (await ask("/health", "the-operator")).body.degraded.join();
  const deadline = performance.now() + 15_000;
  while (!/Events for the SIEM cannot be saved: .*ENOSPC/.test(await degraded()))
    assert.ok(performance.now() < deadline, await degraded());
  assert.equal((await client.invoke("web", "echo", {})).message.result.isError, undefined);
  const status = (await ask("/ui/api/control-plane/export-status", "the-operator")).body;
  assert.equal(status.failing, true);
  assert.ok(status.sources.calls.lag >= 20);
  const file = JSON.parse(readFileSync(gateway.configPath, "utf8"));
  file.control_plane.export = exported;
  writeFileSync(gateway.configPath, JSON.stringify(file));
  await ask("/ui/api/reload", "the-operator", {});
  await until(() => events().length >= 20);
  assert.doesNotMatch(await degraded(), /SIEM/);
});

test("E11: the command line's approval is in the journal too, and what is left of a run is there in the next", async (t) => {
  const house = await setting(t);
  await quarantine(house);
  const { gateway } = house;
  const env = environmentIn(gateway.folder);
  // It reads what is held from the disk, where that is a moment later.
  await until(() => spawnSync(binaryPath, ["quarantine", "approve", "calc:add"], { env }).status === 0);
  const journal = async () => (await house.ask("/ui/api/control-plane", "the-operator")).body.journal;
  const deadline = performance.now() + 10_000;
  while ((await journal()).length < 2) assert.ok(performance.now() < deadline);
  assert.deepEqual(
    (await journal()).map(({ number, action, by }: Loose) => [number, action, by]),
    [
      [1, "tool-quarantined", null],
      [2, "tool-approved", null],
    ],
  );
  // Killed, not stopped: what is on the disk is what is left.
  const onDisk = () => readFileSync(join(gateway.folder, "state", "control-plane.jsonl"), "utf8");
  await until(() => onDisk().split("\n").length > 2);
  const dead = new Promise((resolve) => gateway.child.on("exit", resolve));
  gateway.child.kill("SIGKILL");
  await dead;
  const env2 = { MCP_GATEWAY_CONFIG_DIR: join(gateway.folder, "state") };
  const second = await startGateway(config(), { env: env2 });
  t.after(() => second.stop());
  const { body } = await houseOf(second).ask("/ui/api/control-plane", "the-operator");
  assert.deepEqual(
    body.journal.map(({ action }: Loose) => action),
    ["tool-quarantined", "tool-approved"],
  );
});
