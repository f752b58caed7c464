import assert from "node:assert/strict";
import { test } from "node:test";
import { createUsage } from "../../src/gateway/usage.ts";
import type { Observatory } from "../../src/observe/observatory.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

function usageOf(settings = { rank_by_usage: true, promote_often_used: 2 }) {
  const counts: Record<string, Record<string, number>> = { web: { search: 3, fetch: 0 }, files: { read: 9 } };
  let asked = 0;
  const clock = new FakeClock();
  const observatory = async () =>
    ({
      async all() {
        asked++;
        const toolsOf = (tools: Record<string, number>) =>
          new Map(Object.entries(tools).map(([name, ok]) => [name, { kinds: { ok } }]));
        return { profiles: new Map(Object.entries(counts).map(([name, tools]) => [name, toolsOf(tools)])) };
      },
    }) as unknown as Observatory;
  return { usage: createUsage({ settings: () => settings, clock, observatory }), counts, clock, asked: () => asked };
}

test("createUsage: counts successes anew each minute, what was most stays as long as the process", async () => {
  const { usage, counts, clock, asked } = usageOf();
  assert.deepEqual([usage.successes("files", "read"), usage.most()], [0, []]);
  await Promise.all([usage.ready(), usage.ready()]);
  assert.deepEqual([usage.successes("files", "read"), usage.successes("web", "none"), asked()], [9, 0, 1]);
  const most = usage.most().map(({ server, tool }) => `${server}:${tool}`);
  assert.deepEqual(most, ["files:read", "web:search"]);
  counts["web"] = { search: 99 };
  await usage.ready();
  assert.equal(asked(), 1);
  await clock.advance(60_000);
  await usage.ready();
  await clock.advance(0);
  assert.equal(usage.successes("web", "search"), 99);
  assert.deepEqual(
    usage.most().map(({ server, tool }) => `${server}:${tool}`),
    most,
  );
});

test("createUsage: asks for nothing where nobody wants to know, and does not fail with the disk", async () => {
  const off = usageOf({ rank_by_usage: false, promote_often_used: 0 });
  await off.usage.ready();
  assert.equal(off.asked(), 0);
  const broken = createUsage({
    settings: () => ({ rank_by_usage: true, promote_often_used: 0 }),
    clock: new FakeClock(),
    observatory: () => Promise.reject(new Error("no disk")),
  });
  await broken.ready();
  assert.equal(broken.successes("a", "b"), 0);
});
