/** From a machine with AI clients to a gateway that has their servers and clients that have the gateway, by the executable alone. */
import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { binaryPath, endedWithTests, environmentIn, freePort, root, serverScript } from "./harness.ts";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function emptyHome(t: TestContext) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "mcp-gateway-home-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    write(path: string, content: string) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    },
    read: (path: string) => readFileSync(join(folder, path), "utf8"),
    async run(...args: string[]): Promise<Outcome> {
      const options = { cwd: folder, env: environmentIn(folder), timeout: 60_000 };
      return promisify(execFile)(binaryPath, args, options).then(
        ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
        (error: { code: number; stdout: string; stderr: string }) => ({
          code: error.code,
          out: error.stdout,
          err: error.stderr,
        }),
      );
    },
  };
}

test("wizard, export, doctor: the servers of a client are behind the gateway, and a client's new entry leads to them", async (t) => {
  const { folder, write, read, run } = emptyHome(t);
  const port = await freePort();
  const notes = join(folder, "my notes");
  mkdirSync(notes);
  writeFileSync(join(notes, "a.txt"), "found it");
  write("gateway.yaml", `# mine\nserver: {port: ${port}}\n`);
  write(
    ".config/Claude/claude_desktop_config.json",
    JSON.stringify({
      mcpServers: {
        files: { command: process.execPath, args: [serverScript("filesystem"), notes] },
        memory: {
          command: process.execPath,
          args: [serverScript("memory")],
          env: { MEMORY_FILE_PATH: join(folder, "m.json"), MEMORY_TOKEN: "tok_0123456789abcdef0123" },
        },
      },
    }),
  );
  write(".cursor/mcp.json", '{\n\t// cursor\n\t"mcpServers": {}\n}\n');

  const wizard = await run("setup", "wizard", "--yes", "--no-processes");
  assert.deepEqual([wizard.code, wizard.err], [0, ""]);
  assert.match(
    wizard.out,
    /Added 'files' \(Claude Desktop\)\nAdded 'memory' \(Claude Desktop\)\nSecrets in gateway\.env: MEMORY_TOKEN\n/,
  );
  assert.ok(read("gateway.yaml").startsWith("# mine\n"));

  // Nothing listens: the entry starts a gateway of its own.
  const exported = await run("setup", "export", "-t", "cursor");
  assert.match(exported.out, /Exported to 1 client\(s\) \(stdio mode\)\.\n$/);
  const { gateway } = (
    JSON.parse(read(".cursor/mcp.json").replace("// cursor", "")) as {
      mcpServers: { gateway: { command: string; args: string[] } };
    }
  ).mcpServers;
  const client = new Client({ name: "cursor", version: "1" });
  await client.connect(
    new StdioClientTransport({ ...gateway, env: environmentIn(folder), cwd: folder, stderr: "ignore" }),
  );
  const args = { server: "files", tool: "read_text_file", arguments: { path: join(notes, "a.txt") } };
  const result = await client.callTool({ name: "gateway_invoke", arguments: args });
  assert.deepEqual(result.content, [{ type: "text", text: "found it" }]);
  await client.close();

  const served = endedWithTests(
    spawn(binaryPath, ["serve"], { cwd: folder, env: environmentIn(folder), stdio: ["ignore", "ignore", "pipe"] }),
  );
  for await (const chunk of served.stderr.setEncoding("utf8")) if (/is ready/.test(String(chunk))) break;
  const proxied = await run("setup", "export", "-t", "claude-code");
  assert.match(proxied.out, /Exported to 1 client\(s\) \(proxy mode\)\.\n$/);
  const doctor = await run("doctor", "--json");
  const { checks, summary } = JSON.parse(doctor.out) as { checks: { id: string; status: string }[]; summary: object };
  served.kill();
  const status = Object.fromEntries(checks.map((check) => [check.id, check.status]));
  assert.deepEqual(
    [doctor.code, summary],
    [0, { pass: checks.length, warn: 0, fail: 0, total: checks.length }],
    doctor.out,
  );
  for (const id of [
    "runtime",
    "mcp_handshake",
    "tool_list",
    "backend_stdio.files",
    "client_config.cursor",
    "client_config.claude-code",
    "shadow_radar",
  ])
    assert.equal(status[id], "pass", id);
});

test("setup export --watch: follows the port of the configuration until it is told to stop", async (t) => {
  const { folder, write, read } = emptyHome(t);
  write("gateway.yaml", "server: {port: 4001}\n");
  const watching = endedWithTests(
    spawn(binaryPath, ["setup", "export", "-t", "claude-code", "-m", "proxy", "--watch"], {
      cwd: folder,
      env: environmentIn(folder),
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  const lines = watching.stdout.setEncoding("utf8")[Symbol.asyncIterator]();
  assert.match(String((await lines.next()).value), /^Created \.claude\.json/);
  assert.match(read(".claude.json"), /127\.0\.0\.1:4001/);
  for await (const chunk of watching.stderr.setEncoding("utf8")) if (/Following/.test(String(chunk))) break;
  write("gateway.yaml", "server: {port: 4002}\n");
  assert.match(String((await lines.next()).value), /^Updated \.claude\.json/);
  assert.match(read(".claude.json"), /127\.0\.0\.1:4002/);
  const ended = new Promise((resolve) => watching.on("exit", resolve));
  watching.kill("SIGTERM");
  assert.equal(await ended, 0);
});

const original = `{\n  "mcpServers": {},\n  "kept": ${JSON.stringify("x".repeat(4_000))}\n}\n`;
const exportCursor = ["setup", "export", "-t", "cursor", "-m", "proxy"];

test("setup export: a disk that is full leaves the file and nothing else", (t) => {
  const { folder, write, read } = emptyHome(t);
  write(".cursor/mcp.json", original);
  const command = `trap '' XFSZ; ulimit -f 1; exec "$@"`;
  const options = { cwd: folder, env: environmentIn(folder), encoding: "utf8" } as const;
  const { status, stdout } = spawnSync("/bin/sh", ["-c", command, "sh", binaryPath, ...exportCursor], options);
  assert.equal(status, 1);
  assert.match(stdout, /^FAILED Cursor: .*EFBIG.*; the file is as it was\n/);
  assert.equal(read(".cursor/mcp.json"), original);
  assert.deepEqual(readdirSync(join(folder, ".cursor")), ["mcp.json"]);
});

test("setup export: a directory that is not ours leaves the file and nothing else", (t) => {
  const { folder, write, read } = emptyHome(t);
  write(".cursor/mcp.json", original);
  // Root may write everywhere, so somebody else has to try.
  const isRoot = process.getuid?.() === 0;
  chmodSync(folder, 0o755);
  chmodSync(join(folder, ".cursor"), 0o555);
  if (isRoot) chownSync(folder, 65_534, 65_534);
  const isOutOfReach = isRoot && spawnSync(binaryPath, ["--version"], { uid: 65_534, gid: 65_534 }).status !== 0;
  if (isOutOfReach) return t.skip(`no other user may run ${root}`);
  const options = {
    cwd: folder,
    env: environmentIn(folder),
    encoding: "utf8",
    ...(isRoot && { uid: 65_534, gid: 65_534 }),
  } as const;
  const { status, stdout } = spawnSync(binaryPath, exportCursor, options);
  chmodSync(join(folder, ".cursor"), 0o755);
  assert.equal(status, 1);
  assert.match(stdout, /^FAILED Cursor: .*EACCES.*; the file is as it was\n/);
  assert.equal(read(".cursor/mcp.json"), original);
  assert.deepEqual(readdirSync(join(folder, ".cursor")), ["mcp.json"]);
});
