import assert from "node:assert/strict";
import { test } from "node:test";
import { DelayedWrite } from "../../src/lib/delayed-write.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

test("DelayedWrite writes once for many changes, tries again while that fails, and tells of the first and the last", async () => {
  const clock = new FakeClock();
  const problems: unknown[] = [];
  let written = 0;
  let fails = false;
  const file = new DelayedWrite({
    clock,
    afterMs: 100,
    async write() {
      if (fails) throw new Error("full");
      written++;
    },
    onProblem: (error) => problems.push((error as Error | undefined)?.message),
  });
  await file.flush();
  assert.equal(written, 0);
  for (let count = 0; count < 3; count++) file.touch();
  await clock.advance(99);
  assert.equal(written, 0);
  await clock.advance(1);
  assert.equal(written, 1);

  fails = true;
  file.touch();
  await clock.advance(350);
  assert.deepEqual(problems, ["full"]);
  fails = false;
  await clock.advance(100);
  assert.deepEqual(problems, ["full", undefined]);
  assert.equal(written, 2);

  file.touch();
  await file.flush();
  assert.equal(written, 3);
  assert.equal(clock.pending, 0);
});
