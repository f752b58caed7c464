/** Grants added to, replaced in and removed from the text of their file: all else stays, byte for byte. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type NewGrant, withGrant, withoutGrant } from "../../src/config/identity-grants/edit-grants.ts";

const some: NewGrant = {
  id: "new",
  subject: "key:ci",
  email: undefined,
  group: undefined,
  servers: ["notes"],
  tools: undefined,
  expires_at: "2030-01-31",
  reason: "yes: all",
};
const rows = (indent: string, end = "\n") =>
  ["- id: new", "  subject: key:ci", "  servers:", "    - notes", "  expires_at: 2030-01-31", '  reason: "yes: all"']
    .map((line) => indent + line + end)
    .join("");
const flow =
  '{"id":"new","subject":"key:ci","servers":["notes"],"expires_at":"2030-01-31","reason":"yes: all"}' as const;

const house = `# Who may what
grants: # all of them

  # the first
  - id: one   # its name
    group: "staff"
    servers: ['docs*']
    # tools: [read]
  # the second
  - { id: two, subject: "key:two", servers: [a] } # by hand

# the end
`;

test("withGrant: as the last one, in whatever way the list is written", async () => {
  for (const [before, after] of [
    ["", `grants:\n${rows("  ")}`],
    ["# none yet\n", `# none yet\n\ngrants:\n${rows("  ")}`],
    ["grants: [] # none\n# end\n", `grants: # none\n${rows("  ")}# end\n`],
    [
      "grants:\r\n- {group: a, servers: [b]}\r\n# end",
      `grants:\r\n- {group: a, servers: [b]}\r\n${rows("", "\r\n")}# end`,
    ],
    ["grants: [{group: a, servers: [b]}] # x\n", `grants: [{group: a, servers: [b]}, ${flow}] # x\n`],
    [
      "grants:\n    - group: a\n      servers: [b]",
      `grants:\n    - group: a\n      servers: [b]\n${rows("    ").trimEnd()}`,
    ],
    [house, house.replace("# by hand\n", `# by hand\n${rows("  ")}`)],
  ] as const)
    assert.equal(await withGrant(before, "grants.yaml", some, false), after);
});

test("withGrant: in place of the one with its id, only when that is said", async () => {
  await assert.rejects(withGrant(house, "grants.yaml", { ...some, id: "one" }, false), {
    message: 'Cannot add the grant "one": grants.yaml has one of that id',
  });
  const first = await withGrant(house, "grants.yaml", { ...some, id: "one" }, true);
  assert.equal(
    first,
    house.replace(/- id: one[\s\S]*\['docs\*'\]\n/, rows("  ").trimStart().replace("id: new", "id: one")),
  );
  const second = await withGrant(house, "grants.yaml", { ...some, id: "two" }, true);
  assert.equal(second, house.replace(/\{ id: two.*\}/, flow.replace('"new"', '"two"')));
  const added = await withGrant(house, "grants.yaml", some, true);
  assert.ok(added.includes("id: one") && added.includes("id: two") && added.includes("id: new"));
});

test("withoutGrant: what was added goes without a trace, and an empty list stays a list", async () => {
  for (const before of [house, "grants: [{group: a, servers: [b]}] # x\n", "grants: [] # none\n# end\n"]) {
    const after = await withoutGrant(await withGrant(before, "g", some, false), "g", "new");
    assert.equal(after, before);
  }
  assert.equal(await withoutGrant(house, "g", "one"), house.replace(/ {2}- id: one[\s\S]*# tools: \[read\]\n/, ""));
  assert.equal(await withoutGrant(house, "g", "two"), house.replace(/ {2}- \{ id: two.*\n/, ""));
  const flows = "grants: [{id: a, group: a, servers: [b]}, {id: b, group: a, servers: [b]}]\n";
  assert.equal(await withoutGrant(flows, "g", "a"), "grants: [{id: b, group: a, servers: [b]}]\n");
  assert.equal(await withoutGrant(flows, "g", "b"), "grants: [{id: a, group: a, servers: [b]}]\n");
  await assert.rejects(withoutGrant(house, "grants.yaml", "ones"), {
    message: 'There is no grant "ones" in grants.yaml: did you mean "one"?',
  });
});

test("withGrant, withoutGrant: what cannot be edited safely is refused", async () => {
  const broken = withGrant("grants: [{group: a}]\n", "grants.yaml", some, false);
  await assert.rejects(broken, /^ConfigError: grants\.yaml:1:10 {2}grants\[0\] needs "servers"/);
  const unusual = { message: "Cannot change g without disturbing the rest of it" };
  await assert.rejects(withGrant("{}\n", "g", some, false), unusual);
  const needed = "grants:\n  - {id: a, group: &a x, servers: [b]}\n  - {id: b, group: *a, servers: [b]}\n";
  await assert.rejects(withoutGrant(needed, "g", "a"), unusual);
});
