/** Files of other gateways: those that are read as they are, and those whose owner hears how to bring them over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { findings, loadText } from "./fixture.ts";

const flat = `# one of the first edition
port: 39555
host: localhost
enable_meta_mcp: false
health_check_interval: 20.0
request_timeout: 45
backends:
  a: {command: node a.js, idle_timeout: 600}
  b: {http_url: "http://localhost:1/mcp"}
`;

test("loadConfig: settings at the top of the file count as those of their sections", async (t) => {
  const { config, warnings } = await loadText(t, flat);
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    [config.server.host, config.server.port, config.server.request_timeout],
    ["localhost", 39555, 45_000],
  );
  assert.equal(config.meta_mcp.enabled, false);
  assert.equal(config.failsafe.health_check.interval, 20_000);
  assert.equal(config.backends["a"]?.stop_when_idle_for, 600_000);
});

test("loadConfig: a variable and the section win over the top, whose setting is then unknown", async (t) => {
  const env = { MCP_GATEWAY_SERVER__PORT: "4000" };
  assert.equal((await loadText(t, flat, { env })).config.server.port, 4000);
  const { config, warnings } = await loadText(t, "port: 1000\nserver: {port: 2000}\n");
  assert.equal(config.server.port, 2000);
  assert.match(warnings.join("\n"), /^gateway\.yaml:1:1 {2}port is not a known setting/);
});

test("loadConfig: what is wrong at the top is shown there", async (t) => {
  assert.match((await findings(t, "backends: {}\nport: abc\n"))[0] ?? "", /^gateway\.yaml:2:1 {2}server\.port must be/);
  assert.match((await findings(t, "server: 5\nport: 1\n")).join("\n"), /1:1 {2}server must be/);
  assert.deepEqual(await findings(t, "log_level: DEBUG\n"), [
    "gateway.yaml:1:1  log_level is no setting of the file: use --log-level or MCP_GATEWAY_LOG_LEVEL",
  ]);
  assert.deepEqual(await findings(t, "backends:\n  a: {http_url: 'http://localhost:1', idle_timeout: 5}\n"), [
    'gateway.yaml:2:39  backends.a.idle_timeout does nothing without "command"',
  ]);
});

test("loadConfig: a configuration of another gateway is answered with the command that converts it", async (t) => {
  const toml = '[server]\nport = 8080\n\n[[upstream.groups.a.servers]]\nurl = "ws://localhost:1"\n';
  const message =
    /^gateway\.yaml:1:1 {2}The file is the configuration of another gateway; convert it with: mcp-gateway config import gateway\.yaml -o/;
  for (const text of [toml, "# only\nport = 1\n[server]\n", "upstream: {groups: {a: {servers: []}}}\n"])
    assert.match((await findings(t, text)).join("\n"), message);
  // A list with an equals sign in it is no TOML.
  assert.match((await findings(t, "[a]\n")).join("\n"), /must be a map of settings, not a list/);
});
