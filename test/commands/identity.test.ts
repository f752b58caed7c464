/** `identity grants`: the file that the gateway reads, written by hand or by command. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { house } from "./run-main.ts";

const reason = ["--reason", "for now"];

test("identity grants: made, listed, replaced and revoked, in a file that is made with its folder", async (t) => {
  const { folder, run } = house(t);
  const path = join(folder, ".mcp-gateway", "identity-grants.yaml");
  const grants = (...args: string[]) => run("identity", "grants", ...args);
  assert.deepEqual(await grants("list"), {
    code: 0,
    out: "No grants in .mcp-gateway/identity-grants.yaml.\n",
    err: "",
  });
  assert.equal(existsSync(path), false);
  const what = ["--server", "notes", "--server", "docs*", "--tool", "read_*"];
  const first = await grants("grant", "--subject", "key:ci", ...what, "--expires-at", "2130-01-31", ...reason);
  assert.equal(first.code, 0, first.err);
  const [, id = ""] =
    /^Granted '(grant-[\da-f]{8})' to key:ci in \.mcp-gateway\/identity-grants\.yaml\.\n$/.exec(first.out) ?? [];
  if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(
    readFileSync(path, "utf8"),
    `grants:
  - id: ${id}
    subject: key:ci
    servers:
      - notes
      - docs*
    tools:
      - read_*
    expires_at: 2130-01-31
    reason: for now
`,
  );
  const named = ["--grant-id", "staff", "--email", "*@example.com", "--group", "staff", "--server", "*", ...reason];
  assert.equal((await grants("grant", ...named, "--ttl-seconds", "60")).code, 0);
  const twice = await grants("grant", ...named);
  assert.deepEqual(
    [twice.code, twice.err.split("\n")[0]],
    [1, 'Cannot add the grant "staff": .mcp-gateway/identity-grants.yaml has one of that id'],
  );
  writeFileSync(
    path,
    `${readFileSync(path, "utf8")}  # long ago\n  - {group: old, servers: [a], expires_at: "2020-01-01"}\n`,
  );
  const listed = JSON.parse((await grants("list", "-f", "json")).out) as Record<string, unknown>[];
  assert.deepEqual(
    listed.map(({ id: of, subject, email, group, servers, tools, expired }) => [
      of,
      subject,
      email,
      group,
      servers,
      tools,
      expired,
    ]),
    [
      [id, "key:ci", undefined, undefined, ["notes", "docs*"], ["read_*"], false],
      ["staff", undefined, "*@example.com", "staff", ["*"], ["*"], false],
      [undefined, undefined, undefined, "old", ["a"], ["*"], true],
    ],
  );
  const untilMs = Date.parse(String(listed[1]?.["expires_at"])) - Date.now();
  assert.ok(untilMs > 0 && untilMs <= 60_000, String(untilMs));
  const table = (await grants("list")).out.split("\n").map((line) => line.split(/ {2,}/));
  assert.deepEqual(table[0], ["ID", "WHO", "SERVERS", "TOOLS", "UNTIL", "REASON"]);
  assert.deepEqual(table[1], [id, "key:ci", "notes, docs*", "read_*", "2130-01-31", "for now"]);
  assert.deepEqual(table[3], ["-", "group old", "a", "*", "2020-01-01 (expired)"]);
  assert.doesNotMatch((await grants("list", "--active-only")).out, /old/);

  const replaced = await grants(
    "grant",
    "--replace",
    "--grant-id",
    id,
    "--agent",
    "builder",
    "--server",
    "x",
    ...reason,
  );
  assert.equal(replaced.code, 0, replaced.err);
  const near = await grants("revoke", "--grant-id", "stuff");
  assert.deepEqual(near, {
    code: 1,
    out: "",
    err: 'There is no grant "stuff" in .mcp-gateway/identity-grants.yaml: did you mean "staff"?\n',
  });
  assert.equal((await grants("revoke", "--grant-id", "staff")).code, 0);
  assert.equal(
    readFileSync(path, "utf8"),
    `grants:
  - id: ${id}
    subject: agent:builder
    servers:
      - x
    reason: for now
  # long ago
  - {group: old, servers: [a], expires_at: "2020-01-01"}
`,
  );
});

test("identity grants: the file of the configuration, whether or not grants are asked for; --path goes before it", async (t) => {
  const { folder, run } = house(t);
  mkdirSync(join(folder, "conf"));
  const config = join(folder, "conf", "gateway.yaml");
  const text = (more: string) => `capabilities: {name: apis}\n${more}`;
  const to = ["--any-agent", "--capability", "weather", "--capability", "news", ...reason];
  for (const enabled of [true, false]) {
    const file = `${enabled}.yaml`;
    writeFileSync(
      config,
      text(
        `auth: {enabled: true, bearer_token: abcdefgh}\nsecurity: {identity_grants: {enabled: ${enabled}, path: ${file}}}\n`,
      ),
    );
    const made = await run("-c", config, "identity", "grants", "grant", "--grant-id", "a", ...to);
    assert.equal(made.out, `Granted 'a' to agent:* in conf/${file}.\n`, made.err);
    const written = readFileSync(join(folder, "conf", file), "utf8");
    assert.match(written, /subject: agent:\*\n +servers:\n +- apis\n +tools:\n +- weather\n +- news\n/);
    assert.equal((await run("validate", config)).code, 0);
  }
  const path = ["--path", "~/mine.yaml"];
  const named = await run("identity", "grants", "grant", ...path, "--agent", "a", "--server", "b", ...reason);
  assert.match(named.out, / in mine\.yaml\.\n$/);
  writeFileSync(config, text("capabilities: {enabled: false}\n").slice(text("").length));
  const off = await run("-c", config, "identity", "grants", "grant", ...path, ...to);
  assert.match(off.err, /^There are no capabilities: /);
});

test("identity grants list: what a terminal would obey is shown, not sent", async (t) => {
  const { folder, run } = house(t);
  writeFileSync(join(folder, "grants.yaml"), 'grants: [{id: "a\\e[2J", group: g, servers: [b], reason: "\\u202ex"}]\n');
  for (const format of ["table", "json"]) {
    const { code, out } = await run("identity", "grants", "list", "--path", "grants.yaml", "-f", format);
    assert.equal(code, 0);
    assert.match(out, /a\\u001b\[2J/);
    assert.doesNotMatch(out, /[\u001b\u202e]/);
  }
});

test("identity grants: a broken file is refused with its place and stays", async (t) => {
  const { folder, run } = house(t);
  const path = join(folder, "grants.yaml");
  const line = ["--path", "grants.yaml"];
  for (const [text, says] of [
    ["grants: [", /^grants\.yaml:1:/],
    ["grants:\n  - {subject: x}\n", /^grants\.yaml:2:5 {2}grants\[0\] needs "servers"/],
    [
      "grants:\n  - {grant_id: x, group: a, servers: [b]}\n",
      /^grants\.yaml:2:6 {2}grants\[0\]\.grant_id is "id" here\n/,
    ],
    ["grants:\n", /^grants\.yaml:1:1 {2}grants must be a list/],
  ] as const) {
    writeFileSync(path, text);
    for (const args of [
      ["list"],
      ["revoke", "--grant-id", "x"],
      ["grant", "--agent", "a", "--server", "b", ...reason],
    ]) {
      const { code, out, err } = await run("identity", "grants", ...args, ...line);
      assert.deepEqual([code, out], [1, ""], err);
      assert.match(err, says);
    }
    assert.equal(readFileSync(path, "utf8"), text);
  }
});

test("identity grants: a line that says too little, too much or nothing of use is refused, and writes nothing", async (t) => {
  const { folder, run } = house(t);
  const who = ["--agent", "a"];
  const what = ["--server", "b"];
  for (const [args, says] of [
    [[...who, ...what], /^--reason is missing/],
    [[...what, ...reason], /^Say to whom/],
    [[...who, ...reason], /^Say of what/],
    [[...who, "--tool", "t", ...reason], /^Say of what/],
    [[...who, "--any-agent", ...what, ...reason], /^Give one of --subject, --agent and --any-agent/],
    [["--subject", "ada", ...what, ...reason], /^--subject must be AUTHORITY:SUBJECT, such as "key:ada"/],
    [["--subject", "", "--group", "g", ...what, ...reason], /^--subject is empty/],
    [[...who, "--server", "", ...reason], /^--server is empty/],
    [[...who, ...what, "--capability", "c", ...reason], /^--capability stands for a server and its tools/],
    [[...who, ...what, "--expires-at", "2130-01-31", "--ttl-seconds", "1", ...reason], /^Give --expires-at or --ttl/],
    [[...who, ...what, "--expires-at", "soon", ...reason], /^--expires-at must be a date such as/],
    [[...who, ...what, "--expires-at", "2020-01-31", ...reason], /^--expires-at must be in the future/],
    [[...who, ...what, "--ttl-seconds", "1.5", ...reason], /^--ttl-seconds must be a whole number from 1 to/],
    [[...who, ...what, "--ttl-seconds", "99999999999", ...reason], /^--ttl-seconds must be a whole number from 1 to/],
    [[...who, ...what, "--replace", ...reason], /^--replace needs the --grant-id/],
    [[...who, ...what, "--scope", "read", ...reason], /^Unknown option "--scope"/],
  ] as const) {
    const { code, err } = await run("identity", "grants", "grant", ...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, says);
  }
  assert.equal((await run("identity", "grants", "revoke")).code, 2);
  assert.equal(existsSync(join(folder, ".mcp-gateway")), false);
});
