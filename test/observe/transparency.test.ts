import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { silentLogger } from "../../src/core/log.ts";
import { beginning, type CallFacts, type Link, nextEntry, verifyChain } from "../../src/observe/transparency/chain.ts";
import { createTransparencyLog } from "../../src/observe/transparency/transparency-log.ts";
import { createLineFile } from "../../src/runtime/line-file.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

const facts: CallFacts = {
  timestamp: "2026-01-01T00:00:00.000Z",
  request_id: "r",
  session: null,
  principal: "anonymous",
  caller: "anonymous",
  server: "files",
  method: "tools/call",
  tool: "read",
  outcome: "OK",
  request_sha256: "a",
  response_sha256: "b",
  definition_sha256: null,
  duration_ms: 1,
};

function chainOf(count: number, secret = ""): string[] {
  let last: Link = beginning;
  return Array.from({ length: count }, (_, at) => {
    const entry = nextEntry({ ...facts, request_id: `r${at}` }, last, "default", secret);
    last = entry;
    return JSON.stringify(entry);
  });
}

function edited(line: string | undefined, change: object): string {
  return JSON.stringify({ ...JSON.parse(line as string), ...change });
}

test("verifyChain: a chain holds, with and without signatures, whatever the order of members", async () => {
  assert.deepEqual(await verifyChain(chainOf(5), ""), { ok: true, entries: 5, mode: "hash" });
  assert.deepEqual(await verifyChain(chainOf(5, "key"), "key"), { ok: true, entries: 5, mode: "hash + HMAC" });
  assert.deepEqual(await verifyChain([], ""), { ok: true, entries: 0, mode: "hash" });
  const turned = chainOf(2).map((line) =>
    JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).reverse())),
  );
  assert.equal((await verifyChain(turned, "")).ok, true);
});

/** What was done to the lines of a signed record of five, who verifies with which key, and what must be said where. */
const attacks: [
  what: string,
  tamper: (lines: string[]) => string[],
  counter: number,
  reason: RegExp,
  secret?: string,
][] = [
  ["content changed", (lines) => lines.with(2, edited(lines[2], { outcome: "OK!" })), 3, /content was changed/],
  ["a member added", (lines) => lines.with(2, edited(lines[2], { note: "x" })), 3, /content was changed/],
  ["an entry left out", (lines) => lines.toSpliced(1, 1), 2, /missing or moved: its counter is 3/],
  ["the first left out", (lines) => lines.slice(1), 1, /missing or moved/],
  ["two exchanged", ([a, b, c, ...rest]) => [a, c, b, ...rest] as string[], 2, /missing or moved/],
  ["an entry twice", (lines) => lines.toSpliced(2, 0, lines[1] as string), 3, /missing or moved/],
  ["half a line", (lines) => lines.with(4, (lines[4] as string).slice(0, 30)), 5, /the line is no entry/],
  ["written anew from there on without the key", () => [...chainOf(5)], 1, /signature is missing/],
  ["written anew with another key", () => chainOf(5, "other"), 1, /signature is wrong/],
  ["verified without the key", (lines) => lines, 1, /the record is signed/, ""],
  [
    "spliced from another record",
    (lines) => [...lines.slice(0, 2), ...chainOf(5, "other").slice(2)],
    3,
    /does not follow|signature is wrong/,
  ],
];
for (const [what, tamper, counter, reason, secret = "key"] of attacks)
  test(`verifyChain: ${what} is found`, async () => {
    const verdict = await verifyChain(tamper(chainOf(5, "key")), secret);
    assert.ok(!verdict.ok);
    assert.equal(verdict.counter, counter);
    assert.match(verdict.reason, reason);
  });

function recordIn(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "gateway-record-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "deep", "record.jsonl");
  const problems: unknown[] = [];
  const clock = new FakeClock();
  const open = (at = path) => {
    const file = createLineFile({ path: at, clock, sync: false, onProblem: (error) => void problems.push(error) });
    return createTransparencyLog({ path: at, keyId: "default", secret: "", file, log: silentLogger });
  };
  const lines = () => readFileSync(path, "utf8").split("\n").slice(0, -1);
  return { folder, path, open, lines, problems, clock };
}

test("createTransparencyLog: goes on where it was, also behind a half-written entry", async (t) => {
  const { path, open, lines } = recordIn(t);
  const first = open();
  for (let count = 0; count < 50; count++) first.note(facts);
  await first.flush();
  writeFileSync(path, '{"counter":51,"times', { flag: "a" });
  const second = open();
  second.note(facts);
  await second.flush();
  assert.deepEqual(await verifyChain(lines(), ""), { ok: true, entries: 51, mode: "hash" });
});

test("createTransparencyLog: writes nothing behind an end that is no entry", async (t) => {
  const { folder, path, open, lines } = recordIn(t);
  const first = open();
  first.note(facts);
  await first.flush();
  writeFileSync(path, "something else\n", { flag: "a" });
  const second = open();
  second.note(facts);
  await second.flush();
  assert.deepEqual(await verifyChain(lines(), ""), { ok: true, entries: 1, mode: "hash" });
  const aside = readdirSync(join(folder, "deep")).filter((name) => name !== "record.jsonl");
  assert.equal(aside.length, 1);
  assert.match(readFileSync(join(folder, "deep", aside[0] as string), "utf8"), /something else\n$/);
});

test("createLineFile: what cannot be written waits, is tried again, and keeps its order", async (t) => {
  const { folder, clock, problems } = recordIn(t);
  const path = join(folder, "blocked", "lines");
  writeFileSync(join(folder, "blocked"), "a file in the way");
  const file = createLineFile({ path, clock, sync: true, onProblem: (error) => void problems.push(error) });
  file.append("one");
  await file.flush();
  file.append("two");
  assert.equal(file.isFailing, true);
  assert.equal(problems.length, 1);
  rmSync(join(folder, "blocked"));
  await file.flush();
  file.append("three");
  await file.flush();
  assert.equal(readFileSync(path, "utf8"), "one\ntwo\nthree\n");
  assert.deepEqual([file.isFailing, problems[1]], [false, undefined]);
});
