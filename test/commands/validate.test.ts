import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { house } from "./run-main.ts";

test("validate: every problem with its place on stderr, unknown keys included, exit code 1", async (t) => {
  const { folder, run } = house(t);
  writeFileSync(join(folder, "gateway.yaml"), "sever: {}\nbackends:\n  a: {comand: x}\n");
  writeFileSync(join(folder, "good.yaml"), "marketplace: {plugin_dir: /plugins}\nbackends:\n  a: {command: x}\n");
  const err = `gateway.yaml:1:1  sever is not a known setting: did you mean "server"?
gateway.yaml:3:7  backends.a needs one of "command", "http_url", "a2a_url" or "replicas": did you mean "command" for "comand"?
`;
  const [both, flag, missing, none] = await Promise.all([
    run("validate", "good.yaml", "gateway.yaml"),
    run("--validate", "--port", "1"),
    run("validate", "nope.yaml"),
    house(t).run("validate"),
  ]);
  assert.deepEqual(both, {
    code: 1,
    out: "good.yaml is valid: 1 backend(s), 1 warning(s)\n",
    err: `good.yaml:1:1  marketplace is not active yet\n${err}`,
  });
  assert.deepEqual(flag, { code: 1, out: "", err });
  assert.deepEqual(
    [missing.code, missing.err],
    [1, `Configuration file "${join(folder, "nope.yaml")}" does not exist\n`],
  );
  assert.deepEqual([none.code, none.out], [0, "There is no configuration file: the built-in defaults are used\n"]);
});

test("serve: a broken file starts nothing, tells everything, exit code 1", async (t) => {
  const { folder, run } = house(t);
  writeFileSync(join(folder, "gateway.yaml"), "server: {port: x}\nbackends:\n  a: {}\n");
  const { code, out, err } = await run("serve");
  assert.deepEqual([code, out], [1, ""]);
  assert.match(
    err,
    /^gateway\.yaml:1:10 {2}server\.port must be [^\n]*\ngateway\.yaml:3:3 {2}backends\.a needs one of [^\n]*\n$/,
  );
});

test("config schema: prints the JSON Schema", async (t) => {
  const { code, out } = await house(t).run("config", "schema");
  assert.equal(code, 0);
  assert.equal((JSON.parse(out) as { title: string }).title, "MCP Gateway configuration");
});
