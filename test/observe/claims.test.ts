/** What is written of claims: how much, without secrets, and what happens when it cannot be written. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Json } from "../../src/lib/json.ts";
import { createClaimRecord } from "../../src/observe/claims/claim-record.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { makeCall } from "../stages/fixture.ts";
import { observed } from "./calls.ts";

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "claims-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const problems: unknown[] = [];
  const clock = new FakeClock();
  let path = join(folder, "deep", "claims.jsonl");
  const record = createClaimRecord({
    clock,
    path: () => path,
    redact: (text) => text.replaceAll("s3cret", "[redacted]"),
    onProblem: (error) => void problems.push(error),
  });
  return {
    folder,
    clock,
    problems,
    record,
    moveTo: (name: string) => {
      path = join(folder, name);
    },
    note: (claim: Json, change = {}) => record.note(observed(change), makeCall({ claim }), new Date(0)),
    linesOf: (name: string) =>
      readFileSync(join(folder, name), "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
  };
}

test("claims: one line for each call, with digests in place of arguments", async (t) => {
  const { note, record, linesOf } = setUp(t);
  note("to look at s3cret", { agent: "bot" });
  note({ why: ["s3cret"], s3cret: 1 }, { outcome: "TIMEOUT", tool: "x".repeat(500) });
  await record.flush();
  const [first, second] = linesOf("deep/claims.jsonl");
  assert.deepEqual(first, {
    timestamp: "1970-01-01T00:00:00.000Z",
    request_id: "r-1",
    caller: "ci",
    agent: "bot",
    server: "files",
    tool: "read",
    // Of {"path":"/a"}.
    arguments_sha256: "b755d9a3d6caddc4f07594cbcbe6b07990d8787d03ff3ebb01c91899f8bddd5f",
    outcome: "OK",
    is_error: false,
    claim: "to look at [redacted]",
  });
  assert.deepEqual([second.outcome, second.tool.length], ["TIMEOUT", 128]);
  assert.deepEqual(second.claim, { why: ["[redacted]"], "[redacted]": 1 });
});

test("claims: of a long one the beginning is written, and half a secret is not", async (t) => {
  const { note, record, linesOf } = setUp(t);
  note(`${"x".repeat(4_093)}s3cret`);
  note({ list: "y".repeat(100_000) });
  await record.flush();
  const [first, second] = linesOf("deep/claims.jsonl");
  assert.equal(first.claim, `${"x".repeat(4_093)}[re`);
  assert.equal(first.cut, true);
  assert.equal(second.claim, `{"list":"${"y".repeat(4_087)}`);
});

test("claims: another file after a reload, and a file that cannot be written holds nobody up", async (t) => {
  const { note, record, linesOf, moveTo, problems, folder, clock } = setUp(t);
  note("first");
  moveTo("other.jsonl");
  note("second");
  await record.flush();
  assert.equal(linesOf("other.jsonl")[0].claim, "second");
  assert.equal(linesOf("deep/claims.jsonl")[0].claim, "first");
  mkdirSync(join(folder, "taken"));
  moveTo("taken");
  note("third");
  await record.flush();
  assert.equal(problems.length, 1);
  rmSync(join(folder, "taken"), { recursive: true });
  await clock.advance(2_000);
  await record.flush();
  assert.equal(linesOf("taken")[0].claim, "third");
});
