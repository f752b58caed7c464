import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { house } from "./run-main.ts";

const text = `server: {host: 127.0.0.1}
auth:
  enabled: true
  bearer_token: literal-secret
  api_keys:
    - {key: "env:KEY", name: one}
    - {key: other-secret}
backends:
  gh:
    command: npx gh
    timeout: 5s
    env: {TOKEN: "\${TOK}", PLAIN: ghp_0123456789abcdefghij}
`;
const variables = { KEY: "k-from-env", TOK: "t-from-env", MCP_GATEWAY_SERVER__PORT: "4000" };

test("config show: each setting with its source, secrets hidden, references as they are written", async (t) => {
  const { folder, run } = house(t, variables);
  writeFileSync(join(folder, "gateway.yaml"), text);
  const { code, out, err } = await run("config", "show", "--host", "0.0.0.0");
  assert.deepEqual([code, err], [0, ""]);
  const rows = new Map(
    out
      .trimEnd()
      .split("\n")
      .map((line) => /^(\S+) +(.*)$/.exec(line)!.slice(1) as [string, string]),
  );
  assert.equal(rows.get("server.host"), "0.0.0.0  (--host)");
  assert.equal(rows.get("server.port"), "4000  (MCP_GATEWAY_SERVER__PORT)");
  assert.equal(rows.get("server.request_timeout"), "300s  (default)");
  assert.equal(rows.get("auth.bearer_token"), "[redacted]  (gateway.yaml:4:3)");
  assert.equal(rows.get("auth.api_keys"), '[{"key":"env:KEY","name":"one"},{"key":"[redacted]"}]  (gateway.yaml:5:3)');
  assert.equal(rows.get("backends.gh.env.TOKEN"), "$" + "{TOK}  (gateway.yaml:12:11)");
  assert.equal(rows.get("backends.gh.env.PLAIN"), "[redacted]  (gateway.yaml:12:28)");
  assert.equal(rows.get("backends.gh.timeout"), "5s  (gateway.yaml:11:5)");
  assert.ok(!rows.has("backends.gh.start_timeout"), "the defaults of a backend are not asked for");
  assert.doesNotMatch(out, /literal-secret|other-secret|from-env|ghp_/);
  const below = JSON.parse((await run("config", "show", "backends.gh", "--json")).out) as {
    key: string;
    from: string;
  }[];
  assert.ok(below.some(({ key, from }) => key === "backends.gh.start_timeout" && from === "default"));
  const changed = await run("config", "show", "server", "--changed");
  assert.equal(changed.out.split("\n").length, 3);
  const wrong = await run("config", "show", "servr");
  assert.deepEqual([wrong.code, wrong.err], [1, 'There is no setting "servr": did you mean "server"?\n']);
});

test("config export: what it prints with its secrets is the same configuration; without them nothing is given away", async (t) => {
  const { folder, run } = house(t, variables);
  writeFileSync(join(folder, "gateway.yaml"), text);
  const masked = await run("config", "export");
  assert.match(masked.out, /port: 4000/);
  assert.doesNotMatch(masked.out, /literal-secret|other-secret|from-env|ghp_/);
  assert.equal((await run("config", "export", "--secrets", "--defaults", "-o", "all.yaml")).out, "Created all.yaml\n");
  const [first, second] = [
    await run("config", "export", "--secrets", "--defaults"),
    await run("-c", "all.yaml", "config", "export", "--secrets"),
  ];
  assert.equal(first.out, second.out);
  assert.equal(readFileSync(join(folder, "all.yaml"), "utf8"), first.out);
  assert.equal((await run("config", "export", "-o", "all.yaml")).code, 1);
  const json = JSON.parse((await run("config", "export", "-f", "json", "--secrets")).out) as {
    auth: { bearer_token: string };
  };
  assert.equal(json.auth.bearer_token, "literal-secret");
});

test("completions: bash completes commands, options and their values", async (t) => {
  const { folder, run } = house(t);
  const script = join(folder, "completion.bash");
  writeFileSync(script, (await run("completions", "bash")).out);
  const complete = (...words: string[]) => {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const line = `source ${script}; COMP_WORDS=(mcp-gateway ${quoted}); COMP_CWORD=${words.length}; _mcp_gateway; echo "\${COMPREPLY[*]}"`;
    return spawnSync("bash", ["--norc", "-c", line], { encoding: "utf8" }).stdout.trim();
  };
  assert.equal(complete("se"), "serve setup");
  assert.equal(complete("config", ""), "show export import schema");
  assert.equal(complete("setup", "export", "--mo"), "--mode");
  assert.equal(complete("setup", "export", "-m", ""), "auto proxy stdio");
  assert.equal(complete("setup", "export", "-t", "cu"), "cursor");
  assert.equal(complete("-c", "x.yaml", "setup", "wizard", "--dr"), "--dry-run");
  assert.equal(complete("add", "x", "--", ""), "");
  for (const shell of ["zsh", "fish"]) assert.match((await run("completions", shell)).out, /mcp-gateway/);
  const unknown = await run("completions", "tcsh");
  assert.deepEqual([unknown.code, unknown.err.split("\n")[0]], [2, 'SHELL must be bash, zsh or fish, not "tcsh"']);
});
