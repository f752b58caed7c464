import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openSeenDeliveries } from "../../../src/capabilities/webhooks/seen-deliveries.ts";
import { FakeClock } from "../../fixtures/fake-clock.ts";
import { KeptLog } from "../fixture.ts";

async function setUp(t: { after(run: () => Promise<void>): void }) {
  const folder = await mkdtemp(join(tmpdir(), "seen-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "webhooks.json");
  const clock = new FakeClock();
  const log = new KeptLog();
  const problems: unknown[] = [];
  const open = () =>
    openSeenDeliveries({ path, clock, calendar: () => clock.now(), log, onProblem: (error) => problems.push(error) });
  return { path, clock, log, problems, open };
}

test("what was seen is known to the next process, for as long as it was meant to be, and not by its name", async (t) => {
  const { path, clock, open, log, problems } = await setUp(t);
  const first = await open();
  first.add(["id of a customer", "signature"], 60_000);
  first.add(["failed"], 60_000);
  first.remove(["failed"]);
  await first.flush();
  assert.doesNotMatch(await readFile(path, "utf8"), /customer/);
  const second = await open();
  assert.ok(second.has(["other", "signature"]));
  assert.ok(!second.has(["failed"]) && !second.has([]));
  await clock.advance(60_000);
  assert.ok(!second.has(["signature"]));
  assert.deepEqual([log.lines, problems], [[], []]);
});

test("no more than 10,000 are remembered, the newest", async (t) => {
  const { open } = await setUp(t);
  const seen = await open();
  for (let n = 0; n < 10_001; n++) seen.add([`mark ${n}`], 60_000);
  assert.deepEqual([seen.has(["mark 0"]), seen.has(["mark 1"]), seen.has(["mark 10000"])], [false, true, true]);
});

test("a broken file is said, and begins anew", async (t) => {
  const { path, open, log } = await setUp(t);
  await writeFile(path, "[half");
  const seen = await open();
  assert.match(log.lines[0] ?? "", /^error The deliveries of earlier days cannot be read/);
  seen.add(["mark"], 60_000);
  await seen.flush();
  assert.ok((await open()).has(["mark"]));
});
