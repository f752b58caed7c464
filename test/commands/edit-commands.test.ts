import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { house } from "./run-main.ts";

test("init, validate, add, list, get, remove: from nothing to a file and back, comments kept", async (t) => {
  const { folder, run } = house(t);
  const path = join(folder, "gateway.yaml");
  const created = await run("init");
  assert.equal(created.code, 0, created.err);
  assert.match(
    created.out,
    /^Created gateway\.yaml\nCreated capabilities\/knowledge\/weather_current\.yaml\nCreated capabilities\/knowledge\/public_holidays\.yaml\nProfile: local\n/,
  );
  assert.match(created.out, /"url": "http:\/\/127\.0\.0\.1:39400\/mcp"/);
  const template = readFileSync(path, "utf8");
  assert.deepEqual(await run("validate", "gateway.yaml"), {
    code: 0,
    out: "gateway.yaml is valid: 0 backend(s)\n",
    err: "",
  });
  chmodSync(path, 0o600);

  const added = await run(
    "add",
    "files",
    "-e",
    "TOKEN=s3cret",
    "-e",
    "MODE=ro",
    "-d",
    "My files",
    "--",
    "npx",
    "-y",
    "a b",
  );
  assert.deepEqual(added, { code: 0, out: "Added 'files' (stdio).\n", err: "" });
  assert.equal((await run("add", "web", "--url", "http://localhost:1/sse")).out, "Added 'web' (sse).\n");
  assert.equal(statSync(path).mode & 0o777, 0o600);

  const [list, json, shown, twice, unknown] = await Promise.all([
    run("list"),
    run("list", "--json"),
    run("get", "files"),
    run("add", "web", "--command", "x"),
    run("get", "fils"),
  ]);
  assert.equal(
    list.out,
    "2 backend(s) in gateway.yaml:\n  files (stdio)\n    My files\n  web (sse)\n    (no description)\n",
  );
  assert.deepEqual(
    (JSON.parse(json.out) as { name: string; transport: string }[]).map(({ name, transport }) => [name, transport]),
    [
      ["files", "stdio"],
      ["web", "sse"],
    ],
  );
  assert.match(
    shown.out,
    /^Name: +files\nTransport: +stdio\n[\s\S]*Command: +npx -y 'a b'\nEnvironment:\n {2}TOKEN=\[redacted\]\n {2}MODE=ro\n$/,
  );
  assert.deepEqual(
    [twice.code, twice.err.split("\n")[0]],
    [1, 'Cannot add the backend "web": gateway.yaml has one of that name'],
  );
  assert.deepEqual([unknown.code, unknown.err], [1, 'Backend "fils" is not in gateway.yaml: did you mean "files"?\n']);

  assert.equal((await run("remove", "files")).out, "Removed 'files'.\n");
  assert.equal((await run("remove", "web")).out, "Removed 'web'.\n");
  assert.equal(readFileSync(path, "utf8"), template);
  assert.equal((await run("remove", "web")).code, 1);
  assert.equal((await run("list")).out, "No backends configured in gateway.yaml.\n");

  const again = await run("init");
  assert.deepEqual(
    [again.code, again.err],
    [1, "Error: gateway.yaml already exists. Remove it first or choose a different path with --output.\n"],
  );
  const minimal = await run("init", "--profile", "minimal", "-o", "conf/small.yaml");
  assert.match(minimal.out, /^Created conf\/small\.yaml\nProfile: minimal\n/);
  assert.equal((await run("validate", "-c", "conf/small.yaml")).out, "conf/small.yaml is valid: 0 backend(s)\n");
});

test("add: makes the file where there is none, touches none that is broken, and asks for a command", async (t) => {
  const { folder, run } = house(t);
  assert.equal((await run("-c", "new.yaml", "add", "a", "--command", "x 'y z'")).code, 0);
  assert.equal(readFileSync(join(folder, "new.yaml"), "utf8"), "backends:\n  a:\n    command: x 'y z'\n");
  const broken = "backends: [\n";
  writeFileSync(join(folder, "gateway.yaml"), broken);
  const [refused, without] = await Promise.all([run("add", "a", "--command", "x"), run("add", "a")]);
  assert.deepEqual([refused.code, refused.err.startsWith("gateway.yaml:2:1  ")], [1, true]);
  assert.equal(readFileSync(join(folder, "gateway.yaml"), "utf8"), broken);
  assert.deepEqual(
    [without.code, without.err.split("\n")[0]],
    [2, 'A backend needs a command behind "--", or --command, or --url'],
  );
});

test("add: an address tells by its scheme how the server is reached, and the file is valid", async (t) => {
  const { run } = house(t);
  for (const [name, url, transport] of [
    ["far", "wss://example.com/mcp", "websocket"],
    ["near", "unix:///run/server.sock", "unix"],
  ] as const)
    assert.equal((await run("add", name, "--url", url)).out, `Added '${name}' (${transport}).\n`);
  assert.equal((await run("validate", "gateway.yaml")).out, "gateway.yaml is valid: 2 backend(s)\n");
});
