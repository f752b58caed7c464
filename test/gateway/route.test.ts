import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { Call } from "../../src/core/call.ts";
import type { Upstream } from "../../src/core/upstream.ts";
import { Route } from "../../src/gateway/dispatch.ts";
import { Lazy } from "../../src/lib/lazy.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";

test("Route.quiet waits for the last call, however many ask, and not beyond its grace", async () => {
  const clock = new FakeClock();
  const ends: (() => void)[] = [];
  const upstream = {
    request: () => new Promise<Answer>((resolve) => ends.push(() => resolve(Answer.of({})))),
  } as Partial<Upstream> as Upstream;
  const route = new Route(new Lazy(() => upstream), () => [], 1_000);
  await route.quiet(1_000, clock);
  const calls = [route.call({} as Call), route.call({} as Call)];
  await settle();
  const told: string[] = [];
  for (const [name, graceMs] of [
    ["reload", 10_000],
    ["stop", 5_000],
    ["hurry", 100],
  ] as const)
    void route.quiet(graceMs, clock).then(() => told.push(name));
  ends[0]?.();
  await clock.advance(100);
  assert.deepEqual(told, ["hurry"]);
  ends[1]?.();
  await Promise.all(calls);
  await settle();
  assert.deepEqual(told, ["hurry", "reload", "stop"]);
  assert.equal(route.inFlight, 0);
  assert.equal(clock.pending, 0);
});
