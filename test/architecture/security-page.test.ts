/** `.github/SECURITY.md` claims nothing that no test shows: every test it names is there and is about what it says. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(join(root, ".github", "SECURITY.md"), "utf8");

interface Row {
  readonly id: string;
  readonly text: string;
  readonly files: readonly string[];
}

const rows = [...page.matchAll(/^\| (ASI\d\d|T\d+) .*$/gm)].map(([text, id]): Row => {
  const files = [...text.matchAll(/`([^`]+)`/g)].map(([, file]) => file as string);
  return { id: id as string, text, files };
});

const mentions = (text: string, id: string) => new RegExp(`\\b${id}\\b`).test(text);

test("SECURITY.md: has every risk and every threat once, in order", () => {
  const risks = Array.from({ length: 10 }, (_, at) => `ASI${String(at + 1).padStart(2, "0")}`);
  const threats = Array.from({ length: 26 }, (_, at) => `T${at + 1}`);
  assert.deepEqual(
    rows.map(({ id }) => id),
    [...risks, ...threats],
  );
});

test("SECURITY.md: every test it names exists, and is about the threat", () => {
  for (const { id, files } of rows)
    for (const file of files) {
      assert.match(file, /^test\/[\w/-]+\.test\.ts$/);
      assert.ok(existsSync(join(root, file)), `${file}, named for ${id}, does not exist`);
      if (id.startsWith("T"))
        assert.ok(mentions(readFileSync(join(root, file), "utf8"), id), `${file} does not mention ${id}`);
    }
});

test("SECURITY.md: what has no test says so, and nothing else does", () => {
  const all = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".test.ts"),
  );
  const texts = all.map((path) => readFileSync(join(root, "test", path), "utf8"));
  for (const { id, text, files } of rows) {
    if (files.length > 0) continue;
    assert.match(text, /\| none \|$/, `${id} names no test: say "none"`);
    assert.ok(!texts.some((one) => mentions(one, id)), `${id} has a test, and the page says it has none`);
  }
});
