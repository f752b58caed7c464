/** The journal of operators: it goes on where it ended, whatever became of the file meanwhile. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createJournal } from "../../src/observe/journal/journal.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "journal-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const problems: unknown[] = [];
  const open = (path: string | undefined = join(folder, "journal.jsonl")) =>
    createJournal({
      path,
      clock: new FakeClock(),
      redact: (text) => text.replaceAll("s3cret-value", "[redacted]"),
      onProblem: (error) => void problems.push(error),
    });
  return { folder, path: join(folder, "journal.jsonl"), open, problems };
}

const by = { name: "ada", principal: "jwt:1:2", role: "operator" } as const;

test("journal: who, when, what and why, without secrets, and numbered on after a restart", async (t) => {
  const { open, path } = setUp(t);
  const first = open();
  const digest = "d".repeat(64);
  first.note({ action: "tool-denied", server: "a", tool: "x", digest, by, reason: "s3cret-value leaked" }, 0);
  first.note({ action: "server-killed", server: "a", by, reason: "it lies", rollback: "revive it" }, 1);
  await first.flush();
  const second = open();
  second.note({ action: "configuration-reloaded", detail: "added backends: [b]" }, 2);
  await second.flush();
  const entries = await second.entries();
  assert.deepEqual(
    entries.map(({ number, action }) => [number, action]),
    [
      [1, "tool-denied"],
      [2, "server-killed"],
      [3, "configuration-reloaded"],
    ],
  );
  assert.deepEqual(entries[0], {
    number: 1,
    at: "1970-01-01T00:00:00.000Z",
    action: "tool-denied",
    by,
    server: "a",
    tool: "x",
    digest,
    reason: "[redacted] leaked",
    rollback: null,
    detail: null,
  });
  assert.ok(!readFileSync(path, "utf8").includes("s3cret"));
});

test("journal: half a line of a crash and lines of others are no entries, and spoil none", async (t) => {
  const { open, path, problems } = setUp(t);
  const first = open();
  first.note({ action: "server-killed", server: "a" }, 0);
  await first.flush();
  appendFileSync(path, 'not json\n[1]\n{"number":"7"}\n{"number":2,"acti');
  const second = open();
  second.note({ action: "server-revived", server: "a" }, 1);
  await second.flush();
  const numbers = async (journal: typeof second) => (await journal.entries()).map(({ number }) => number);
  assert.deepEqual(await numbers(second), [1, 2]);
  assert.deepEqual(await numbers(open()), [1, 2]);
  assert.deepEqual(problems, []);
});

test("journal: memory holds the newest thousand, and a file that cannot be read is told", async (t) => {
  const { folder, open, problems } = setUp(t);
  const journal = open(folder);
  for (let at = 0; at < 1_200; at++) journal.note({ action: "server-killed", server: "a" }, at);
  await journal.flush();
  const entries = await journal.entries();
  assert.deepEqual([entries.length, entries.at(-1)?.number], [1_000, 1_200]);
  assert.ok(problems.length > 0);
});
