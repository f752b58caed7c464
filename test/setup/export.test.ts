import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { readJsonc } from "../../src/lib/jsonc-document.ts";
import { clients } from "../../src/setup/clients.ts";
import { setCodexEntry } from "../../src/setup/codex-entry.ts";
import { applyChange, restoreBackup } from "../../src/setup/export-apply.ts";
import { type ClientEntry, type FileChange, planExport } from "../../src/setup/export-plan.ts";
import { gatewayEntry } from "../../src/setup/gateway-entry.ts";
import { type Home, home } from "./fixture.ts";

const client = (id: string) => clients.find((one) => one.id === id)!;
const entry: ClientEntry = { url: "http://127.0.0.1:39400/mcp" };

async function planned(at: Home, id: string, wanted: ClientEntry | undefined = entry): Promise<FileChange> {
  const plan = await planExport(client(id), at.machine, { name: "gateway", entryFor: () => wanted });
  assert.equal(plan.is, "change", JSON.stringify(plan));
  return (plan as { change: FileChange }).change;
}

const backupsOf = (path: string) => readdirSync(dirname(path)).filter((name) => name.includes(".bak."));

const realFiles: readonly (readonly [id: string, path: string, before: string, added: string])[] = [
  [
    "claude-desktop",
    ".config/Claude/claude_desktop_config.json",
    '{\n  "globalShortcut": "",\n  "mcpServers": {\n    "a": { "command": "a" }\n  }\n}\n',
    '{\n  "globalShortcut": "",\n  "mcpServers": {\n    "a": { "command": "a" },\n    "gateway": {\n      "url": "http://127.0.0.1:39400/mcp"\n    }\n  }\n}\n',
  ],
  [
    "vs-code-copilot",
    "project/.vscode/mcp.json",
    '\ufeff{\r\n\t// secrets\r\n\t"inputs": [],\r\n\t"servers": {\r\n\t}, // none\r\n}\r\n',
    '\ufeff{\r\n\t// secrets\r\n\t"inputs": [],\r\n\t"servers": {\r\n\t\t"gateway": {\r\n\t\t\t"url": "http://127.0.0.1:39400/mcp"\r\n\t\t}\r\n\t}, // none\r\n}\r\n',
  ],
  [
    "zed",
    ".config/zed/settings.json",
    '// Zed settings\n{\n  "theme": "One",\n  // "context_servers": {},\n  "vim_mode": true,\n}\n',
    '// Zed settings\n{\n  "theme": "One",\n  // "context_servers": {},\n  "vim_mode": true,\n  "context_servers": {\n    "gateway": {\n      "url": "http://127.0.0.1:39400/mcp"\n    }\n  },\n}\n',
  ],
  [
    "codex",
    ".codex/config.toml",
    '# mine\nmodel = "x"\n\n[mcp_servers.a]\ncommand = "a" # why\n',
    '# mine\nmodel = "x"\n\n[mcp_servers.a]\ncommand = "a" # why\n\n[mcp_servers.gateway]\nurl = "http://127.0.0.1:39400/mcp"\n',
  ],
  [
    "windsurf",
    ".codeium/windsurf/mcp_config.json",
    "",
    '{\n  "mcpServers": {\n    "gateway": {\n      "url": "http://127.0.0.1:39400/mcp"\n    }\n  }\n}\n',
  ],
];

test("planExport, applyChange: one entry is added, every other byte stays; removed or restored it is as before", async (t) => {
  for (const [id, below, before, added] of realFiles) {
    const at = home(t);
    const path = at.write(below, before);
    chmodSync(path, 0o640);
    const backup = await applyChange(await planned(at, id));
    assert.equal(readFileSync(path, "utf8"), added, id);
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.equal(readFileSync(backup!, "utf8"), before);
    const again = await planExport(client(id), at.machine, { name: "gateway", entryFor: () => entry });
    assert.equal(again.is, "unchanged");
    await applyChange({ ...(await planned(at, id, { url: "http://else/mcp" })) });
    assert.equal(await restoreBackup(backup!), path);
    assert.equal(readFileSync(path, "utf8"), before);
    if (before === "") continue;
    await applyChange(await planned(at, id));
    const removal = await planExport(client(id), at.machine, { name: "gateway", entryFor: () => undefined });
    assert.equal(removal.is, "change");
    await applyChange((removal as { change: FileChange }).change);
    const left = readFileSync(path, "utf8");
    if (id === "codex") assert.equal(left, before);
    else assert.deepEqual(readJsonc(left)?.value, { ...emptied(id), ...(readJsonc(before)?.value as object) });
  }
});

/** The map of servers was made for the entry, and stays. */
const emptied = (id: string) => (id === "zed" ? { context_servers: {} } : {});

test("planExport: a client that is not here is skipped, Claude Code always gets its file, the project goes first", async (t) => {
  const at = home(t);
  const skipped = await planExport(client("cursor"), at.machine, { name: "gateway", entryFor: () => entry });
  assert.deepEqual(skipped, { is: "skipped", client: client("cursor"), reason: "Cursor is not here" });
  const change = await planned(at, "claude-code");
  assert.equal(change.before, undefined);
  assert.equal(await applyChange(change), undefined);
  assert.equal(statSync(at.path(".claude.json")).mode & 0o777, 0o600);
  at.write(".cursor/x", "");
  assert.equal((await planned(at, "cursor")).path, at.path(".cursor/mcp.json"));
  at.write("project/.cursor/x", "");
  assert.equal((await planned(at, "cursor")).path, at.path("project/.cursor/mcp.json"));
  at.write(".continue/config.yaml", "name: x\n");
  await applyChange(await planned(at, "continue"));
  assert.match(readFileSync(at.path(".continue/mcpServers/mcp-gateway.json"), "utf8"), /"gateway"/);
});

test("planExport: a file that cannot be read is left alone, and named with its place", async (t) => {
  const at = home(t);
  const path = at.write(".cursor/mcp.json", '{"mcpServers": {');
  const plan = await planExport(client("cursor"), at.machine, { name: "gateway", entryFor: () => entry });
  assert.deepEqual(
    { ...plan, client: undefined },
    {
      is: "failed",
      client: undefined,
      path,
      reason: `${path}:1:16  this object is never closed`,
    },
  );
  at.write(".cursor/mcp.json", '{"mcpServers": []}');
  const list = await planExport(client("cursor"), at.machine, { name: "gateway", entryFor: () => entry });
  assert.match((list as { reason: string }).reason, /mcp\.json:1:16 {2}"mcpServers" must be an object$/);
});

test("applyChange: follows a link, and touches nothing that somebody changed meanwhile", async (t) => {
  const at = home(t);
  const target = at.write("dotfiles/cursor.json", "{}\n");
  at.write(".cursor/x", "");
  symlinkSync(target, at.path(".cursor/mcp.json"));
  const change = await planned(at, "cursor");
  writeFileSync(target, '{"mine": 1}\n');
  await assert.rejects(applyChange(change), /was changed meanwhile: run the command again$/);
  assert.equal(readFileSync(target, "utf8"), '{"mine": 1}\n');
  assert.deepEqual(backupsOf(at.path(".cursor/mcp.json")), []);
  await applyChange(await planned(at, "cursor"));
  assert.ok(lstatSync(at.path(".cursor/mcp.json")).isSymbolicLink());
  assert.match(readFileSync(target, "utf8"), /39400/);
});

test("restoreBackup: takes only what an export has saved", async (t) => {
  const at = home(t);
  const path = at.write("notes.txt", "x");
  await assert.rejects(restoreBackup(path), /is not a backup of an export$/);
  await assert.rejects(restoreBackup(`${path}.mcp-gateway.bak.1`), /does not exist$/);
  assert.ok(existsSync(path));
});

test("setCodexEntry: replaces the table with those in it, and refuses what is written in another way", () => {
  const text =
    '[mcp_servers.gateway]\r\ncommand = "old"\r\n\r\n[mcp_servers.gateway.env]\r\nA = "1"\r\n\r\n# next\r\n[other]\r\nb = 1\r\n';
  assert.equal(
    setCodexEntry(text, "gateway", { command: "new", args: ["a b"], env: { "K.1": "v" } }),
    '[mcp_servers.gateway]\r\ncommand = "new"\r\nargs = ["a b"]\r\nenv = { "K.1" = "v" }\r\n\r\n# next\r\n[other]\r\nb = 1\r\n',
  );
  for (const inline of ['mcp_servers = { gateway = { command = "x" } }\n', '[mcp_servers]\ngateway.command = "x"\n'])
    assert.throws(() => setCodexEntry(inline, "gateway", { url: "x" }), /edit it by hand$/);
});

test("gatewayEntry: each client gets the entry it understands, the token as its own kind of variable", () => {
  const at = { url: "http://h/mcp", token: "env:TOK", argv: ["/bin/mcp-gateway", "serve", "--stdio"] };
  const program = { command: "/bin/mcp-gateway", args: ["serve", "--stdio"] };
  const bearer = (reference: string) => ({ headers: { Authorization: `Bearer ${reference}` } });
  const expected: Record<string, object> = {
    "claude-code": { type: "http", url: "http://h/mcp", ...bearer("$" + "{TOK}") },
    "claude-desktop": program,
    cursor: { url: "http://h/mcp", ...bearer("$" + "{env:TOK}") },
    "vs-code-copilot": { type: "http", url: "http://h/mcp", ...bearer("$" + "{env:TOK}") },
    windsurf: { serverUrl: "http://h/mcp", ...bearer("$" + "{env:TOK}") },
    cline: { type: "streamableHttp", url: "http://h/mcp", disabled: false, ...bearer("$" + "{TOK}") },
    zed: { url: "http://h/mcp", ...bearer("$" + "{TOK}") },
    codex: { url: "http://h/mcp", bearer_token_env_var: "TOK" },
    continue: { type: "http", url: "http://h/mcp", ...bearer("$" + "{TOK}") },
  };
  const exportable = clients.filter((one) => one.exports !== undefined);
  assert.deepEqual(Object.fromEntries(exportable.map((one) => [one.id, gatewayEntry(one, "proxy", at)])), expected);
  assert.deepEqual(gatewayEntry(client("zed"), "stdio", at), { ...program, env: {} });
  assert.deepEqual(gatewayEntry(client("codex"), "proxy", { ...at, token: "lit" }), {
    url: "http://h/mcp",
    http_headers: { Authorization: "Bearer lit" },
  });
  assert.deepEqual(gatewayEntry(client("cursor"), "proxy", { ...at, token: undefined }), { url: "http://h/mcp" });
});
