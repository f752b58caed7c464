import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { effectiveFailsafe } from "../../src/config/failsafe.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/core/errors.ts";
import { findings, loadText, temporaryFolder } from "./fixture.ts";

test("loadConfig: without any file everything is default", async (t) => {
  const folder = temporaryFolder(t);
  const { config, source, warnings, watchPaths } = await loadConfig({ cwd: folder, env: { HOME: folder } });
  assert.equal(source, undefined);
  assert.deepEqual([warnings, watchPaths, config.backends], [[], [], {}]);
  assert.deepEqual([config.server.host, config.server.port], ["127.0.0.1", 39400]);
  assert.equal(config.server.shutdown_timeout, 30_000);
  assert.deepEqual(config.capabilities.directories, [join(folder, "capabilities")]);
});

test("loadConfig: gateway.yaml goes before config.yaml, and that before the home folder", async (t) => {
  const folder = temporaryFolder(t);
  const load = async () => (await loadConfig({ cwd: folder, env: { HOME: folder } })).config.server.port;
  mkdirSync(join(folder, ".config/mcp-gateway"), { recursive: true });
  writeFileSync(join(folder, ".config/mcp-gateway/gateway.yaml"), "server: {port: 3}");
  assert.equal(await load(), 3);
  writeFileSync(join(folder, "config.yaml"), "server: {port: 2}");
  assert.equal(await load(), 2);
  writeFileSync(join(folder, "gateway.yaml"), "server: {port: 1}");
  assert.equal(await load(), 1);
});

test("loadConfig: MCP_GATEWAY_CONFIG names the file, --config wins over it", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "a.yaml"), "server: {port: 1}");
  writeFileSync(join(folder, "b.yaml"), "server: {port: 2}");
  const env = { HOME: folder, MCP_GATEWAY_CONFIG: "a.yaml" };
  const fromVariable = await loadConfig({ cwd: folder, env });
  assert.deepEqual(fromVariable.source, { path: join(folder, "a.yaml"), explicit: true });
  assert.equal((await loadConfig({ cwd: folder, env, path: "b.yaml" })).config.server.port, 2);
});

test("loadConfig: a named file that does not exist is an error naming it, with fallBack a warning", async (t) => {
  const folder = temporaryFolder(t);
  const request = { cwd: folder, env: { HOME: folder }, path: "nope.yaml" };
  await assert.rejects(
    loadConfig(request),
    (error) => error instanceof ConfigError && /nope\.yaml/.test(error.message),
  );
  const { warnings, config } = await loadConfig({ ...request, fallBack: true });
  assert.match(warnings.join(), /nope\.yaml.*does not exist: the built-in defaults are used/);
  assert.equal(config.server.port, 39400);
});

test("loadConfig: a file that cannot be read says why", async (t) => {
  const folder = temporaryFolder(t);
  const request = { cwd: folder, env: {}, path: "." };
  await assert.rejects(loadConfig(request), /The file cannot be read: it is a directory/);
});

test("loadConfig: MCP_GATEWAY_A__B wins over the file, options win over both", async (t) => {
  const env = {
    MCP_GATEWAY_SERVER__PORT: "8080",
    MCP_GATEWAY_META_MCP__WARM_START: "[a]",
    MCP_GATEWAY_AUTH__BEARER_TOKEN: "12345",
    MCP_GATEWAY_SERVER__REQUEST_TIMEOUT: "1m30s",
    MCP_GATEWAY_BACKENDS__BRAVE_SEARCH__ENABLED: "false",
    MCP_GATEWAY_BACKENDS__BRAVE_SEARCH__ENV__TOKEN: "x",
    MCP_GATEWAY_SECURITY__SANITIZE_INPUT: "true",
    MCP_GATEWAY_NO__SUCH: "1",
    MCP_GATEWAY_CONFIG_DIR: "/nowhere",
  };
  const text = "server: {port: 1}\nbackends:\n  a: {command: x}\n  brave-search: {command: y}\n";
  const { config, notes } = await loadText(t, text, { env });
  assert.deepEqual([config.server.port, config.server.request_timeout], [8080, 90_000]);
  assert.deepEqual(config.meta_mcp.warm_start, ["a"]);
  assert.equal(config.auth.bearer_token, "12345");
  assert.deepEqual(
    [config.backends["brave-search"]?.enabled, config.backends["brave-search"]?.env],
    [false, { TOKEN: "x" }],
  );
  assert.deepEqual(notes, ["MCP_GATEWAY_NO__SUCH names no known setting and is ignored"]);
  const overrides = [{ path: ["server", "port"], value: 9, from: "--port" }];
  assert.equal((await loadText(t, text, { env, overrides })).config.server.port, 9);
});

test("loadConfig: env files are read in order, later ones win, missing ones are skipped, ~ is the home folder", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "one.env"), "# comment\nexport A=1\nB='x # y'\nC=from one # comment\n");
  writeFileSync(join(folder, "two.env"), 'C="two\\nlines"\nMCP_GATEWAY_SERVER__PORT=7\nEMPTY=\n');
  const text = `env_files: [one.env, missing.env, ~/two.env]
backends:
  s: {command: x, env: {A: "\${A}", B: "\${B}", C: "\${C}", D: "\${EMPTY:-d}", E: "\${OUTER}"}}
`;
  const { config, watchPaths, env } = await loadText(t, text, { folder, env: { OUTER: "o", A: "outer" } });
  assert.deepEqual(config.backends["s"]?.env, { A: "1", B: "x # y", C: "two\nlines", D: "d", E: "o" });
  assert.equal(config.server.port, 7);
  assert.equal(env["C"], "two\nlines");
  assert.deepEqual(
    watchPaths,
    ["gateway.yaml", "one.env", "missing.env", "two.env"].map((name) => join(folder, name)),
  );
});

test("loadConfig: variables are expanded in every string of a backend and never become two arguments", async (t) => {
  const text = `backends:
  a:
    command: run "\${WORDS}" \${WORDS} \${NONE:-two words} 'it''s'
    args: ["\${WORDS}"]
    cwd: \${DIR}
  b:
    http_url: http://\${HOST:-localhost}/mcp
    headers: {Authorization: "Bearer \${WORDS}"}
`.replace("'it''s'", "\\'x\\'");
  const { config } = await loadText(t, text, { env: { WORDS: "a b", DIR: "/srv" } });
  assert.deepEqual(config.backends["a"]?.command, ["run", "a b", "a b", "two words", "'x'", "a b"]);
  assert.equal(config.backends["a"]?.cwd, "/srv");
  assert.equal(config.backends["b"]?.http_url, "http://localhost/mcp");
  assert.deepEqual(config.backends["b"]?.headers, { Authorization: "Bearer a b" });
});

test("loadConfig: durations are milliseconds, older names are folded in, null counts as absent", async (t) => {
  const text = `auth:
server:
  request_timeout: 2
backends:
  a: {command: [node, x.js], idle_timeout: 5m, timeout: 500ms, env: }
`;
  const { config, warnings } = await loadText(t, text);
  assert.deepEqual(warnings, []);
  assert.equal(config.auth.enabled, false);
  assert.equal(config.server.request_timeout, 2_000);
  const { stop_when_idle_for, timeout, command, name } = config.backends["a"]!;
  assert.deepEqual(
    { stop_when_idle_for, timeout, command, name },
    { stop_when_idle_for: 300_000, timeout: 500, command: ["node", "x.js"], name: "a" },
  );
});

test("loadConfig: relative folders mean the file's own, or the working directory where only that has them", async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "conf/near"), { recursive: true });
  mkdirSync(join(folder, "far"));
  const directories = `[near, far, none, ~/home, '\${X:-x}/y', '\${NONE}']`;
  writeFileSync(join(folder, "conf/g.yaml"), `capabilities: {directories: ${directories}}`);
  const { config, warnings } = await loadConfig({ cwd: folder, path: "conf/g.yaml", env: { HOME: "/h" } });
  const expected = [
    join(folder, "conf/near"),
    join(folder, "far"),
    join(folder, "conf/none"),
    "/h/home",
    join(folder, "conf/x/y"),
  ];
  assert.deepEqual(config.capabilities.directories, expected);
  // An empty name is no directory: it would be the folder of the file, with everything in it.
  assert.deepEqual(warnings, [
    `conf/g.yaml:1:68  capabilities.directories[5] uses \${NONE}, which is not set: it counts as empty`,
  ]);
});

test("loadConfig: env:VAR is resolved in secrets, and only where its section is on", async (t) => {
  const text = "auth:\n  enabled: true\n  bearer_token: env:TOKEN\n  api_keys:\n    - key: env:KEY\n";
  const { config } = await loadText(t, text, { env: { TOKEN: "t1", KEY: "k1" } });
  assert.deepEqual([config.auth.bearer_token, config.auth.api_keys[0]?.key], ["t1", "k1"]);
  assert.deepEqual(await findings(t, text, { env: { TOKEN: "" } }), [
    'gateway.yaml:3:3  auth.bearer_token refers to the environment variable "TOKEN", which is empty',
    'gateway.yaml:5:7  auth.api_keys[0].key refers to the environment variable "KEY", which is not set',
  ]);
  assert.deepEqual(await findings(t, text.replace("true", "false")), []);
});

test("effectiveFailsafe: a backend's own settings go over the section, key by key", async (t) => {
  const { config } = await loadText(
    t,
    `failsafe: {retry: {max_attempts: 5}}
backends:
  a: {command: x, failsafe: {retry: {initial_backoff: 1s}, rate_limit: {enabled: false}}}
  b: {command: x}
`,
  );
  const own = effectiveFailsafe(config, "a");
  assert.deepEqual([own.retry.max_attempts, own.retry.initial_backoff, own.rate_limit.enabled], [5, 1_000, false]);
  assert.equal(own.rate_limit.burst_size, config.failsafe.rate_limit.burst_size);
  assert.deepEqual(effectiveFailsafe(config, "b"), config.failsafe);
});
