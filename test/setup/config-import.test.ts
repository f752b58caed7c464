import assert from "node:assert/strict";
import { test } from "node:test";
import { valueAt } from "../../src/config/path.ts";
import { backendEntrySchema } from "../../src/config/schema.ts";
import { importConfig } from "../../src/setup/config-import/import-config.ts";

const imported = (text: string, label = "config.toml") => importConfig(text, label, {});
const jwt = `[security.auth]
enabled = true
jwt_secret = "0123456789abcdef0123456789abcdef"
jwt_issuer = "https://id.example"
jwt_audience = "gateway"
jwt_expiration = 3600
`;

test("importConfig: what stands for itself gets its name and unit here, with its place", async () => {
  const { settings, report, warnings } = await imported(`[server]
host = "127.0.0.1"
port = 8080
graceful_shutdown_timeout = 5
[gateway.circuit_breaker]
recovery_timeout = 45
[gateway.retry]
initial_delay = 250
[gateway.cache]
ttl = 300
[upstream.groups.one]
strategy = "round_robin"
[[upstream.groups.one.servers]]
id = "a"
url = "ws://localhost:3001"
weight = 100
[upstream.groups.one.health_check_override]
interval = 7
[upstream.health_check]
interval = 30
[upstream.connection_pool]
max_connections_per_host = 64
[middleware.timeout]
request = 60
upstream = 20
[metrics]
port = 9090
`);
  assert.deepEqual(settings, {
    server: {
      host: "127.0.0.1",
      port: 8080,
      shutdown_timeout: "5s",
      request_timeout: "60s",
      metrics_port: 9090,
    },
    cache: { default_ttl: "300s" },
    failsafe: {
      circuit_breaker: { reset_timeout: "45s" },
      retry: { initial_backoff: "250ms" },
      health_check: { interval: "30s" },
      concurrency: { max_concurrent: 64 },
    },
    backends: {
      one: { http_url: "ws://localhost:3001", failsafe: { health_check: { interval: "7s" } }, timeout: "20s" },
    },
  });
  assert.deepEqual(warnings, []);
  assert.deepEqual(report, [
    "config.toml:2:1  server.host → server.host",
    "config.toml:3:1  server.port → server.port",
    "config.toml:4:1  server.graceful_shutdown_timeout → server.shutdown_timeout",
    "config.toml:6:1  gateway.circuit_breaker.recovery_timeout → failsafe.circuit_breaker.reset_timeout",
    "config.toml:8:1  gateway.retry.initial_delay → failsafe.retry.initial_backoff",
    "config.toml:10:1  gateway.cache.ttl → cache.default_ttl",
    "config.toml:12:1  upstream.groups.one.strategy  left out: one server needs none",
    "config.toml:13:1  upstream.groups.one.servers → backends.one.http_url",
    "config.toml:18:1  upstream.groups.one.health_check_override.interval → backends.one.failsafe.health_check.interval",
    "config.toml:20:1  upstream.health_check.interval → failsafe.health_check.interval",
    "config.toml:22:1  upstream.connection_pool.max_connections_per_host → failsafe.concurrency.max_concurrent",
    "config.toml:24:1  middleware.timeout.request → server.request_timeout",
    "config.toml:25:1  middleware.timeout.upstream → backends.one.timeout",
    "config.toml:27:1  metrics.port → server.metrics_port",
  ]);
});

const hasReplicas = "replicas" in backendEntrySchema.entries;
test("importConfig: several servers of a group are replicas, by its strategy", {
  skip: hasReplicas ? false : "backends have no replicas yet",
}, async () => {
  const servers = `servers = [
    { id = "a", url = "ws://localhost:3001", weight = 200 },
    { id = "a", url = "stdio://node b.js", max_requests = 5 },
  ]`;
  const { settings, report } = await imported(`[server]
host = "127.0.0.1"
port = 1
[gateway.load_balancing]
default_strategy = "ip_hash"
[upstream.groups.one]
strategy = "weighted_round_robin"
${servers}
[upstream.groups.two]
${servers}
[upstream.groups.three]
strategy = "random"
${servers}
`);
  const replicas = [{ id: "a", http_url: "ws://localhost:3001", weight: 200 }, { command: "node b.js" }];
  assert.deepEqual(settings["backends"], {
    one: { replicas, load_balancing: { strategy: "weighted_round_robin" } },
    two: { replicas, load_balancing: { strategy: "ip_hash" } },
    three: { replicas },
  });
  assert.match(report.join("\n"), /three\.strategy {2}left out: there is no such strategy/);
  assert.match(report.join("\n"), /one\.servers\[1\]\.max_requests {2}left out: see failsafe\.concurrency/);
});

test("importConfig: every setting is spoken of, those without a counterpart and those nobody knows too", async () => {
  const { settings, report } = await imported(`[server]
workers = 8
colour = { sky = "blue" }
[gateway]
name = "x"
[logging]
level = "debug"
structured = true
[metrics]
enabled = false
port = 9090
`);
  // Without a port and a host it listened on 8080, everywhere; opening it to everybody again is for its owner to do.
  assert.deepEqual(settings, { server: { port: 8080 } });
  assert.deepEqual(
    report.map((line) => /^\S+ {2}(\S+)/.exec(line)?.[1]),
    [
      "server.port",
      "server.host",
      "server.workers",
      "server.colour.sky",
      "gateway.name",
      "logging.level",
      "logging.structured",
      "metrics.enabled",
      "metrics.port",
    ],
  );
  assert.ok(report.includes("config.toml:3:12  server.colour.sky  left out: it is not known"));
  assert.match(report.join("\n"), /logging\.level {2}left out: it belongs to the command line: serve --log-level/);
});

test("importConfig: what our own checks refuse is left out where it stands, and nothing else with it", async () => {
  const { settings, report } = await imported(`[server]
host = "127.0.0.1"
port = 70000
[upstream.groups.good]
servers = [{ id = "g", url = "stdio://node server.js" }]
[upstream.groups."no/good"]
servers = [{ id = "n", url = "nonsense" }]
[upstream.groups.empty]
servers = []
[upstream.groups.half]
servers = [{ id = "no url" }, { id = "h", url = "ws://localhost:1" }]
[middleware.timeout]
upstream = 9
`);
  assert.deepEqual(settings, {
    server: { host: "127.0.0.1" },
    backends: {
      good: { command: "node server.js", timeout: "9s" },
      half: { http_url: "ws://localhost:1", timeout: "9s" },
    },
  });
  const said = report.join("\n");
  assert.match(said, /^config\.toml:3:1 {2}server\.port {2}left out: server\.port must be .*65535, not 70000$/m);
  assert.match(said, /^config\.toml:7:1 {2}upstream\.groups\."no\/good"\.servers {2}left out: .*"nonsense"$/m);
  assert.match(said, /^config\.toml:8:1 {2}upstream\.groups\.empty {2}left out: a group needs servers$/m);
  assert.match(said, /^config\.toml:11:1 {2}upstream\.groups\.half\.servers\[0\] {2}left out: a server needs a url$/m);
});

test("importConfig: users, keys and tokens keep their rights and their limit, and are no admins", async () => {
  const { settings, report, comments } = await imported(`${jwt}api_key_header = "X-API-Key"
api_keys = ["key-of-the-first", { key = "key-of-the-second", name = "two" }]
[security.auth.basic_auth_users]
ann = "secret-of-ann"
"b:c" = "secret-of-bc"
dan = "$2b$12$abcdefghijklmnopqrstuv"
[security.rate_limiting]
requests_per_minute = 1000
burst_size = 100
key_strategy = "api_key"
`);
  assert.deepEqual(settings["auth"], {
    enabled: true,
    api_keys: [
      { key: "key-of-the-first", rate_limit: 1000 },
      { key: "key-of-the-second", name: "two", rate_limit: 1000 },
    ],
    users: [{ name: "ann", password: "secret-of-ann", rate_limit: 1000 }],
    issuers: [
      {
        issuer: "https://id.example",
        audiences: ["gateway"],
        secret: "0123456789abcdef0123456789abcdef",
        rules: [{ backends: ["*"], rate_limit: 1000 }],
      },
    ],
  });
  assert.match(report.join("\n"), /requests_per_minute → auth\.users/);
  assert.match(report.join("\n"), /dan {2}left out: a password is needed here/);
  const all = [...report, ...comments.map(({ text }) => text)].join("\n");
  assert.doesNotMatch(all, /secret-of|key-of|0123456789abcdef|\$2b/);
});

test("importConfig: tokens without issuer and audience, and short secrets, let nobody in", async () => {
  for (const text of [jwt.replace(/jwt_audience.*\n/, ""), jwt.replace(/"0123.*"/, '"short"')]) {
    const { settings, report, warnings } = await imported(text);
    assert.deepEqual(settings["auth"], { enabled: true });
    assert.match(
      report.join("\n"),
      /security\.auth\.jwt_secret {2}left out: (?:tokens are taken|a secret has at least)/,
    );
    assert.match(warnings.join("\n"), /no client can get in/);
  }
});

test("importConfig: what protects the gateway is converted, or nothing is", async () => {
  const tls = '[security.tls]\ncert_file = "c.pem"\nkey_file = "k.pem"\nverify_client = false\n';
  const { settings } = await imported(tls);
  assert.deepEqual(settings["mtls"], {
    server_cert: "c.pem",
    server_key: "k.pem",
    require_client_cert: false,
    enabled: true,
  });
  for (const text of [tls.replace(/key_file.*\n/, ""), '[security.auth]\nenabled = "yes"\n'])
    await assert.rejects(
      imported(text),
      /^ConfigError: What protects the gateway cannot be converted, so nothing is: /,
    );
});

test("importConfig: origins are named, or are none", async () => {
  const { settings, report } = await imported('[security.cors]\nallowed_origins = ["*", "https://a.example"]\n');
  assert.deepEqual(valueAt(settings, ["server", "allowed_origins"]), ["https://a.example"]);
  assert.match(report.join("\n"), /allowed_origins {2}left out: "\*": pages of any site are not let in/);
});

test("importConfig: the same settings as JSON; names of backends are made of those of groups, each once", async () => {
  const servers = [{ id: "s", url: "https://a.example/mcp" }];
  const groups = { "a/b": { servers }, "a b": { servers } };
  const text = JSON.stringify({ upstream: { groups } });
  const { settings } = await imported(text, "config.json");
  assert.deepEqual(Object.keys(settings["backends"] as object), ["a-b", "a-b-2"]);
});

test("importConfig: what is nothing to convert is said, with the place of what is wrong", async () => {
  const refused = (text: string, label: string, message: RegExp) => assert.rejects(imported(text, label), message);
  await refused("[server\n", "config.toml", /^ConfigError: config\.toml:1:8 {2}a "]" is missing$/);
  await refused(
    '[mcp_servers.a]\ncommand = "x"\n',
    "config.toml",
    /nothing to import: none of \[server\].*setup wizard/,
  );
  await refused("backends: {}\n", "gateway.yaml", /gateway\.yaml:1:1 {2}There is nothing to convert: use it as it is/);
  const many = `[server]\n${Array.from({ length: 5_001 }, (_, at) => `a${at} = 1`).join("\n")}\n`;
  await refused(many, "config.toml", /more than 5000 values/);
  await refused("a: [\n", "gateway.yaml", /^ConfigError: gateway\.yaml:\d+:\d+ {2}/);
});
