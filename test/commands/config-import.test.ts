import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { house } from "./run-main.ts";

const toml = `[server]
host = "127.0.0.1"
port = 8080
workers = 8
[upstream.groups.files]
strategy = "round_robin"
servers = [{ id = "files", url = "http://localhost:4001", weight = 100 }]
[upstream.connection_pool]
max_connections_per_host = 128
[security.auth.basic_auth_users]
ann = "secret-of-ann"
`;

test("config import: writes what validate takes, with the reasons as comments, for its owner alone", async (t) => {
  const { folder, run } = house(t);
  writeFileSync(join(folder, "config.toml"), toml);
  const { code, out, err } = await run("config", "import", "config.toml");
  assert.deepEqual([code, err], [0, ""]);
  assert.match(out, /^config\.toml:2:1 {2}server\.host → server\.host\n/);
  assert.match(out, /^config\.toml:4:1 {2}server\.workers {2}left out: one process serves every connection$/m);
  assert.match(out, /Created gateway\.yaml: mcp-gateway serve --config gateway\.yaml\n$/);
  assert.doesNotMatch(out, /secret-of-ann/);
  const written = readFileSync(join(folder, "gateway.yaml"), "utf8");
  assert.equal(
    written,
    `# Converted from "config.toml" by mcp-gateway config import.
server:
  host: 127.0.0.1
  port: 8080
failsafe:
  concurrency:
    # upstream.connection_pool.max_connections_per_host: calls that may run at one backend at once, over however many connections
    max_concurrent: 128
backends:
  files:
    http_url: http://localhost:4001
auth:
  # security.auth.basic_auth_users: each may call everything, and is no admin
  users:
    - name: ann
      password: secret-of-ann
`,
  );
  if (process.platform !== "win32") assert.equal(statSync(join(folder, "gateway.yaml")).mode & 0o777, 0o600);
  assert.deepEqual(await run("validate"), { code: 0, out: "gateway.yaml is valid: 1 backend(s)\n", err: "" });
});

test("config import: replaces nothing unless told to, and never what it reads; a dry run only shows", async (t) => {
  const { folder, run } = house(t);
  const target = join(folder, "gateway.yaml");
  writeFileSync(join(folder, "config.toml"), toml);
  writeFileSync(target, "# mine\n");
  const refused = await run("config", "import", "config.toml");
  assert.deepEqual(refused, {
    code: 1,
    out: "",
    err: '"gateway.yaml" already exists: use --force to replace it, or another --output\n',
  });
  const dry = await run("config", "import", "config.toml", "--dry-run");
  assert.equal(dry.code, 0);
  assert.match(dry.out, /^# gateway\.yaml$[\s\S]*password: "\[redacted\]"/m);
  assert.doesNotMatch(dry.out, /secret-of-ann/);
  assert.equal(readFileSync(target, "utf8"), "# mine\n");
  const itself = await run("config", "import", "config.toml", "-o", "config.toml", "--force");
  assert.deepEqual([itself.code, itself.out], [1, ""]);
  assert.equal(readFileSync(join(folder, "config.toml"), "utf8"), toml);
  assert.equal((await run("config", "import", "config.toml", "--force")).code, 0);
  assert.match(readFileSync(target, "utf8"), /port: 8080/);
  const left = readdirSync(folder).filter((name) => /toml|yaml|tmp/.test(name));
  assert.deepEqual(left.sort(), ["config.toml", "gateway.yaml"]);
});

test("config import: what cannot be converted writes nothing", async (t) => {
  const { folder, run } = house(t);
  writeFileSync(join(folder, "broken.toml"), "[server]\nport = \n");
  writeFileSync(join(folder, "open.toml"), '[security.tls]\ncert_file = "c.pem"\n');
  const [broken, open, missing] = await Promise.all([
    run("config", "import", "broken.toml"),
    run("config", "import", "open.toml"),
    run("config", "import", "none.toml"),
  ]);
  assert.deepEqual([broken.code, broken.err], [1, "broken.toml:2:8  a value is missing\n"]);
  assert.match(open.err, /^What protects the gateway cannot be converted, so nothing is: mtls needs "server_key"/);
  assert.match(missing.err, /none\.toml" does not exist\n$/);
  assert.equal(existsSync(join(folder, "gateway.yaml")), false);
});
