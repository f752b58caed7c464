import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { house } from "./run-main.ts";

const token = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
const claude = { mcpServers: { gh: { command: "npx", args: ["-y", "gh"], env: { GH_TOKEN: token } } } };

function writer(folder: string) {
  return (path: string, content: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
}

const noProcesses = ["--no-processes"];

test("setup wizard: imports without asking where there is nobody to ask, secrets apart, and only once", async (t) => {
  const { folder, run } = house(t);
  const read = (path: string) => readFileSync(join(folder, path), "utf8");
  writer(folder)(".claude.json", JSON.stringify(claude));
  const dry = await run("setup", "wizard", "--dry-run", ...noProcesses);
  assert.deepEqual([dry.code, dry.err], [0, ""]);
  assert.match(
    dry.out,
    /^Found 1 server in Claude Code\n--- gateway\.yaml\n[\s\S]*\n\+ {2}gh:\n[\s\S]*\nNothing was written\.\n/,
  );
  assert.ok(!dry.out.includes(token));
  assert.throws(() => read("gateway.yaml"));

  const first = await run("setup", "wizard", ...noProcesses);
  assert.equal(
    first.out,
    "Found 1 server in Claude Code\nCreated gateway.yaml\nAdded 'gh' (Claude Code)\nSecrets in gateway.env: GH_TOKEN\n\nNext: mcp-gateway doctor, then mcp-gateway serve\n",
  );
  assert.match(read("gateway.yaml"), /\nbackends:\n {2}gh:\n {4}command: npx -y gh\n/);
  assert.match(read("gateway.env"), new RegExp(`\nGH_TOKEN="${token}"\n$`));
  assert.equal(statSync(join(folder, "gateway.env")).mode & 0o777, 0o600);
  assert.equal((await run("validate")).out, "gateway.yaml is valid: 1 backend(s)\n");

  const before = read("gateway.yaml");
  const again = JSON.parse((await run("setup", "wizard", "--json", ...noProcesses)).out) as Record<string, unknown>;
  assert.deepEqual([again["added"], again["skipped"]], [[], [{ name: "gh", reason: "already in config" }]]);
  assert.equal(read("gateway.yaml"), before);
});

test("setup wizard: adds to a file with comments, elsewhere and with the secrets in it if so told, then tells the clients", async (t) => {
  const { folder, run } = house(t);
  const write = writer(folder);
  write(".config/Claude/claude_desktop_config.json", JSON.stringify(claude));
  const text = "\ufeff# mine\r\nserver: {port: 4000} # high\r\nbackends:\r\n  own: {command: own}\r\n";
  write("conf/my.yaml", text);
  const { code, out } = await run(
    "setup",
    "wizard",
    "-o",
    "conf/my.yaml",
    "--keep-secrets",
    "--configure-client",
    ...noProcesses,
  );
  assert.equal(code, 0, out);
  assert.equal(
    readFileSync(join(folder, "conf/my.yaml"), "utf8"),
    `${text}  gh:\r\n    command: npx -y gh\r\n    env:\r\n      GH_TOKEN: ${token}\r\n`,
  );
  const client = JSON.parse(readFileSync(join(folder, ".claude.json"), "utf8")) as typeof claude;
  assert.deepEqual(client, { mcpServers: { gateway: { type: "http", url: "http://127.0.0.1:4000/mcp" } } });
  assert.match(out, /\nExported to 2 client\(s\) \(proxy mode\)\.\n/);
});

test("setup wizard: nothing to import begins a configuration; a broken one is left alone", async (t) => {
  const { folder, run } = house(t);
  const { code, out } = await run("setup", "wizard", ...noProcesses);
  assert.equal(code, 0);
  assert.match(out, /^No MCP servers were found on this machine\.\nCreated gateway\.yaml\n/);
  writeFileSync(join(folder, "gateway.yaml"), "a: [\n");
  const broken = await run("setup", "wizard", ...noProcesses);
  assert.deepEqual([broken.code, broken.err.startsWith("gateway.yaml:2:1  ")], [1, true]);
  assert.equal(readFileSync(join(folder, "gateway.yaml"), "utf8"), "a: [\n");
});

test("setup export: shows, writes, undoes and restores; a broken file of one client is said and the others are done", async (t) => {
  const { folder, run } = house(t);
  const write = writer(folder);
  const cursor = `{\n  // mine\n  "mcpServers": {"gh": {"command": "x", "env": {"T": "${token}"}}}\n}\n`;
  write(".cursor/mcp.json", cursor);
  const read = () => readFileSync(join(folder, ".cursor/mcp.json"), "utf8");
  const dry = await run("setup", "export", "-t", "cursor", "-m", "proxy", "--dry-run");
  assert.match(dry.out, /^--- \.cursor\/mcp\.json\n[\s\S]*\nNothing was written: 1 client\(s\) looked at\.\n$/);
  assert.ok(!dry.out.includes(token), "a secret beside the change is shown");
  assert.equal(read(), cursor);

  const done = await run("setup", "export", "-t", "cursor", "-m", "proxy", "-n", "gw");
  const [, backup] =
    /^Updated \.cursor\/mcp\.json \(backup: (\S+); rollback: mcp-gateway setup export --rollback \1; verified\)\nExported to 1 client\(s\) \(proxy mode\)\.\n$/.exec(
      done.out,
    ) ?? [];
  assert.ok(backup, done.out);
  assert.match(read(), /"gw": \{"url":"http:\/\/127\.0\.0\.1:39400\/mcp"\}/);
  assert.equal((await run("setup", "export", "-t", "cursor", "-n", "gw", "--remove")).code, 0);
  assert.equal(read(), cursor);
  assert.equal((await run("setup", "export", "--rollback", backup!)).out, "Restored .cursor/mcp.json\n");
  assert.equal(read(), cursor);

  write(".cursor/mcp.json", "{");
  const report = await run("setup", "export", "--json", "-m", "proxy");
  const { ok, clients } = JSON.parse(report.out) as { ok: boolean; clients: { client: string; action: string }[] };
  assert.deepEqual([report.code, ok], [1, false]);
  assert.deepEqual(
    clients.filter(({ action }) => action !== "skipped").map(({ client, action }) => `${client} ${action}`),
    ["claude-code created", "cursor failed"],
  );
  write("gateway.yaml", "auth: {enabled: true, bearer_token: 'literal-token'}\n");
  write(".cursor/mcp.json", cursor);
  write(".codex/config.toml", "");
  const two = await run("setup", "export", "-t", "cursor,codex", "-m", "proxy");
  assert.match(two.out, /\nExported to 2 client\(s\) \(proxy mode\)\.\nNote: the entries hold the token itself; /);
  assert.match(readFileSync(join(folder, ".codex/config.toml"), "utf8"), /"Bearer literal-token"/);
  const [absent, unknown, generic] = [
    await run("setup", "export", "-t", "zed"),
    await run("setup", "export", "-t", "zedd"),
    await run("setup", "export", "-t", "generic", "-m", "proxy", "-p", "5000"),
  ];
  assert.deepEqual([absent.code, absent.out.split("\n")[0]], [1, "Skipped: Zed is not here"]);
  assert.match(unknown.err, /^--target must be one of claude-code, .*did you mean "zed"\?\n/);
  const bearer = { Authorization: "Bearer literal-token" };
  assert.deepEqual(
    [unknown.code, JSON.parse(generic.out)],
    [2, { mcpServers: { gateway: { type: "http", url: "http://127.0.0.1:5000/mcp", headers: bearer } } }],
  );
});

test("setup discover: lists what clients have, writes it apart, and says what it means that it is not behind the gateway", async (t) => {
  const { folder, run } = house(t);
  const write = writer(folder);
  const servers = {
    ...claude.mcpServers,
    plain: { url: "http://remote.example/mcp", headers: { Authorization: "Bearer abcdefgh12345678" } },
    mem: { command: "npx", args: ["-y", "@modelcontextprotocol/server-memory"] },
    behind: { command: "own" },
  };
  write(".claude.json", JSON.stringify({ mcpServers: servers }));
  write("gateway.yaml", "backends: {b: {command: own}}\n");
  const table = await run("setup", "discover", ...noProcesses);
  assert.match(table.out, /^NAME +TRANSPORT +FOUND IN +COMMAND OR URL\ngh +stdio +Claude Code +npx -y gh\n/);
  const yaml = await run("setup", "discover", "-f", "yaml", ...noProcesses);
  assert.match(yaml.out, /^backends:\n {2}gh:\n/);
  assert.ok(!`${table.out}${yaml.out}`.match(/ghp_|abcdefgh/));

  const shadow = await run("setup", "discover", "--shadow", "--write-config", "-f", "json", ...noProcesses);
  const [report] = shadow.out.split("Created ");
  const findings = JSON.parse(report!) as Record<string, string>[];
  assert.deepEqual(
    findings.map((one) => [
      one["id"],
      one["severity"],
      one["trust"],
      one["auth_exposure"],
      one["data_risk"],
      one["remediation"],
    ]),
    [
      ["claude-code:gh", "high", "unknown", "plaintext_secret", "unknown", "adopt_into_gateway"],
      ["claude-code:plain", "high", "unknown", "plaintext_transport", "unknown", "quarantine"],
      ["claude-code:mem", "low", "known", "none", "low", "adopt_into_gateway"],
    ],
  );
  const written = readFileSync(join(folder, "mcp-gateway-discovered.yaml"), "utf8");
  assert.match(
    written,
    /^backends:\n {2}gh:\n[\s\S]*\n {2}mem:\n[\s\S]*\nenv_files:\n {2}- mcp-gateway-discovered\.env\n$/,
  );
  assert.ok(!written.includes("plain") && !written.includes(token));
  const again = await run("setup", "discover", "--write-config", ...noProcesses);
  assert.deepEqual([again.code, again.err.includes("already exists")], [1, true]);
});
