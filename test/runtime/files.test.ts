import assert from "node:assert/strict";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as node from "node:path";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  FileTooLargeError,
  isMissing,
  listDirectory,
  readText,
  systemErrorCode,
  writeAtomic,
} from "../../src/runtime/files.ts";
import * as paths from "../../src/runtime/paths.ts";
import { dataDirectory, displayPath, expandHome } from "../../src/runtime/paths.ts";

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gateway-files-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("writeAtomic: keeps mode and links, makes folders, leaves nothing behind", async (t) => {
  const folder = folderFor(t);
  const path = join(folder, "deep/er/a.txt");
  await writeAtomic(path, "one", { mode: 0o600 });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  chmodSync(path, 0o640);
  const link = join(folder, "link");
  symlinkSync(path, link);
  await writeAtomic(link, "two");
  assert.equal(readFileSync(path, "utf8"), "two");
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(join(folder, "deep/er")), ["a.txt"]);
  assert.deepEqual(
    (await listDirectory(folder)).map(({ name, kind }) => `${name} ${kind}`),
    ["deep directory", "link link"],
  );
});

test("writeAtomic: when the file cannot be put in its place, the error is told and nothing is left", async (t) => {
  const folder = folderFor(t);
  await writeAtomic(join(folder, "dir/a"), "x");
  await assert.rejects(writeAtomic(join(folder, "dir"), "x"));
  assert.deepEqual(readdirSync(folder), ["dir"]);
});

test("readText: bounded, UTF-8 only, a byte order mark is dropped", async (t) => {
  const path = join(folderFor(t), "a");
  writeFileSync(path, `\ufeff${"ä".repeat(70_000)}`);
  assert.equal((await readText(path)).length, 70_000);
  assert.equal((await readText(path, 140_003)).length, 70_000);
  await assert.rejects(readText(path, 140_002), FileTooLargeError);
  writeFileSync(path, Uint8Array.of(0xc3, 0x28));
  await assert.rejects(readText(path), TypeError);
  rmSync(path);
  await assert.rejects(readText(path), isMissing);
  await assert.rejects(readText(dirname(path)), (error) => systemErrorCode(error) === "EISDIR");
});

test("readText: bounded where the system states no size", {
  skip: process.platform === "win32" && "no /dev",
}, async () => {
  await assert.rejects(readText("/dev/zero", 100_000), FileTooLargeError);
  assert.equal(await readText("/dev/null", 10), "");
});

test("paths: what needs no help from node:path gives what it would give", () => {
  const all = [
    "/",
    "/a",
    "/a/b.c",
    "/a/",
    "//a",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/..a/...",
    "/a/..",
    "a",
    "a/b",
    "./a",
    "..",
    "",
    "/é x",
  ];
  for (const base of ["/", "/base", "/base/x"])
    for (const path of all) {
      assert.equal(paths.resolve(base, path), node.resolve(base, path));
      assert.equal(paths.join(base, path), node.join(base, path));
      assert.equal(paths.join(path, "b", ".c"), node.join(path, "b", ".c"));
      assert.equal(paths.dirname(path), node.dirname(path));
    }
});

test("paths: home folder, state directory, and paths as a person would type them", () => {
  const env = { HOME: "/home/me" };
  assert.deepEqual(
    ["~", "~/a", "~you", "/a"].map((path) => expandHome(path, env)),
    ["/home/me", "/home/me/a", "~you", "/a"],
  );
  assert.equal(dataDirectory(undefined, env), "/home/me/.mcp-gateway");
  assert.equal(dataDirectory(undefined, { ...env, MCP_GATEWAY_CONFIG_DIR: "~/x" }), "/home/me/x");
  assert.equal(dataDirectory("/y", { ...env, MCP_GATEWAY_CONFIG_DIR: "/x" }), "/y");
  assert.deepEqual([displayPath("/a/b/c", "/a"), displayPath("/a/b", "/a/c")], ["b/c", "/a/b"]);
});
