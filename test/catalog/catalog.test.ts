import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createCatalog } from "../../src/catalog/create-catalog.ts";
import { createListStore } from "../../src/catalog/list-store.ts";

const files = { name: "files", description: "", key: "k1" };
const read = {
  name: "read",
  title: "Read",
  annotations: { readOnlyHint: true },
  _meta: { "v/x": { b: 1, a: [null] } },
};

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "catalog-"));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function catalogIn(directory: string, problems: unknown[] = [], now = 1_000, isEnabled = () => true) {
  const store = createListStore(directory, isEnabled, (error) => problems.push(error));
  const catalog = createCatalog({ store, now: () => now });
  catalog.setServers([files]);
  return catalog;
}

test("Catalog.update keeps order and every field, and drops what has no name", () => {
  const catalog = createCatalog({ now: () => 7 });
  catalog.setServers([files]);
  assert.equal(catalog.list("files", "tools"), undefined);
  const broken = [null, 5, "x", [], {}, { name: 3 }] as never[];
  assert.equal(catalog.update("files", "tools", [{ name: "z" }, ...broken, read]), true);
  assert.deepEqual(catalog.list("files", "tools"), [{ name: "z" }, read]);
  assert.equal(catalog.tool("files", "read"), read);
  assert.equal(catalog.seenAt("files", "tools"), 7);
  catalog.update("files", "resources", [{ uri: "a:b" }, { name: "no uri" }]);
  assert.deepEqual(catalog.list("files", "resources"), [{ uri: "a:b" }]);
});

test("Catalog.update tells whether the list differs, whatever the order of keys", () => {
  const catalog = createCatalog({ now: () => 0 });
  catalog.setServers([files]);
  assert.equal(catalog.update("files", "tools", []), true);
  assert.equal(catalog.update("files", "tools", []), false);
  assert.equal(catalog.update("files", "tools", [{ name: "a", title: "A" }]), true);
  const { revision } = catalog;
  assert.equal(catalog.update("files", "tools", [{ title: "A", name: "a" }]), false);
  assert.equal(catalog.revision, revision);
  assert.equal(catalog.update("files", "tools", [{ name: "a", title: "B" }]), true);
  assert.ok(catalog.revision > revision);
  assert.equal(catalog.update("unknown", "tools", []), false);
});

test("Catalog.setServers keeps the lists of unchanged definitions only", () => {
  const catalog = createCatalog({ now: () => 0 });
  catalog.setServers([files, { ...files, name: "web" }]);
  catalog.update("files", "tools", [read]);
  catalog.update("web", "tools", [read]);
  catalog.setServers([
    { ...files, description: "new" },
    { name: "web", description: "", key: "k2" },
  ]);
  assert.deepEqual(catalog.list("files", "tools"), [read]);
  assert.equal(catalog.list("web", "tools"), undefined);
  assert.equal(catalog.servers[0]?.description, "new");
});

test("Catalog neither writes nor reads lists while the store is switched off", () =>
  inDirectory(async (directory) => {
    const off = catalogIn(directory, [], 1_000, () => false);
    off.update("files", "tools", [read]);
    await off.flush();
    assert.deepEqual(await readdir(directory), []);
    const on = catalogIn(directory);
    on.update("files", "tools", [read]);
    await on.flush();
    const again = catalogIn(directory, [], 1_000, () => false);
    await again.ready();
    assert.equal(again.list("files", "tools"), undefined);
  }));

test("Catalog finds its lists on disk after a restart", () =>
  inDirectory(async (directory) => {
    const before = catalogIn(directory);
    before.update("files", "tools", [read]);
    before.update("files", "prompts", [{ name: "p" }]);
    await before.flush();

    const after = catalogIn(directory);
    await after.ready();
    assert.deepEqual(after.list("files", "tools"), [read]);
    assert.deepEqual(after.list("files", "prompts"), [{ name: "p" }]);
    assert.equal(after.list("files", "resources"), undefined);
    assert.equal(after.seenAt("files", "tools"), 1_000);
    const [hit] = await after.search("read", { limit: 1, visible: () => true });
    assert.deepEqual(hit?.listed, read);
  }));

test("Catalog does not use the list of a changed definition", () =>
  inDirectory(async (directory) => {
    const before = catalogIn(directory);
    before.update("files", "tools", [read]);
    await before.flush();
    const after = catalogIn(directory);
    after.setServers([{ ...files, key: "k2" }]);
    await after.ready();
    assert.equal(after.list("files", "tools"), undefined);
  }));

test("Catalog believes the server rather than the disk, and loses neither", () =>
  inDirectory(async (directory) => {
    const before = catalogIn(directory);
    before.update("files", "tools", [read]);
    before.update("files", "prompts", [{ name: "kept" }]);
    await before.flush();
    const after = catalogIn(directory);
    after.update("files", "tools", [{ name: "fresh" }]);
    await after.flush();
    await after.ready();
    assert.deepEqual(after.list("files", "tools"), [{ name: "fresh" }]);
    const third = catalogIn(directory);
    await third.ready();
    assert.deepEqual(third.list("files", "tools"), [{ name: "fresh" }]);
    assert.deepEqual(third.list("files", "prompts"), [{ name: "kept" }]);
  }));

test("Catalog passes over a broken or foreign file and writes it anew", () =>
  inDirectory(async (directory) => {
    const first = catalogIn(directory);
    first.update("files", "tools", [read]);
    await first.flush();
    const [name] = (await readdir(directory)) as [string];
    const path = join(directory, name);
    const good = await readFile(path, "utf8");
    for (const content of [
      good.slice(0, -9),
      "",
      "[]",
      "\0\xff",
      good.replace('"files"', '"other"'),
      '{"version":99}',
    ]) {
      await writeFile(path, content);
      const catalog = catalogIn(directory);
      await catalog.ready();
      assert.equal(catalog.list("files", "tools"), undefined);
      catalog.update("files", "tools", [read]);
      await catalog.flush();
      assert.equal(await readFile(path, "utf8"), good);
    }
    assert.deepEqual(await readdir(directory), [name]);
  }));

test("Catalog serves on when the disk cannot be written, and says so once", () =>
  inDirectory(async (directory) => {
    await writeFile(join(directory, "blocked"), "");
    const problems: unknown[] = [];
    const catalog = catalogIn(join(directory, "blocked"), problems);
    for (const name of ["a", "b", "c"]) {
      catalog.update("files", "tools", [{ name }]);
      await catalog.flush();
    }
    assert.equal(problems.length, 1);
    assert.deepEqual(catalog.list("files", "tools"), [{ name: "c" }]);
  }));

test("Catalog.nearest finds typos and contained names, nearest first", () => {
  const { nearest } = createCatalog({ now: () => 0 });
  const names = ["create_issue", "create_issues", "delete_repository", "search", "brave_web_search"];
  assert.deepEqual(nearest("Create_Isue", names, 3), ["create_issue", "create_issues"]);
  assert.deepEqual(nearest("github_create_issue", names, 1), ["create_issue"]);
  assert.deepEqual(nearest("quux", names, 3), []);
  assert.deepEqual(nearest("x".repeat(100_000), names, 3), []);
});
