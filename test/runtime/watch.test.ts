import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { filesBelow, watchTree } from "../../src/runtime/watch.ts";

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gateway-watch-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Resolves once the watch has told of something after this was called. */
function watching(t: TestContext, folder: string) {
  let events = 0;
  const watcher = watchTree(folder, [".yaml"], () => (events += 1), { pollMs: 30 });
  t.after(() => watcher.close());
  const after = async (change: () => void) => {
    await pause(100);
    const before = events;
    change();
    for (let waited = 0; events === before; waited += 10) {
      assert.ok(waited < 5_000, "no event within 5 s");
      await pause(10);
    }
  };
  return { after, count: () => events };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test("watchTree: files in folders made later, moved-in folders, removal", async (t) => {
  const folder = folderFor(t);
  const { after } = watching(t, folder);
  await after(() => {
    mkdirSync(join(folder, "a/b"), { recursive: true });
    writeFileSync(join(folder, "a/b/one.yaml"), "1");
  });
  await after(() => writeFileSync(join(folder, "a/b/one.yaml"), "2"));
  await after(() => rmSync(join(folder, "a/b/one.yaml")));
  const outside = folderFor(t);
  mkdirSync(join(outside, "moved"));
  writeFileSync(join(outside, "moved/two.yaml"), "1");
  await after(() => renameSync(join(outside, "moved"), join(folder, "moved")));
  assert.deepEqual(await filesBelow(folder, [".yaml"]), [join(folder, "moved/two.yaml")]);
});

test("watchTree: a folder that does not exist yet, and one made anew", async (t) => {
  const folder = join(folderFor(t), "later");
  const { after } = watching(t, folder);
  const make = () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "x.yaml"), "1");
  };
  await after(make);
  await after(() => rmSync(folder, { recursive: true }));
  await after(make);
  await after(() => writeFileSync(join(folder, "x.yaml"), "2"));
});

test("watchTree: other files are not told of", async (t) => {
  const folder = folderFor(t);
  const { count, after } = watching(t, folder);
  await pause(100);
  writeFileSync(join(folder, "notes.txt"), "x");
  await pause(100);
  assert.equal(count(), 0);
  await after(() => writeFileSync(join(folder, "x.yaml"), "1"));
});
