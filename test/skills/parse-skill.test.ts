import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../src/core/errors.ts";
import { codeBlocks } from "../../src/skills/code-blocks.ts";
import { parseSkill } from "../../src/skills/parse-skill.ts";
import { keywordsOf, versionOf } from "../../src/skills/skill.ts";

const good = `---
name: pdf-forms
description: Fills PDF forms. Use it when a PDF has fields.
license: Apache-2.0
metadata: {version: "2.1", author: acme}
allowed-tools: Bash(git add:*) Read
triggers: pdf form, fill in
keywords: [acrobat]
x-own: {deep: [1, true]}
---

# Forms

See [more](references/FORMS.md).
`;

async function problemsOf(text: string): Promise<string> {
  const error = await parseSkill("a/SKILL.md", text).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ConfigError, `was taken: ${text.slice(0, 80)}`);
  return error.message;
}

test("parseSkill: keeps everything the author wrote, byte for byte", async () => {
  const skill = await parseSkill("a/SKILL.md", good, [["references/FORMS.md", "forms"]]);
  assert.equal(skill.name, "pdf-forms");
  assert.equal(skill.description, "Fills PDF forms. Use it when a PDF has fields.");
  assert.deepEqual(skill.frontmatter["x-own"], { deep: [1, true] });
  assert.equal(skill.body, "\n# Forms\n\nSee [more](references/FORMS.md).\n");
  assert.deepEqual(
    [...skill.files],
    [
      ["SKILL.md", good],
      ["references/FORMS.md", "forms"],
    ],
  );
  assert.equal(versionOf(skill), "2.1");
  assert.deepEqual(keywordsOf(skill), ["pdf form", "fill in", "acrobat"]);
});

test("parseSkill: lines may end as on Windows", async () => {
  const skill = await parseSkill("a", good.replaceAll("\n", "\r\n"));
  assert.equal(skill.name, "pdf-forms");
  assert.equal(skill.body.trim().split("\r\n", 1)[0], "# Forms");
});

test("parseSkill: every mistake is told with its place in the file", async () => {
  const broken = `---
license: [MIT]
name: PDF_Forms
description: ""
metadata: text
keywords: {a: 1}
compatibility: ${"x".repeat(501)}
---
`;
  assert.equal(
    await problemsOf(broken),
    `a/SKILL.md:2:1  "license" must be a text
a/SKILL.md:3:1  "name" must be at most 64 lower-case letters, digits and single hyphens between them
a/SKILL.md:4:1  "description" must say what the skill does and when to use it
a/SKILL.md:5:1  "metadata" must be a mapping of texts: put numbers between quotes
a/SKILL.md:6:1  "keywords" must be a list of texts
a/SKILL.md:7:1  "compatibility" must be a text of at most 500 characters`,
  );
});

const faults: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
  "no front matter": ["# Title", /^a\/SKILL\.md:1:1 {2}A skill must begin with a "---" line/],
  "something before it": ["\n---\nname: a\n---\n", /:1:1 {2}A skill must begin/],
  "a web page": ["<!doctype html>", /:1:1 {2}This is a web page/],
  "no end": ["---\nname: a\n", /has no closing "---" line/],
  "no name": ["---\ndescription: x\n---\n", /:2:1 {2}"name" is missing/],
  "no mapping": ["---\n- a\n---\n", /must be a mapping/],
  empty: ["---\n---\n", /must be a mapping/],
  "broken YAML": ["---\nname: a\n  description: [x\n---\n", /^a\/SKILL\.md:\d+:\d+ {2}/],
  "a key twice": ["---\nname: a\nname: b\ndescription: c\n---\n", /:3:1 {2}The key "name" is there twice/],
  "a custom tag": ["---\nname: !x a\ndescription: b\n---\n", /:2:\d+ {2}/],
  "a prototype": ["---\nname: a\ndescription: b\n__proto__: {x: 1}\n---\n", /:4:1 {2}The key "__proto__"/],
  "a number in metadata": ["---\nname: a\ndescription: b\nmetadata: {version: 1.0}\n---\n", /:4:1 .*between quotes/],
  "a long description": [`---\nname: a\ndescription: ${"x".repeat(1_025)}\n---\n`, /:3:1 .*1024 characters/],
};
for (const [what, [text, message]] of Object.entries(faults))
  test(`parseSkill: ${what} is refused`, async () => assert.match(await problemsOf(text), message));

for (const name of ["-a", "a-", "a--b", "A", "a b", "a.b", "ä", "x".repeat(65), "../up", "12.5e3"])
  test(`parseSkill: "${name.slice(0, 10)}" is no name`, async () => {
    assert.match(await problemsOf(`---\nname: "${name}"\ndescription: d\n---\n`), /:2:1 {2}"name" must be/);
  });

const levels = "abcdefghi".split("");
const bombs: Readonly<Record<string, string>> = {
  "billion laughs": levels
    .map((name, level) => `${name}: &${name} [${Array(9).fill(level === 0 ? "lol" : `*${levels[level - 1]}`)}]`)
    .join("\n"),
  "aliases of one long text": `a: &a ${"x".repeat(10_000)}\nb: [${Array(1_000).fill("*a")}]`,
  "nested lists": "[".repeat(100_000),
  "nested mappings": "{a: ".repeat(50_000),
  "deep indentation": Array.from({ length: 1_000 }, (_, level) => `${" ".repeat(level)}a:`).join("\n"),
};
for (const [what, yaml] of Object.entries(bombs))
  test(`T15: front matter of ${what} is refused at little cost`, async () => {
    await parseSkill("a", good);
    const before = process.cpuUsage();
    await problemsOf(`---\nname: a\ndescription: b\n${yaml}\n---\n`);
    const { user, system } = process.cpuUsage(before);
    assert.ok((user + system) / 1_000 < 800, `took ${(user + system) / 1_000} ms`);
  });

test("codeBlocks: those of the kinds that could be run, whatever the fence", () => {
  const markdown = [
    "```bash",
    "echo 1",
    "",
    "echo 2",
    "```",
    "~~~~ PY title",
    "~~~",
    "x = 1",
    "~~~~",
    "```js",
    "```json",
    "```",
    "  ```json",
    '{"a": 1}',
    "  ```",
    "```sh",
    "never closed",
  ].join("\n");
  assert.deepEqual(codeBlocks(markdown), [
    { lang: "bash", content: "echo 1\n\necho 2" },
    { lang: "py", content: "~~~\nx = 1" },
    { lang: "json", content: '{"a": 1}' },
    { lang: "sh", content: "never closed" },
  ]);
});
