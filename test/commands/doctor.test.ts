import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../../src/core/log.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { readYaml } from "../../src/lib/yaml-document.ts";
import { OAuthSession } from "../../src/upstreams/oauth/oauth-session.ts";
import { createTokenStore } from "../../src/upstreams/oauth/token-store.ts";
import { oauthServer } from "../fixtures/oauth-server.ts";
import { sdkV1Streamable } from "../fixtures/sdk-servers.ts";
import { type House, house } from "./run-main.ts";

interface Report {
  readonly ok: boolean;
  readonly summary: Readonly<Record<"pass" | "warn" | "fail" | "total", number>>;
  readonly fixed: readonly { id: string; error?: string }[];
  readonly checks: readonly {
    id: string;
    status: string;
    detail: string;
    hint: string | null;
    fixability: { auto_fixable: boolean; command: string | null };
  }[];
}

async function examined({ run }: House, ...args: string[]): Promise<{ code: number | null; report: Report }> {
  const { code, out, err } = await run("doctor", "--json", ...args);
  assert.equal(err, "");
  return { code, report: JSON.parse(out) as Report };
}

const lines = ({ checks }: Report) => checks.map(({ id, status, detail }) => `${id} ${status} ${detail}`);
const backend = fileURLToPath(new URL("../fixtures/stdio-backend.mjs", import.meta.url));
const command = `${process.execPath} ${"Deno" in globalThis ? "run -A " : ""}${backend}`;

test("doctor: asks every backend at once, says why one does not answer, and shows no secret", async (t) => {
  const at = house(t, { TOKEN: "secret-of-ours" });
  const web = await sdkV1Streamable({ enableJsonResponse: true });
  t.after(() => web.close());
  writeFileSync(
    join(at.folder, "gateway.yaml"),
    `server: {port: 0}
backends:
  works: {command: "${command}"}
  dies: {command: "${command} --exit-at-start --show-env=KEY", env: {KEY: "\${TOKEN}"}}
  absent: {command: no-such-program}
  homeless: {command: "${process.execPath}", cwd: /no/such/folder}
  unset: {http_url: "${web.url}", headers: {X: "\${NOT_THERE}"}}
  gone: {http_url: "http://127.0.0.1:9/mcp"}
  off: {command: no-such-program, enabled: false}
  tavily: {command: npx -y tavily-mcp}
`,
  );
  const { code, report } = await examined(at, "--timeout", "15s");
  const said = lines(report);
  const has = (pattern: RegExp) =>
    assert.ok(
      said.some((line) => pattern.test(line)),
      `${pattern}\n${said.join("\n")}`,
    );
  assert.equal(code, 1);
  assert.equal(report.ok, false);
  assert.equal(report.summary.total, report.checks.length);
  has(/^config pass gateway\.yaml is valid: 8 backend\(s\)$/);
  has(/^port pass a free one is picked at every start$/);
  has(/^auth pass /);
  has(/^backend_stdio\.works pass answers as \S+ \S+, protocol \d{4}-\d\d-\d\d, after \d+ ms$/);
  has(/^backend_stdio\.dies fail Server "dies" exited with code 3; last stderr: .*KEY is \[redacted\]/);
  has(/^environment\.dies pass TOKEN set$/);
  has(/^backend_stdio\.absent fail "no-such-program" is not in PATH$/);
  has(/^backend_stdio\.homeless fail its working directory "\/no\/such\/folder" does not exist$/);
  has(/^environment\.unset fail NOT_THERE NOT SET$/);
  has(/^backend_http\.unset pass answers as sdk-v1 1,/);
  has(/^backend_http\.gone fail .*ECONNREFUSED/);
  has(
    /^environment\.tavily warn the server usually needs TAVILY_API_KEY, and gets only what "env" of the backend names$/,
  );
  has(/^data pass .*is made at the first start$/);
  assert.ok(!said.some((line) => / off |\.off /.test(line)));
  assert.ok(!said.join().includes("secret-of-ours"));
});

test("doctor --fix: what can be put right is, and a second look finds nothing more to do", async (t) => {
  const at = house(t);
  const path = (below: string) => join(at.folder, below);
  writeFileSync(path("gateway.yaml"), "env_files: [s.env]\nserver: {port: 0}\n");
  writeFileSync(path("s.env"), "TOKEN=x\n", { mode: 0o644 });
  mkdirSync(path(".mcp-gateway/catalog"), { recursive: true });
  writeFileSync(path(".mcp-gateway/catalog/gone-1.json"), '{"version":1,"server":"gone"}');
  writeFileSync(path(".mcp-gateway/catalog/broken-1.json"), "{");
  writeFileSync(path(".mcp-gateway/catalog/gateway-1.json"), '{"version":1,"server":"gateway"}');
  const cursor = '{\n  // mine\n  "mcpServers": {\n    "gateway": {"url": "http://localhost:1234/mcp"}\n  }\n}\n';
  mkdirSync(path(".cursor"));
  writeFileSync(path(".cursor/mcp.json"), cursor);
  writeFileSync(path(".claude.json"), '{"mcpServers": {"gateway": {"url": "http://127.0.0.1:0/mcp"}}}');

  const before = await examined(at, "--quick");
  const fixable = before.report.checks.filter(({ fixability }) => fixability.auto_fixable).map(({ id }) => id);
  const expected = ["config.privacy.s.env", "data.catalog", "client_config.claude-code", "client_config.cursor"];
  assert.deepEqual([...fixable].sort(), [...expected].sort(), lines(before.report).join("\n"));
  assert.equal(before.code, 1);
  assert.equal(readFileSync(path(".cursor/mcp.json"), "utf8"), cursor);

  const after = await examined(at, "--quick", "--fix");
  assert.deepEqual(
    after.report.fixed.map(({ id, error }) => [id, error]).sort(),
    expected.map((id) => [id, undefined]).sort(),
  );
  assert.deepEqual(
    [after.code, after.report.summary.fail, after.report.summary.warn],
    [0, 0, 0],
    lines(after.report).join("\n"),
  );
  assert.equal(statSync(path("s.env")).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(path(".mcp-gateway/catalog")), ["gateway-1.json"]);
  assert.match(readFileSync(path(".cursor/mcp.json"), "utf8"), /\/\/ mine[\s\S]*"url": "http:\/\/127\.0\.0\.1:0\/mcp"/);
  assert.deepEqual(JSON.parse(readFileSync(path(".claude.json"), "utf8")), {
    mcpServers: { gateway: { type: "http", url: "http://127.0.0.1:0/mcp" } },
  });
});

test("doctor: begins a configuration where there is none, names every fault of a broken one, reads no client's mind", async (t) => {
  const at = house(t);
  const none = await examined(at, "--quick", "--fix", "--port", "0");
  assert.deepEqual(none.report.fixed, [{ id: "config", done: "Created gateway.yaml" }]);
  assert.match(lines(none.report)[0]!, /^config pass gateway\.yaml is valid/);
  assert.equal(none.code, 0);
  writeFileSync(join(at.folder, "gateway.yaml"), "server: {port: x}\nbackends: {a: {command: ''}}\n");
  const broken = await examined(at, "--quick", "--fix");
  assert.deepEqual([broken.code, broken.report.fixed], [1, []]);
  assert.match(
    broken.report.checks[0]!.detail,
    /^gateway\.yaml:1:\d+ {2}server\.port .*\ngateway\.yaml:2:\d+ {2}backends\.a/,
  );
});

async function occupant(t: TestContext): Promise<number> {
  const server = createServer((_request, response) => response.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("doctor: tells a port taken by another program, and servers that clients have beside the gateway", async (t) => {
  const at = house(t);
  const port = await occupant(t);
  writeFileSync(join(at.folder, "gateway.yaml"), `server: {port: ${port}}\nbackends: {known: {command: "sh known"}}\n`);
  writeFileSync(
    join(at.folder, ".claude.json"),
    '{"mcpServers": {"k": {"command": "sh", "args": ["known"]}, "o": {"command": "o"}}}',
  );
  mkdirSync(join(at.folder, ".codex"));
  writeFileSync(join(at.folder, ".codex/config.toml"), "x =\n");
  const { out, code } = await at.run("doctor", "--quick", "-f", "plain");
  assert.equal(code, 1);
  assert.match(out, new RegExp(`\\[FAIL\\] Port ${port}: taken by a program that is no MCP Gateway\\n {7}Hint: `));
  assert.match(out, /\[WARN\] Codex: \.codex\/config\.toml:1:4 {2}a value is missing\n/);
  assert.match(
    out,
    /\[WARN\] Servers beside the gateway: clients have 1 server\(s\) that are not behind the gateway: o \(Claude Code\)\n {7}Hint: Import them: mcp-gateway setup wizard\n/,
  );
  assert.match(out, /\n\n\d+ checks passed, 1 failed, 3 warnings\n$/);
});

test("doctor: an entry that its client would not understand is no way to the gateway", async (t) => {
  const at = house(t);
  writeFileSync(join(at.folder, "gateway.yaml"), "server: {port: 0}\n");
  mkdirSync(join(at.folder, ".codeium/windsurf"), { recursive: true });
  const path = join(at.folder, ".codeium/windsurf/mcp_config.json");
  writeFileSync(path, '{"mcpServers": {"gateway": {"url": "http://127.0.0.1:0/mcp"}}}');
  const { report } = await examined(at, "--quick");
  const check = report.checks.find(({ id }) => id === "client_config.windsurf");
  assert.match(check?.detail ?? "", /lacks "serverUrl": "http:\/\/127\.0\.0\.1:0\/mcp"$/);
});

test("doctor --shadow: ten patterns that find MCP in what was written down of traffic", async (t) => {
  const { folder, run } = house(t);
  const [grep, nginx, yaml] = [
    await run("doctor", "--shadow"),
    await run("doctor", "--shadow", "--shadow-format", "haproxy"),
    await run("doctor", "--shadow", "--shadow-format", "yaml"),
  ];
  writeFileSync(
    join(folder, "capture"),
    '{"jsonrpc":"2.0","id":1,"method": "tools/call"}\n{"method":"prompts/get"}\n{"protocolVersion":"2025-06-18"}\n{"method":"tools/other"}\n',
  );
  const commands = grep.out.split("\n").filter((line) => line.startsWith("grep "));
  assert.equal(commands.length, 10);
  const hits = commands.map(
    (line) => spawnSync("sh", ["-c", `${line} capture`], { cwd: folder, encoding: "utf8" }).stdout,
  );
  assert.equal(hits.join("").trimEnd().split("\n").length, 3);
  assert.match(nginx.out, /map \$request_body \$mcp_traffic \{\n/);
  const { dlp_rules: rules } = (await readYaml(yaml.out)).value as { dlp_rules: { pattern: string }[] };
  assert.equal(rules.filter(({ pattern }) => new RegExp(pattern).test('{"method" : "roots/list"}')).length, 1);
});

test("doctor: a server that wants a login is said to, without one being begun; a login that was made is used", async (t) => {
  const at = house(t);
  const server = await oauthServer();
  t.after(() => server.close());
  writeFileSync(
    join(at.folder, "gateway.yaml"),
    `server: {port: 0}\nbackends: {guarded: {http_url: "${server.url}"}}\n`,
  );
  const wanted = (await examined(at)).report.checks.find(({ id }) => id === "backend_http.guarded");
  assert.deepEqual(
    [wanted?.status, wanted?.hint, wanted?.fixability.command],
    ["fail", "Log in", "mcp-gateway auth login guarded"],
  );
  assert.ok(!server.requests.some((request) => request.includes("register")), server.requests.join());

  const url = new URL(server.url);
  const directory = join(at.folder, ".mcp-gateway/oauth");
  const quiet = { clock: systemClock, calendar: Date.now, log: silentLogger, onSecret() {}, settings: undefined };
  const store = createTokenStore({ directory, server: "guarded", url: url.href, onProblem: assert.fail });
  const login = await new OAuthSession({ ...quiet, server: "guarded", url, store }).login();
  await fetch(login.url);
  await login.done;
  const welcome = (await examined(at)).report.checks.find(({ id }) => id === "backend_http.guarded");
  assert.equal(welcome?.status, "pass", String(welcome?.detail));
});

test("doctor: each replica is looked at, and their secrets keep the file to its owner", async (t) => {
  const at = house(t);
  const replicas = [
    { command, env: { API_KEY: "sk-0123456789abcdef0123" } },
    { id: "lost", command: "/nowhere/server", env: { TOKEN: "$" + "{NOT_SET}" } },
  ];
  const config = { server: { port: 0 }, backends: { search: { replicas } } };
  writeFileSync(join(at.folder, "gateway.yaml"), JSON.stringify(config), { mode: 0o644 });
  const { report } = await examined(at);
  const said = lines(report);
  const program = "Deno" in globalThis ? "deno" : "bun";
  assert.ok(
    said.some((line) => new RegExp(`^backend_stdio\\.search\\.${program}[^ ]* pass answers as raw 1`).test(line)),
    said.join("\n"),
  );
  assert.ok(said.includes('backend_stdio.search.lost fail "/nowhere/server" does not exist or is not executable'));
  assert.ok(said.includes("environment.search fail NOT_SET NOT SET"));
  assert.ok(said.some((line) => line.startsWith("config.privacy.gateway.yaml warn it holds secrets")));
  assert.ok(!said.join().includes("sk-0123"));
});

test("doctor: asks for the program that isolates a server, not for the one inside", async (t) => {
  const at = house(t);
  writeFileSync(
    join(at.folder, "gateway.yaml"),
    `server: {port: 0}
backends:
  boxed: {command: only-in-the-image, runtime_profile: box}
  caged: {command: sh, runtime_profile: cage}
runtime:
  availability: {docker: true, bubblewrap: true}
  profiles:
    box: {provider: docker, image: i, executable: no-such-client}
    cage: {provider: bubblewrap, executable: "${process.execPath}"}
`,
  );
  const { report } = await examined(at, "--quick");
  const said = lines(report).filter((line) => line.startsWith("backend_stdio"));
  assert.deepEqual(said, [
    'backend_stdio.boxed fail "no-such-client", which its profile runs it with, is not there',
    `backend_stdio.caged pass "${process.execPath}" is there; not started`,
  ]);
});
