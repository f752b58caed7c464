/** The npm package as a library, packed by npm, in programs for Bun and for Deno that have nothing else. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeNpmPackages } from "../../deploy/npm-packages.ts";
import packageJson from "../../package.json" with { type: "json" };
import { isAlive, until } from "../fixtures/processes.ts";
import { root } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-library-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const backend = join(root, "test", "fixtures", "stdio-backend.mjs");
const program = `
import { createGateway, type EmbeddedGateway, type ToolResult } from "mcp-gateway";

const config = {
  capabilities: { enabled: false },
  code_mode: { enabled: true },
  backends: { one: { command: ["node", ${JSON.stringify(backend)}], description: "The one" } },
};
const one: EmbeddedGateway = await createGateway({ config });
const two = await createGateway({ config: { ...config, backends: { two: config.backends.one } } });

const [found] = await one.searchTools("echo");
const echoed: ToolResult = await one.callTool("one", "echo", { text: "called" });
const pid = (await one.callTool("one", "pid")).content[0]?.text;
const unknown = await one.callTool("none", "echo").catch((error: Error) => error.name);
const invalid = await createGateway({ config: { server: { port: "x" } } }).catch((error: Error) => error.message);

const { url } = await one.listen({ port: 0 });
const post = async (body: object, session?: string) => {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  return fetch(url + "/mcp", {
    method: "POST",
    headers: session === undefined ? headers : { ...headers, "mcp-session-id": session },
    body: JSON.stringify({ jsonrpc: "2.0", ...body }),
  });
};
const opened = await post({
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
});
await opened.text();
const session = opened.headers.get("mcp-session-id") ?? "";
const script = "return await tools.one.echo({ text: 'from the sandbox' });";
const run = await post({ id: 2, method: "tools/call", params: { name: "gateway_execute", arguments: { script } } }, session);
const sandboxed = (await run.text()).includes("from the sandbox");

const shown = (await two.fetch(new Request("http://localhost/health", { headers: { host: "localhost" } }))).status;
const changed = await two.reload(config);
await one.close();
const closed = await one.callTool("one", "echo").catch((error: Error & { code?: string }) => error.code);
const still = (await two.callTool("one", "echo", { text: "still there" })).content[0]?.text;
await two.close();
const { children } = await import(String("./children.js"));
for (let wait = 0; wait < 100 && children().length > 0; wait++) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(JSON.stringify({
  children: children(), found: found?.name, echoed: echoed.content, pid: Number(pid), unknown, invalid, sandboxed, shown,
  changed: changed.changes, closed, still,
}));
`;

/** The processes that the program has started and that still run; Linux alone tells. Apart, because Deno would want types for it. */
const children = `
import { existsSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
const isChild = new RegExp("[)] [^Z] " + process.pid + " ");
export function children() {
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc").filter((name) => {
    try {
      return isChild.test(readFileSync("/proc/" + name + "/stat", "latin1"));
    } catch {
      return false;
    }
  });
}
`;

before(async () => {
  const packages = join(folder, "npm");
  await writeNpmPackages({ root, dist: folder, target: packages }, packageJson.version, new Set());
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: join(packages, "mcp-gateway"),
    encoding: "utf8",
    env: { ...process.env, npm_config_cache: join(folder, "cache"), npm_config_update_notifier: "false" },
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const target = join(folder, "app", "node_modules", "mcp-gateway");
  mkdirSync(target, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, filename), "--strip-components=1", "-C", target]);
  const manifest = { type: "module", dependencies: { "mcp-gateway": packageJson.version } };
  writeFileSync(join(folder, "app", "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "app", "program.ts"), program);
  writeFileSync(join(folder, "app", "children.js"), children);
});

for (const [runtime, command] of [
  ["Bun", [process.execPath, "program.ts"]],
  ["Deno", [join(root, "node_modules", ".bin", "deno"), "run", "-A", "--check", "program.ts"]],
] as const)
  test(`${runtime}: a program calls, searches, serves and reloads, prints nothing it did not print, and ends by itself`, async () => {
    const home = mkdtempSync(join(folder, "home-"));
    const [file, ...args] = command;
    const { status, stdout, stderr } = spawnSync(file as string, args, {
      cwd: join(folder, "app"),
      encoding: "utf8",
      timeout: 60_000,
      env: { PATH: process.env["PATH"] ?? "", HOME: home, DENO_DIR: join(folder, "deno"), NO_COLOR: "1" },
    });
    assert.equal(status, 0, stderr);
    assert.equal(stderr.replace(/^(?:Check|Download) .*\n/gm, ""), "");
    const { pid, ...said } = JSON.parse(stdout) as { pid: number };
    assert.deepEqual(said, {
      children: [],
      found: "echo",
      echoed: [{ type: "text", text: "called" }],
      unknown: "DeniedError",
      invalid: 'server.port must be a whole number from 0 to 65535, not "x"',
      sandboxed: true,
      shown: 200,
      changed: "added backends: [one]; removed backends: [two]",
      closed: "SHUTTING_DOWN",
      still: "still there",
    });
    await until(() => !isAlive(pid));
    assert.deepEqual(
      readdirSync(home).filter((name) => name !== ".bun"),
      [],
      "nothing is kept that nobody asked to keep",
    );
  });

test("Node: is told that this is no place for it", () => {
  const source = 'import { createGateway } from "mcp-gateway"; await createGateway({ config: {} });';
  const options = { cwd: join(folder, "app"), encoding: "utf8", timeout: 20_000 } as const;
  const { status, stderr } = spawnSync("node", ["--input-type=module", "-e", source], options);
  assert.equal(status, 1);
  assert.match(stderr, /^Error: mcp-gateway is a library for Bun and Deno$/m);
});
