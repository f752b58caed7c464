import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseSkill } from "../../src/skills/parse-skill.ts";
import { addToRegistry, readRegistry, removeFromRegistry } from "../../src/skills/registry.ts";

function registryIn(t: TestContext, content?: string): string {
  const folder = mkdtempSync(join(tmpdir(), "gateway-registry-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "skills.json");
  if (content !== undefined) writeFileSync(path, content);
  return path;
}

const text = (name: string, more = "") =>
  `---\nname: ${name}\ndescription: What ${name} does\n${more}---\nBody of ${name}\n`;

/** As the product this one replaces writes it. */
const older = {
  schema: 1,
  skills: {
    "code-review": {
      name: "code-review",
      description: "Reviews a change: says what is wrong",
      version: "1.2.3",
      effort: "high",
      allowed_tools: ["Bash(git:*)", "Read"],
      triggers: ["review"],
      body: "# Review\n\n```bash\ngit diff\n```\n",
      code_blocks: [{ lang: "bash", content: "git diff" }],
      extra: { license: "MIT", metadata: { author: "acme: inc" } },
      source_path: "/home/ada/code-review/SKILL.md",
      auxiliary_files: ["/etc/passwd"],
      later: 12345678901234567890n,
    },
    "Bad Name": { name: "Bad Name", description: "x", body: "" },
  },
  of_the_file: true,
};
const olderText = JSON.stringify(older, (_key, value) => (typeof value === "bigint" ? "DIGITS" : value)).replace(
  '"DIGITS"',
  "12345678901234567890",
);

test("registry: one of the older product is read; what it cannot serve is told, and files it names are not opened", async (t) => {
  const { skills, problems } = await readRegistry(registryIn(t, olderText));
  assert.deepEqual(
    skills.map(({ name, source }) => ({ name, source })),
    [{ name: "code-review", source: "/home/ada/code-review/SKILL.md" }],
  );
  const [skill] = skills;
  assert.deepEqual(skill?.frontmatter, {
    name: "code-review",
    description: "Reviews a change: says what is wrong",
    version: "1.2.3",
    effort: "high",
    "allowed-tools": ["Bash(git:*)", "Read"],
    triggers: ["review"],
    license: "MIT",
    metadata: { author: "acme: inc" },
  });
  assert.deepEqual([...(skill?.files.keys() ?? [])], ["SKILL.md"]);
  assert.match(skill?.body ?? "", /```bash\ngit diff\n```/);
  assert.match(problems.join("\n"), /^Bad Name\/SKILL\.md:2:1 {2}"name" must be/);
});

test("registry: adding and removing keep everything else, and a long number its digits", async (t) => {
  const path = registryIn(t, olderText);
  const skill = await parseSkill("a", text("pdf", "allowed-tools: Bash(git add:*) Read\nversion: 1.5\nx-mine: 1\n"), [
    ["scripts/a.py", "print()"],
  ]);
  assert.equal(await addToRegistry(path, skill, { source_url: "https://example.com/SKILL.md" }), false);
  assert.equal(await addToRegistry(path, skill, { source_url: "https://example.com/SKILL.md" }), true);
  const written = readFileSync(path, "utf8");
  assert.match(written, /"later": 12345678901234567890/);
  const { schema, skills, of_the_file } = JSON.parse(written);
  assert.deepEqual([schema, of_the_file, Object.keys(skills)], [1, true, ["Bad Name", "code-review", "pdf"]]);
  assert.deepEqual(skills.pdf, {
    name: "pdf",
    description: "What pdf does",
    version: "1.5",
    allowed_tools: ["Bash(git add:*)", "Read"],
    triggers: [],
    keywords: [],
    body: "Body of pdf\n",
    code_blocks: [],
    extra: { "x-mine": 1 },
    source_url: "https://example.com/SKILL.md",
    files: { "SKILL.md": skill.files.get("SKILL.md"), "scripts/a.py": "print()" },
  });
  assert.equal(await removeFromRegistry(path, "pdf"), true);
  assert.equal(await removeFromRegistry(path, "pdf"), false);
  assert.equal(await removeFromRegistry(path, "__proto__"), false);
  assert.match(readFileSync(path, "utf8"), /"later": 12345678901234567890/);
  assert.deepEqual(readdirSync(join(path, "..")), ["skills.json"]);
});

test("registry: a missing one is empty, and is made for its owner alone", async (t) => {
  const path = registryIn(t);
  assert.deepEqual(await readRegistry(path), { skills: [], problems: [] });
  assert.equal(await removeFromRegistry(path, "a"), false);
  await addToRegistry(path, await parseSkill("a", text("a")), { source_path: "/a/SKILL.md" });
  if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
  const [skill] = (await readRegistry(path)).skills;
  assert.equal(skill?.files.get("SKILL.md"), text("a"));
});

for (const [what, content, message] of [
  ["is cut short", '{"schema": 1, "skills": {', /is no registry of skills: .*Mend it, or move it away/s],
  ["is a list", "[]", /is no registry of skills: it is not an object/],
  ["is of a later schema", '{"schema": 2, "skills": {}}', /is of schema 2; this program knows 1/],
  ["has no map of skills", '{"schema": 1, "skills": []}', /"skills" in .* must be an object/],
] as const)
  test(`registry: one that ${what} is refused and stays as it is`, async (t) => {
    const path = registryIn(t, content);
    await assert.rejects(readRegistry(path), { message });
    await assert.rejects(addToRegistry(path, await parseSkill("a", text("a")), {}), { message });
    assert.equal(readFileSync(path, "utf8"), content);
  });

test("registry: paths that lead out of a skill are dropped, an entry under another name is left out", async (t) => {
  const files = { "SKILL.md": text("a"), "../b.md": "b", "/c.md": "c", "d//e.md": "e", "f/g.md": "g", "h.md": 1 };
  const path = registryIn(t, JSON.stringify({ schema: 1, skills: { a: { files }, other: { files }, none: 7 } }));
  const { skills, problems } = await readRegistry(path);
  assert.deepEqual([...(skills[0]?.files.keys() ?? [])], ["SKILL.md", "f/g.md"]);
  assert.equal(skills.length, 1);
  assert.match(problems.join("\n"), /^none\/SKILL\.md {2}The entry must be an object\n"other" in .* named "a"$/);
});
