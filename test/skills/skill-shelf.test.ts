import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Logger, silentLogger } from "../../src/core/log.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { parseSkill } from "../../src/skills/parse-skill.ts";
import { addToRegistry, removeFromRegistry } from "../../src/skills/registry.ts";
import { serveSkills } from "../../src/skills/served-skills.ts";
import { SkillShelf } from "../../src/skills/skill-shelf.ts";

const text = (name: string, body = "Body") => `---\nname: ${name}\ndescription: What ${name} does\n---\n${body}\n`;
const skill = (name: string, body?: string, others: [string, string][] = []) =>
  parseSkill(name, text(name, body), others);

test("serveSkills: every file has its address, its kind, its size and its digest", async () => {
  const pdf = await skill("pdf", "Grüße", [
    ["references/a b.md", "a"],
    ["references/deep/c.json", "{}"],
    ["scripts/run.zig", "x"],
  ]);
  const { skills, listed, files, directories } = serveSkills([pdf]);
  const main = text("pdf", "Grüße");
  const size = Buffer.byteLength(main);
  const shown = {
    uri: "skill://pdf/SKILL.md",
    name: "pdf",
    description: "What pdf does",
    mimeType: "text/markdown",
    size,
  };
  assert.deepEqual(listed, [shown]);
  const digest = (content: string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;
  assert.deepEqual(skills[0]?.entry, {
    uri: "skill://pdf/SKILL.md",
    frontmatter: { name: "pdf", description: "What pdf does" },
    resources: [
      { uri: "skill://pdf/SKILL.md", digest: digest(main), size },
      { uri: "skill://pdf/references/a%20b.md", digest: digest("a"), size: 1 },
      { uri: "skill://pdf/references/deep/c.json", digest: digest("{}"), size: 2 },
      { uri: "skill://pdf/scripts/run.zig", digest: digest("x"), size: 1 },
    ],
  });
  const deep = { uri: "skill://pdf/references/deep", name: "deep", mimeType: "inode/directory" };
  const first = { uri: "skill://pdf/references/a%20b.md", name: "a b.md", mimeType: "text/markdown", size: 1 };
  assert.deepEqual(directories.get("skill://pdf/references"), [first, deep]);
  assert.deepEqual(directories.get("skill://pdf"), [
    shown,
    { uri: "skill://pdf/references", name: "references", mimeType: "inode/directory" },
    { uri: "skill://pdf/scripts", name: "scripts", mimeType: "inode/directory" },
  ]);
  assert.equal(files.get("skill://pdf/scripts/run.zig")?.resource["mimeType"], "text/plain");
});

test("SkillShelf: tells what changed, and a registry that breaks takes nothing away", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gateway-shelf-"));
  const path = join(folder, "skills.json");
  const warnings: string[] = [];
  let heard = (_uris: readonly string[]) => {};
  let warned = () => {};
  const log: Logger = {
    ...silentLogger,
    warn(message) {
      warnings.push(message);
      warned();
    },
  };
  const shelf = new SkillShelf({ path, log, clock: systemClock, onChanged: (uris) => heard(uris), pollMs: 50 });
  t.after(() => {
    shelf.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const change = async (edit: () => Promise<unknown>) => {
    const { promise, resolve } = Promise.withResolvers<readonly string[]>();
    heard = resolve;
    await edit();
    return promise;
  };
  const names = async () => (await shelf.served()).skills.map((served) => served.skill.name);
  assert.deepEqual(await names(), []);
  assert.deepEqual(await change(async () => addToRegistry(path, await skill("a"), {})), []);
  assert.deepEqual(await change(async () => addToRegistry(path, await skill("b"), {})), []);
  assert.deepEqual(await names(), ["a", "b"]);
  assert.deepEqual(await change(async () => addToRegistry(path, await skill("a", "New"), {})), ["skill://a/SKILL.md"]);
  assert.deepEqual(await change(() => removeFromRegistry(path, "b")), ["skill://b/SKILL.md"]);
  const broken = new Promise<void>((resolve) => {
    warned = resolve;
  });
  writeFileSync(path, "{");
  await broken;
  assert.deepEqual(await names(), ["a"]);
  assert.deepEqual(warnings, ["The skills cannot be read, those of before stay"]);
});
