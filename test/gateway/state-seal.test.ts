import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createStateSeal } from "../../src/gateway/state-seal.ts";

test("StateSeal opens what it sealed, for the same binding alone", async () => {
  const seal = createStateSeal(undefined, () => assert.fail());
  for (const text of ["", "parked:x.0", 'server:{"a":"\u00e9.\n"}']) {
    const sealed = await seal.seal(text, "binding");
    assert.equal(await seal.open(sealed, "binding"), text);
    assert.equal(await seal.open(sealed, "another"), undefined);
    assert.equal(await seal.open(`${sealed}x`, "binding"), undefined);
    assert.equal(await seal.open(sealed.slice(1), "binding"), undefined);
  }
  for (const nonsense of ["", ".", "a.b", `${"A".repeat(43)}.x`])
    assert.equal(await seal.open(nonsense, "b"), undefined);
  // Where text ends and binding begins is part of what is sealed.
  const sealed = await seal.seal("ab", "cd");
  assert.equal(await seal.open(`${sealed}c`, "d"), undefined);
});

test("StateSeal keeps its key for the next process, readable by its owner alone", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "seal-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "state", "key");
  const sealed = await createStateSeal(path, () => assert.fail()).seal("text", "binding");
  if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(await createStateSeal(path, () => assert.fail()).open(sealed, "binding"), "text");
  // A damaged file is no key: a short one would be guessed.
  writeFileSync(path, "short");
  assert.equal(await createStateSeal(path, () => assert.fail()).open(sealed, "binding"), undefined);
  assert.match(readFileSync(path, "utf8"), /^[\w-]{43}$/);
});

test("StateSeal goes on with a key in memory where none can be kept", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "seal-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "file"), "");
  const problems: unknown[] = [];
  const seal = createStateSeal(join(folder, "file", "key"), (error) => problems.push(error));
  assert.equal(await seal.open(await seal.seal("text", "b"), "b"), "text");
  assert.equal(problems.length, 1);
});
