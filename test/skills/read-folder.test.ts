import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { readSkillFolder } from "../../src/skills/read-folder.ts";

function folderWith(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "gateway-skill-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

test("readSkillFolder: takes the documents and the folders of skills, and nothing that only lies beside them", async (t) => {
  const folder = folderWith(t, {
    "SKILL.md": "main",
    "SKILL.advanced.md": "more",
    "LICENSE.txt": "free",
    "references/deep/a.md": "a",
    "scripts/run.py": "print()",
    "resources/r.md": "r",
    "scripts/.hidden": "secret",
    ".env": "secret",
    "credentials.json": "secret",
    "src/main.ts": "secret",
    ".git/config.md": "secret",
    "assets/logo.png": new Uint8Array([0x89, 0x50, 0xff, 0xfe]),
    "assets/long.csv": "x".repeat(600_000),
  });
  const { text, others, leftOut } = await readSkillFolder(folder, "mine");
  assert.equal(text, "main");
  assert.deepEqual(Object.fromEntries(others), {
    "LICENSE.txt": "free",
    "SKILL.advanced.md": "more",
    "references/deep/a.md": "a",
    "resources/r.md": "r",
    "scripts/run.py": "print()",
  });
  assert.deepEqual(leftOut, ["assets/logo.png (not text)", "assets/long.csv (larger than 524288 bytes)"]);
});

for (const [what, path, target] of [
  ["a file outside", "notes.md", "/etc/hostname"],
  ["a folder outside", "references", "/etc"],
  ["a file of its own", "scripts/again.md", "../SKILL.md"],
  ["itself, from outside", "SKILL.md", "/etc/hostname"],
] as const)
  test(`T14 readSkillFolder: a link to ${what} is refused`, async (t) => {
    const folder = folderWith(t, { "scripts/a.md": "a", ...(path !== "SKILL.md" && { "SKILL.md": "main" }) });
    symlinkSync(target, join(folder, path));
    await assert.rejects(readSkillFolder(folder, "mine"), { message: new RegExp(`"mine/${path}" is a link`) });
  });

test("readSkillFolder: says what is too much", async (t) => {
  const many = folderWith(t, {
    "SKILL.md": "main",
    ...Object.fromEntries(Array.from({ length: 130 }, (_, at) => [`scripts/${at}.md`, ""])),
  });
  await assert.rejects(readSkillFolder(many, "mine"), { message: '"mine" has more than 128 files' });
  const large = folderWith(t, {
    "SKILL.md": "main",
    ...Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`assets/${at}.csv`, "x".repeat(500_000)])),
  });
  await assert.rejects(readSkillFolder(large, "mine"), { message: /"mine" holds more than 4194304 bytes/ });
  const deep = folderWith(t, { "SKILL.md": "main", [`assets/${"a/".repeat(9)}b.md`]: "" });
  await assert.rejects(readSkillFolder(deep, "mine"), { message: /is nested deeper than 8 folders/ });
  const main = folderWith(t, { "SKILL.md": "x".repeat(524_289) });
  await assert.rejects(readSkillFolder(main, "mine"), { message: '"mine/SKILL.md" is larger than 524288 bytes' });
  const folder = folderWith(t, { "SKILL.md/a.md": "a" });
  await assert.rejects(readSkillFolder(folder, "mine"), { message: '"mine/SKILL.md" is no file' });
  const latin = folderWith(t, { "SKILL.md": new Uint8Array([0xff]) });
  await assert.rejects(readSkillFolder(latin, "mine"), { message: /"mine\/SKILL.md" cannot be read: it is no UTF-8/ });
  await assert.rejects(readSkillFolder(folderWith(t, {}), "mine"), { message: '"mine/SKILL.md" does not exist' });
});
