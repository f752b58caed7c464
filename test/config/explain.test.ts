import assert from "node:assert/strict";
import { test } from "node:test";
import { findings, loadText } from "./fixture.ts";

test("problems: the backend without transport names the misspelt key, at its place", async (t) => {
  const text = "# one\n\nbackends:\n  tavily:\n    description: x\n    comand: npx -y tavily\n";
  assert.deepEqual(await findings(t, text), [
    'gateway.yaml:6:5  backends.tavily needs one of "command", "http_url", "a2a_url" or "replicas": did you mean "command" for "comand"?',
  ]);
});

const wrong: readonly [name: string, text: string, ...lines: string[]][] = [
  ["number", "server:\n  port: abc", 'gateway.yaml:2:3  server.port must be a whole number from 0 to 65535, not "abc"'],
  [
    "range",
    "server: {port: 70000}",
    "gateway.yaml:1:10  server.port must be a whole number from 0 to 65535, not 70000",
  ],
  [
    "duration",
    "server:\n  request_timeout: soon",
    'gateway.yaml:2:3  server.request_timeout must be a duration like "30s", "500ms", "1h30m" or a number of seconds, not "soon"',
  ],
  ["boolean", "auth:\n  enabled: yes", 'gateway.yaml:2:3  auth.enabled must be true or false, not "yes"'],
  [
    "choice",
    "meta_mcp:\n  result_format: wraped",
    'gateway.yaml:2:3  meta_mcp.result_format must be one of "native" or "wrapped", not "wraped": did you mean "wrapped"?',
  ],
  ["list", "env_files: x", 'gateway.yaml:1:1  env_files must be a list, not "x"'],
  ["section", "server: 5", "gateway.yaml:1:1  server must be a map of settings, not 5"],
  [
    "list for a map",
    "backends:\n  a:\n    http_url: http://localhost/mcp\n    headers: [x]",
    "gateway.yaml:4:5  backends.a.headers must be a map of settings, not a list",
  ],
  [
    "unquoted secret",
    "auth:\n  bearer_token: 12345",
    "gateway.yaml:2:3  auth.bearer_token must be a string: put it in quotes",
  ],
  ["missing key in a list", "auth:\n  api_keys:\n    - name: a", 'gateway.yaml:3:7  auth.api_keys[0] needs "key"'],
  [
    "empty secret",
    "auth:\n  enabled: true\n  bearer_token: ''",
    "gateway.yaml:3:3  auth.bearer_token must not be empty",
  ],
  [
    "name of a backend",
    "backends:\n  a/b: {command: x}",
    'gateway.yaml:2:3  backends."a/b" needs a name that is not empty and has no "/", "\\" or ":"',
  ],
  [
    "name that JavaScript has for itself",
    "backends:\n  constructor: {command: x}",
    "gateway.yaml:2:3  backends.constructor cannot be the name of a backend: choose another one",
  ],
  [
    "name of the capabilities",
    "backends:\n  gateway: {command: x}",
    'gateway.yaml:2:3  backends.gateway has the name of the capability backend: rename it, or set "capabilities.name"',
  ],
  [
    "two transports",
    "backends:\n  a: {command: x, http_url: http://h}",
    'gateway.yaml:2:3  backends.a has "command" and "http_url": keep one of them',
  ],
  [
    "open quote",
    "backends:\n  a:\n    command: run 'x",
    "gateway.yaml:3:5  backends.a.command has a quote (') at character 5 that is never closed",
  ],
  ["no program", "backends:\n  a:\n    command: ' '", "gateway.yaml:3:5  backends.a.command must name a program"],
  [
    "address",
    "backends:\n  a:\n    http_url: localhost:80",
    'gateway.yaml:3:5  backends.a.http_url must be an address that begins with http://, https://, ws://, wss:// or unix:///, not "localhost:80"',
  ],
  [
    "Unix socket without its full path",
    "backends:\n  a:\n    http_url: unix://run/server.sock",
    'gateway.yaml:3:5  backends.a.http_url must name the full path of a Unix socket, as "unix:///run/server.sock"',
  ],
  [
    "port twice",
    "server: {port: 8000, ws_port: 8000}",
    'gateway.yaml:1:22  server.ws_port is the port of "server.port", where WebSocket clients are served anyway: remove it, or choose another',
  ],
  [
    "stdio only",
    "backends:\n  a:\n    http_url: http://h\n    stop_when_idle_for: 5m",
    'gateway.yaml:4:5  backends.a.stop_when_idle_for works only with "command"',
  ],
  [
    "a client without its secret",
    "backends:\n  a:\n    http_url: http://h\n    oauth: {grant_type: client_credentials, client_id: me}",
    'gateway.yaml:4:13  backends.a.oauth.grant_type needs "client_id" and "client_secret" beside it: no person logs in',
  ],
  [
    "agents only",
    "backends:\n  a:\n    http_url: http://h\n    a2a_agent_card_path: /card.json",
    'gateway.yaml:4:5  backends.a.a2a_agent_card_path works only with "a2a_url"',
  ],
  [
    "agent elsewhere than on the web",
    "backends:\n  a:\n    a2a_url: ws://h",
    'gateway.yaml:3:5  backends.a.a2a_url must be an address that begins with http:// or https://, not "ws://h"',
  ],
  [
    "override of a failsafe",
    "backends:\n  a:\n    command: x\n    failsafe:\n      retry:\n        max_attempts: -1",
    "gateway.yaml:6:9  backends.a.failsafe.retry.max_attempts must be a whole number of at least 0, not -1",
  ],
  [
    "unknown profile",
    "runtime: {profiles: {box: {}}}\nbackends:\n  a: {command: x, runtime_profile: bok}",
    'gateway.yaml:3:19  backends.a.runtime_profile names the profile "bok", which "runtime.profiles" does not have: did you mean "box"?',
  ],
  [
    "unknown key where none is allowed",
    "backends:\n  a: {http_url: http://h, identity_propagation: {strategy: passthrough, requird: true}}",
    'gateway.yaml:2:73  backends.a.identity_propagation.requird is not a known setting: did you mean "required"?',
  ],
  [
    "pending sections",
    "key_server:\n  oidc:\n    - issuer: https://i\n      audiences: []",
    "gateway.yaml:4:7  key_server.oidc[0].audiences must be a list with at least one entry, not an empty list",
  ],
  ["list instead of settings", "- a\n- b", "gateway.yaml:1:1  The file must be a map of settings, not a list"],
  [
    "syntax",
    "server:\n  port: [1",
    "gateway.yaml:2:11  Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
];

for (const [name, text, ...lines] of wrong)
  test(`problems: ${name}`, async (t) => {
    assert.deepEqual(await findings(t, text), lines);
  });

test("problems: all are found at once, in the order of the file; those from elsewhere name where", async (t) => {
  const text = "backends:\n  a: {comand: x}\n  b: {command: 5}\nserver: {port: x}\nauth: {enabled: 3}\n";
  const overrides = [{ path: ["meta_mcp", "enabled"], value: 1, from: "--no-meta-mcp" }];
  const lines = await findings(t, text, { overrides, env: { MCP_GATEWAY_STREAMING__BUFFER_SIZE: "x" } });
  assert.deepEqual(
    lines.map((line) => line.split(" ", 3).join(" ")),
    [
      "gateway.yaml:2:7  backends.a",
      "gateway.yaml:3:7  backends.b.command",
      "gateway.yaml:4:10  server.port",
      "gateway.yaml:5:8  auth.enabled",
      "--no-meta-mcp  meta_mcp.enabled",
      "MCP_GATEWAY_STREAMING__BUFFER_SIZE  streaming.buffer_size",
    ],
  );
});

test("problems: a secret is never quoted", async (t) => {
  const lines = await findings(t, "auth:\n  bearer_token: [s3cret]\n");
  assert.deepEqual(lines, ["gateway.yaml:2:3  auth.bearer_token must be a string"]);
});

test("unknown keys: a warning with the nearest known key; an error when strict", async (t) => {
  const text = "sever:\n  port: 1\nserver:\n  prot: 2\nbackends:\n  a: {command: x, tiemout: 1s}\n";
  const lines = [
    'gateway.yaml:1:1  sever is not a known setting: did you mean "server"?',
    'gateway.yaml:4:3  server.prot is not a known setting: did you mean "port"?',
    'gateway.yaml:6:19  backends.a.tiemout is not a known setting: did you mean "timeout"?',
  ];
  assert.deepEqual(await findings(t, text), lines);
  await assert.rejects(loadText(t, text, { strict: true }), { message: lines.join("\n") });
  await assert.rejects(loadText(t, `${text}config: {strict: true}\n`), { message: lines.join("\n") });
});

test("warnings: an address that other machines can reach, without auth", async (t) => {
  const warning = (host: string) => findings(t, `server: {host: "${host}"}`);
  for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "::1"]) assert.deepEqual(await warning(host), []);
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "gateway.lan"])
    assert.match((await warning(host)).join(), /^gateway.yaml:1:10 {2}server.host lets other machines in/);
  assert.deepEqual(await findings(t, "server: {host: 0.0.0.0}\nauth: {enabled: true, bearer_token: auto}"), []);
});

test("warnings: what is not active yet, is unset, or names no backend is said once", async (t) => {
  const text = `streaming: {auto_subscribe: [a]}
security:
  tool_policy: {enabled: true}
  message_signing: {enabled: false, key_id: x}
  sanitize_input: false
marketplace: {plugin_dir: /plugins}
key_server: {}
control_plane: {role_mapping: {rules: []}}
meta_mcp: {warm_start: [taviyl]}
backends:
  tavily: {command: x, env: {K: "\${UNSET_VARIABLE}"}, passthrough: true}
  agent: {a2a_url: http://h, a2a_agent_card_path: null}
  web: {url: http://h}
`;
  assert.deepEqual(await findings(t, text), [
    'gateway.yaml:1:30  streaming.auto_subscribe[0] names no backend: "a" is not there',
    "gateway.yaml:6:1  marketplace is not active yet",
    'gateway.yaml:9:25  meta_mcp.warm_start[0] names no backend: "taviyl" is not there: did you mean "tavily"?',
    `gateway.yaml:11:30  backends.tavily.env.K uses \${UNSET_VARIABLE}, which is not set: it counts as empty`,
    'gateway.yaml:13:9  backends.web.url is read as "http_url": please rename it',
  ]);
});

test("rules: names of routing profiles and operator tools that are not there", async (t) => {
  const text = `default_routing_profile: raeder
auth: {enabled: true, api_keys: [{key: a, profile: reader}, {key: b, profile: redaer}]}
meta_mcp: {operator_tools: [get_stats, gateway_get_profile, gateway_get_stat]}
routing_profiles: {reader: {deny_tools: ["delete_*"]}}
`;
  assert.deepEqual(await findings(t, text), [
    'gateway.yaml:1:1  default_routing_profile names "raeder", which "routing_profiles" does not have: did you mean "reader"?',
  ]);
  assert.deepEqual(await findings(t, text.replace("raeder", "reader")), [
    'gateway.yaml:2:70  auth.api_keys[1].profile names no routing profile, so the key sees nothing: "redaer" is not there: did you mean "reader"?',
    'gateway.yaml:3:61  meta_mcp.operator_tools[2] names no operator tool: "gateway_get_stat" is not there: did you mean "gateway_get_stats"?',
  ]);
});
