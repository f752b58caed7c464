/** The file of `security.identity_grants`: read whole or not at all, and every mistake with its place. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { withLastGrants } from "../../src/gateway/last-grants.ts";
import { findings, loadText, temporaryFolder } from "./fixture.ts";

const auth = "auth: {enabled: true, bearer_token: abcdefgh}\n";
const settings = (more = "") => `${auth}security: {identity_grants: {enabled: true, path: grants.yaml${more}}}\n`;

function load(t: TestContext, grants: string | undefined, more?: string) {
  const folder = temporaryFolder(t);
  if (grants !== undefined) writeFileSync(join(folder, "grants.yaml"), grants);
  return { folder, loaded: () => loadText(t, settings(more), { folder }) };
}

test("loadConfig: grants with all they can say, and what they say by default", async (t) => {
  const { folder, loaded } = load(
    t,
    `grants:
  - {id: ci, subject: "key:ci", servers: [issues, "web*"], tools: ["read_*", "web1:post"], expires_at: "2030-01-31", reason: build}
  - {email: "*@Example.COM", group: staff, servers: ["*"], expires_at: 2030-01-31T18:00:00+02:00}
`,
  );
  const { config, warnings, watchPaths, contents } = await loaded();
  assert.deepEqual(warnings, []);
  assert.deepEqual(config.grants, [
    {
      subject: "key:ci",
      email: undefined,
      group: undefined,
      servers: ["issues", "web*"],
      tools: ["read_*", "web1:post"],
      endsAt: Date.UTC(2030, 0, 31),
    },
    {
      subject: undefined,
      email: "*@example.com",
      group: "staff",
      servers: ["*"],
      tools: ["*"],
      endsAt: Date.UTC(2030, 0, 31, 16),
    },
  ]);
  assert.deepEqual(watchPaths, [join(folder, "gateway.yaml"), join(folder, "grants.yaml")]);
  assert.equal(contents[1], readFileSync(join(folder, "grants.yaml"), "utf8"));
  assert.equal((await loadText(t, auth)).config.grants, undefined, "nobody asks for grants");
});

test("loadConfig: the file is in the state directory by default, and may be there and empty of grants", async (t) => {
  const text = `${auth}security: {identity_grants: {enabled: true}}\n`;
  const [line] = await findings(t, text);
  assert.match(line ?? "", /\.mcp-gateway\/identity-grants\.yaml:1:1 {2}The file of .* does not exist$/);
  assert.deepEqual((await load(t, "grants: []\n").loaded()).config.grants, []);
});

test("loadConfig: a mistake in a grant refuses them all, with its place", async (t) => {
  for (const [grants, ...lines] of [
    ["grants: [{subject: x}]", '1:10  grants[0] needs "servers"'],
    ["grants: [{subject: x, servers: []}]", '1:10  grants[0] needs "servers"'],
    ["grants: [{servers: [a]}]", '1:10  grants[0] needs "subject", "email" or "group"'],
    ["grants: [{subject: x, servers: [a], toolz: [b]}]", "1:37  grants[0].toolz is not a known setting: did you mean"],
    ["grants: [{subject: x, servers: [a], expires_at: soon}]", "1:37  grants[0].expires_at must be a date such as"],
    ["grants: [{subject: x, servers: [a], expires_at: 2030}]", "1:37  grants[0].expires_at must be a string"],
    ["grants: [{subject: x, servers: a}]", "1:23  grants[0].servers must be a list"],
    ["- {subject: x, servers: [a]}", "1:1  The file"],
    ["grant: [{subject: x, servers: [a]}]", '1:1  grant is not a known setting: did you mean "grants"?'],
    ["grants: [", "1:"],
    ["grants: [{subject: x, servers: [a]}]\nowner: me\n", "2:1  owner is not a known setting"],
    [
      "grants: [{id: a, group: x, servers: [a]}, {id: a, group: y, servers: [b]}]",
      '1:44  grants[1].id "a" is the id of a grant before it',
    ],
    [
      "grants: [{grant_id: a, capability: b, tool: c, scope: any, revoked_at: 2020-01-01, agent: d}]",
      '1:11  grants[0].grant_id is "id" here',
      '1:24  grants[0].capability is a tool of a server here: write servers: ["gateway"]',
      "1:39  grants[0].tool is a list here",
      '1:48  grants[0].scope does not exist here: name the tools that may be used in "tools"',
      "1:60  grants[0].revoked_at does not exist here: a grant that was revoked is taken out",
      '1:84  grants[0].agent is a subject here: write subject: "agent:NAME"',
    ],
    ["grants: [{servers: [a]}, {subject: x}]", '1:10  grants[0] needs "subject"', '1:26  grants[1] needs "servers"'],
  ] as const) {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "grants.yaml"), grants);
    const found = (await findings(t, settings(), { folder })).join("\n");
    for (const line of lines) assert.ok(found.includes(`grants.yaml:${line}`), `${grants}\n${found}`);
  }
});

test("loadConfig: with fail_on_error false a broken file is a warning, and the grants before stay", async (t) => {
  const { folder, loaded } = load(t, 'grants: [{subject: "*", servers: [a]}]', ", fail_on_error: false");
  const good = (await loaded()).config;
  writeFileSync(join(folder, "grants.yaml"), "grants: [{subject: x}]");
  const { config: broken, warnings, contents } = await loaded();
  assert.equal(broken.grants, "unreadable");
  assert.match(
    warnings.join("\n"),
    /grants\.yaml:1:10 {2}grants\[0\] needs "servers".*\n.*those that were read before stay/,
  );
  assert.equal(contents[1], "grants: [{subject: x}]", "or its correction would be no change");
  assert.equal(withLastGrants(broken, good).grants, good.grants);
  assert.equal(withLastGrants(broken, { ...good, grants: undefined }).grants, "unreadable");
  rmSync(join(folder, "grants.yaml"));
  assert.equal((await loaded()).contents[1], null);
  // Another file has grants of its own.
  const elsewhere = settings(", fail_on_error: false").replace("grants.yaml", "other.yaml");
  const other = (await loadText(t, elsewhere, { folder })).config;
  assert.equal(withLastGrants(other, good).grants, "unreadable");
});

test("loadConfig: grants hold nobody to anything where everybody is an admin, and headers prove nothing", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "grants.yaml"), "grants: []");
  const open = settings().replace(auth, "");
  assert.match((await findings(t, open, { folder })).join(), /identity_grants is enabled and holds nobody to anything/);
  const believing = "security: {identity_grants: {trust_caller_identity_headers: true}}\n";
  assert.match(
    (await findings(t, believing)).join(),
    /gateway\.yaml:1:30 {2}security\.identity_grants\.trust_caller_identity_headers is not available: whoever reaches/,
  );
});
