/** Skills on the executable: imported while it serves, read and verified by the SDK's own host of skills, in both eras. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from "@modelcontextprotocol/client";
import { SkillsClient } from "@modelcontextprotocol/client/ext/skills";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport as LegacyTransport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { memorySkillFiles, SkillCatalog } from "@modelcontextprotocol/server/ext/skills";
import { until } from "../fixtures/processes.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { binaryPath, environmentIn, type GatewayProcess, root, startGateway } from "./harness.ts";

let gateway: GatewayProcess;
before(async () => {
  gateway = await startGateway({
    capabilities: { enabled: false },
    backends: { clash: { command: scriptArgv("stdio-backend.mjs", "--resources", "--resource=skill://pdf/SKILL.md") } },
  });
});
after(() => gateway?.stop());

const text = (name: string, body: string) =>
  `---\r\nname: ${name}\r\ndescription: 'Fills forms, with "quotes"'\r\nmetadata: {version: "1.0", author: acme}\r\n---\r\n${body}\r\n`;

function mcpGateway(folder: string, ...args: string[]) {
  return spawnSync(binaryPath, args, { cwd: folder, env: environmentIn(folder), encoding: "utf8" });
}

function importSkill(name: string, body: string, folder = gateway.folder): void {
  mkdirSync(join(folder, name, "references"), { recursive: true });
  writeFileSync(join(folder, name, "SKILL.md"), text(name, body));
  writeFileSync(join(folder, name, "references", "more.md"), `More of ${name}`);
  const { status, stderr } = mcpGateway(folder, "skills", "import", name);
  assert.equal(status, 0, stderr);
}

/** As `until`, for what has to be asked for. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, `It did not come true: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function modernClient(path = "/mcp", url = gateway.url) {
  const client = new ModernClient(
    { name: "e2e", version: "1" },
    { capabilities: {}, versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  await client.connect(new ModernHttp(new URL(`${url}${path}`)));
  return client;
}

async function legacyClient() {
  const client = new LegacyClient({ name: "e2e", version: "1" });
  const heard: string[] = [];
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void heard.push("list"));
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
  await client.connect(new LegacyHttp(new URL(`${gateway.url}/mcp`)) as LegacyTransport);
  return { client, heard };
}

test("a skill is there for clients of both eras as soon as it is imported, and gone when it is removed", async () => {
  const { client, heard } = await legacyClient();
  const uris = async () => (await client.listResources()).resources.map(({ uri }) => uri);
  const before = await uris();
  assert.ok(before.includes("skill://pdf/SKILL.md"));
  heard.length = 0;
  importSkill("pdf", "Body");
  // Of the backend, too, it hears that there is something new.
  await eventually(async () => heard.includes("list") && (await uris()).includes("gw+clash:skill://pdf/SKILL.md"));
  assert.ok((await uris()).includes("skill://pdf/SKILL.md"));
  const { contents } = await client.readResource({ uri: "skill://pdf/SKILL.md" });
  assert.equal((contents[0] as { text: string }).text, text("pdf", "Body"));

  await client.subscribeResource({ uri: "skill://pdf/SKILL.md" });
  importSkill("pdf", "Another body");
  await until(() => heard.includes("skill://pdf/SKILL.md"));
  const [read] = (await client.readResource({ uri: "skill://pdf/SKILL.md" })).contents as { text: string }[];
  assert.equal(read?.text, text("pdf", "Another body"));

  const modern = await modernClient();
  assert.ok((await modern.listResources()).resources.some(({ uri }) => uri === "skill://pdf/SKILL.md"));
  heard.length = 0;
  assert.equal(mcpGateway(gateway.folder, "skills", "remove", "pdf").status, 0);
  await until(() => heard.includes("list"));
  assert.equal((await uris()).includes("gw+clash:skill://pdf/SKILL.md"), false);
  await Promise.all([client.close(), modern.close()]);
});

test("the SDK's host of skills lists, gets, reads and verifies them", async () => {
  mcpGateway(gateway.folder, "skills", "generate", "--server", "uuid_", "--out-dir", gateway.folder);
  const bundle = join(gateway.folder, "mcp-gateway-utility");
  writeFileSync(join(bundle, "notes.md"), "Grüße");
  assert.equal(mcpGateway(gateway.folder, "skills", "import", bundle).status, 0);
  importSkill("forms", "# Forms");
  const client = await modernClient();
  const skills = new SkillsClient(client);
  assert.deepEqual([skills.supported, skills.directoryRead], [true, true]);
  const listed = async () => (await skills.list()).skills.map(({ uri }) => uri);
  await eventually(
    async () => (await listed()).join() === "skill://forms/SKILL.md,skill://mcp-gateway-utility/SKILL.md",
  );
  const { skills: entries, invalid } = await skills.list();
  assert.deepEqual(invalid, []);
  assert.deepEqual(entries[0]?.frontmatter, {
    name: "forms",
    description: 'Fills forms, with "quotes"',
    metadata: { version: "1.0", author: "acme" },
  });
  for (const entry of entries) {
    const got = await skills.get(entry.uri);
    assert.deepEqual(got.skill, entry);
    for (const { uri } of entry.resources as { uri: string }[])
      assert.equal((await skills.read(entry, uri)).verified, true);
  }
  const { resources } = await skills.readDirectory("skill://mcp-gateway-utility");
  assert.deepEqual(
    resources.map(({ name }) => name),
    ["mcp-gateway-utility", "notes.md"],
  );
  await assert.rejects(skills.get("skill://none/SKILL.md"), /No skill is served at skill:\/\/none/);
  const found = await client.callTool({ name: "gateway_search_tools", arguments: { query: "fill forms" } });
  const { skills: told } = found.structuredContent as { skills: { name: string; uri: string }[] };
  assert.deepEqual(told[0], {
    name: "forms",
    description: 'Fills forms, with "quotes"',
    uri: "skill://forms/SKILL.md",
  });
  await client.close();
});

test("skills of a backend that speaks of them itself come along, verified to the byte", async (t) => {
  const catalog = await SkillCatalog.load(
    memorySkillFiles({
      "theirs/SKILL.md": "---\nname: theirs\ndescription: Of a backend\n---\nHi\n",
      "theirs/references/a.md": "a",
    }),
  );
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "skilled", version: "1" });
    server.registerTool("hello", {}, () => ({ content: [] }));
    catalog.attach(server);
    return server;
  });
  const served = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: (request) => handler.fetch(request),
  });
  t.after(() => served.stop(true));
  const skilled = await startGateway({
    capabilities: { enabled: false },
    meta_mcp: { warm_start: ["skilled"] },
    backends: { skilled: { http_url: `http://127.0.0.1:${served.port}/mcp` } },
  });
  t.after(() => skilled.stop());
  for (const path of ["/mcp", "/mcp/skilled"]) {
    const client = await modernClient(path, skilled.url);
    await client.listTools();
    await client.listResources();
    const skills = new SkillsClient(client);
    const { skills: entries } = await skills.list();
    assert.deepEqual(
      entries.map(({ uri }) => uri),
      ["skill://theirs/SKILL.md"],
      path,
    );
    assert.equal((await skills.read(entries[0]!)).body, "Hi\n");
    assert.deepEqual((await skills.get("skill://theirs/SKILL.md")).skill, entries[0]);
    await client.close();
  }

  // What the official suite says of theirs, and of ours before them, in either era.
  const suite = join(root, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js");
  const suiteFinds = async (revision: string, part: string) => {
    const scenario = ["--scenario", `sep-2640-skills-${part}`, "--spec-version", revision, "--force"];
    const args = [suite, "server", "--url", `${skilled.url}/mcp`, ...scenario];
    return (await promisify(execFile)(process.execPath, args)).stdout;
  };
  const assertConformance = async () => {
    for (const revision of ["2025-11-25", "2026-07-28"])
      for (const part of ["enumeration", "manifest", "directory"])
        assert.match(
          await suiteFinds(revision, part),
          /Passed: (\d+)\/\1, 0 failed, 0 warnings/,
          `${part} ${revision}`,
        );
  };
  await assertConformance();
  const client = await modernClient("/mcp", skilled.url);
  importSkill("ours", "Body", skilled.folder);
  await eventually(async () => (await new SkillsClient(client).list()).skills.length === 2);
  await client.close();
  await assertConformance();
});

test("skills are switched off and on by a reload", async () => {
  const { client, heard } = await legacyClient();
  const config = JSON.parse(readFileSync(gateway.configPath, "utf8"));
  const has = async () => (await client.listResources()).resources.some(({ uri }) => uri === "skill://forms/SKILL.md");
  assert.equal(await has(), true);
  writeFileSync(gateway.configPath, JSON.stringify({ ...config, skills: { enabled: false } }));
  await until(() => heard.includes("list"));
  assert.equal(await has(), false);
  heard.length = 0;
  writeFileSync(gateway.configPath, JSON.stringify(config));
  await until(() => heard.includes("list"));
  assert.equal(await has(), true);
  await client.close();
});
