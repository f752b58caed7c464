/** E10: grants by identity, on the executable: who has none sees nothing and calls nothing, and a change counts at once. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { binaryPath, environmentIn, type GatewayProcess, startGateway, writeConfig } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { backendCommand, HttpClient, initializeMessage, type Loose, post } from "./clients.ts";

const keys = { admin: "admin-key-1", ci: "ci-key-1", guest: "guest-key-1" };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const tool = (name: string) => ({ name, description: `To ${name} notes`, inputSchema: { type: "object" } });
const command = backendCommand(`--offer=${JSON.stringify({ tools: [tool("read_note"), tool("drop_note")] })}`);
const config = {
  capabilities: { enabled: false },
  meta_mcp: {
    surfaced_tools: [
      { server: "notes", tool: "read_note" },
      { server: "notes", tool: "drop_note" },
    ],
  },
  auth: {
    enabled: true,
    public_paths: ["/health", "/api/v1"],
    api_keys: Object.entries(keys).map(([name, key]) => ({ name, key, admin: name === "admin" })),
  },
  backends: { notes: { command }, other: { command } },
};
const ofCi = "grants:\n  - {subject: 'key:ci', servers: [notes], tools: ['read_*']}\n";
let gateway: GatewayProcess;
let grantsPath: string;

before(async () => {
  const { folder } = writeConfig({});
  grantsPath = join(folder, "grants.yaml");
  writeFileSync(grantsPath, ofCi);
  const security = { identity_grants: { enabled: true, path: grantsPath } };
  gateway = await startGateway({ ...config, security });
});
after(async () => {
  await gateway?.stop();
  rmSync(dirname(grantsPath), { recursive: true, force: true });
});

const open = (key: string, path = "/mcp") => HttpClient.open(`${gateway.url}${path}`, bearer(key));
const calls = async (key: string, name: string, server = "notes") =>
  (await (await open(key)).invoke(server, name)).body;
const refused = /NOT_GRANTED/;

test("E10: lists, search and calls hold only what was granted; admins need no grant", async () => {
  const admin = await open(keys.admin);
  // Its tools are known from here on.
  assert.match((await admin.tool("gateway_list_tools", { server: "notes" })).body, /drop_note/);
  assert.match((await admin.tool("gateway_list_servers")).body, /other/);
  assert.doesNotMatch((await admin.invoke("notes", "drop_note")).body, refused);

  const ci = await open(keys.ci);
  const servers = (await ci.tool("gateway_list_servers")).body;
  assert.match(servers, /notes/);
  assert.doesNotMatch(servers, /other/);
  for (const { body } of [
    await ci.request("tools/list"),
    await ci.tool("gateway_list_tools", { server: "notes" }),
    await ci.tool("gateway_search_tools", { query: "drop note" }),
    await (await open(keys.ci, "/mcp/notes")).request("tools/list"),
  ])
    assert.doesNotMatch(body, /drop_note/);
  assert.match((await ci.request("tools/list")).body, /read_note/);
  assert.doesNotMatch((await ci.invoke("notes", "read_note")).body, refused);
  // By the tool's own name, too.
  const direct = await (await open(keys.ci, "/mcp/notes")).tool("drop_note");
  assert.match(direct.body, refused);

  const guest = await open(keys.guest);
  assert.doesNotMatch((await guest.tool("gateway_list_servers")).body, /"notes"|"other"/);
  assert.doesNotMatch((await guest.tool("gateway_search_tools", { query: "note" })).body, /read_note/);
  const unknown = [await guest.invoke("notes", "read_note"), await guest.invoke("nothing", "read_note")];
  const [one, another] = unknown.map(({ body }) => body.replaceAll("nothing", "notes"));
  const withoutIds = (body = "") =>
    body.replace(/"id":\d+/, "").replace(/Request id: [\w-]+|"request_id":"[\w-]+"/g, "");
  assert.match(one ?? "", refused);
  assert.equal(withoutIds(one), withoutIds(another), "what exists is not told");
  for (const path of ["/mcp/notes", "/mcp/nothing"]) {
    const { status } = await post(`${gateway.url}${path}`, initializeMessage(), bearer(keys.guest));
    assert.equal(status, 404);
  }
});

test("E10: who comes without a token is told as little as without grants", async () => {
  const health = await (await fetch(`${gateway.url}/health`)).text();
  assert.match(health, /"all_healthy"/);
  assert.doesNotMatch(health, /uptime_secs|notes/);
  assert.equal((await fetch(`${gateway.url}/api/v1/backends`)).status, 401);
});

test("E10: a refusal has a code of its own and names the grant that is missing", async () => {
  const { body } = await (await open(keys.ci)).invoke("notes", "drop_note");
  assert.match(body, refused);
  assert.match(body, /with a line in grants\.yaml: - .*key:ci.*notes.*drop_note/);
  assert.equal(body.includes(grantsPath), false, "where the file is concerns no client");
});

test("E10: a changed file counts at once, for sessions that are open; a broken one changes nothing", async () => {
  const ci = await open(keys.ci);
  assert.match((await ci.invoke("notes", "drop_note")).body, refused);
  writeFileSync(grantsPath, `${ofCi}  - {subject: 'key:ci', servers: ['not*']}\n`);
  await until(async () => !refused.test((await ci.invoke("notes", "drop_note")).body));

  writeFileSync(grantsPath, "grants:\n  - {subject: 'key:ci', servers: [notes], tolls: [x]}\n");
  await until(() => /grants\.yaml:2:\d+ +grants\[0\]\.tolls is not a known setting/.test(gateway.stderr()));
  assert.doesNotMatch(await calls(keys.ci, "drop_note"), refused);
  rmSync(grantsPath);
  await until(() => /grants\.yaml:1:1 +The file of .* does not exist/.test(gateway.stderr()));
  assert.doesNotMatch(await calls(keys.ci, "drop_note"), refused);

  writeFileSync(grantsPath, `grants:\n  - {subject: 'key:ci', servers: [notes], expires_at: '2020-01-01'}\n`);
  await until(async () => !(await ci.tool("gateway_list_servers")).body.includes("notes"));
  assert.doesNotMatch(await calls(keys.admin, "drop_note"), refused);
  writeFileSync(grantsPath, ofCi);
  await until(async () => (await ci.tool("gateway_list_servers")).body.includes("notes"));
});

test("E10: what the command grants and revokes counts at once", async () => {
  const command = (...args: string[]) =>
    spawnSync(binaryPath, ["--config", gateway.configPath, "identity", "grants", ...args], {
      cwd: gateway.folder,
      env: environmentIn(gateway.folder),
      encoding: "utf8",
      timeout: 30_000,
    });
  const ci = await open(keys.ci);
  assert.match((await ci.invoke("notes", "drop_note")).body, refused);
  const what = ["--server", "notes", "--tool", "drop_*"];
  const given = command("grant", "--grant-id", "drops", "--subject", "key:ci", ...what, "--reason", "cleaning");
  assert.equal(given.status, 0, given.stderr);
  await until(async () => !refused.test((await ci.invoke("notes", "drop_note")).body));
  assert.match(
    command("list").stdout,
    /^- {2,}key:ci .*\ndrops {2,}key:ci {2,}notes {2,}drop_\* {2,}- {2,}cleaning\n$/m,
  );
  assert.match((await (await open(keys.guest)).invoke("notes", "drop_note")).body, refused);

  assert.equal(command("revoke", "--grant-id", "drops").status, 0);
  await until(async () => refused.test((await ci.invoke("notes", "drop_note")).body));
  assert.doesNotMatch((await ci.invoke("notes", "read_note")).body, refused);
  assert.equal(readFileSync(grantsPath, "utf8"), ofCi);
});

test("E10: with a broken file there is no start, or one that grants nothing", async () => {
  const { folder, configPath } = writeConfig({});
  try {
    mkdirSync(join(folder, "state"));
    writeFileSync(join(folder, "grants.yaml"), "grants: [{subject: 'key:ci'}]\n");
    const security = (more: object) => ({
      security: { identity_grants: { enabled: true, path: "grants.yaml", ...more } },
    });
    writeFileSync(configPath, JSON.stringify({ ...config, ...security({}) }));
    for (const args of [
      ["validate", configPath],
      ["serve", "--config", configPath],
    ]) {
      const options = { cwd: folder, env: environmentIn(folder), encoding: "utf8", timeout: 30_000 } as const;
      const { status, stdout, stderr } = spawnSync(binaryPath, args, options);
      assert.notEqual(status, 0);
      assert.match(`${stdout}${stderr}`, /grants\.yaml:1:10 +grants\[0\] needs "servers"/);
    }
    const path = join(folder, "grants.yaml");
    const lenient = await startGateway({ ...config, ...security({ path, fail_on_error: false }) });
    try {
      await lenient.logged(/The grants of identities cannot be used/);
      const ask = async (key: string) =>
        (await (await HttpClient.open(`${lenient.url}/mcp`, bearer(key))).tool("gateway_list_servers")).body as Loose;
      assert.doesNotMatch(await ask(keys.ci), /"notes"/);
      assert.match(await ask(keys.admin), /notes/);
      writeFileSync(path, ofCi);
      await until(async () => (await ask(keys.ci)).includes("notes"));
      writeFileSync(path, "grants: [");
      await until(() => (lenient.stderr().match(/The grants of identities cannot be used/g) ?? []).length > 1);
      assert.match(await ask(keys.ci), /notes/);
    } finally {
      await lenient.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
