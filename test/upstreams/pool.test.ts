import assert from "node:assert/strict";
import { test } from "node:test";
import type { Upstream } from "../../src/core/upstream.ts";
import { createPool } from "../../src/upstreams/pool.ts";
import { warmStart } from "../../src/upstreams/warm-start.ts";
import { settle } from "../fixtures/fake-clock.ts";

function definition(name: string, settings: unknown, closed: string[] = []) {
  const build = (): Upstream => ({
    name,
    kind: "stdio",
    description: undefined,
    isReady: false,
    request: () => Promise.reject(new Error("not in this test")),
    notify() {},
    start: () => Promise.reject(new Error("not in this test")),
    restart: async () => {},
    status: () => assert.fail("not in this test"),
    close: async (graceMs) => void closed.push(`${name} ${JSON.stringify(settings)} ${graceMs}`),
  });
  return { name, settings, build };
}

const atOnce = async () => {};

test("apply keeps the upstream of a definition that did not change, whatever the order of its keys", () => {
  const pool = createPool();
  const first = pool.apply([definition("a", { x: 1, y: 2 }), definition("b", {})]);
  first.commit(atOnce);
  const second = pool.apply([definition("b", { z: 1 }), definition("a", { y: 2, x: 1 }), definition("c", {})]);
  assert.equal(second.upstreams.get("a"), first.upstreams.get("a"));
  assert.notEqual(second.upstreams.get("b"), first.upstreams.get("b"));
  assert.deepEqual([...second.upstreams.keys()], ["b", "a", "c"]);
  assert.deepEqual([second.added, second.changed, second.removed], [["c"], ["b"], []]);
});

test("a change that is not committed changes nothing", () => {
  const closed: string[] = [];
  const pool = createPool();
  const first = pool.apply([definition("a", 1, closed)]);
  first.commit(atOnce);
  pool.apply([]);
  assert.deepEqual(closed, []);
  assert.equal(pool.apply([definition("a", 1)]).upstreams.get("a"), first.upstreams.get("a"));
});

test("commit closes what was used and is changed or removed once it is quiet, and close the rest", async () => {
  const closed: string[] = [];
  const pool = createPool();
  const unused = definition("d", 1, closed);
  const first = pool.apply([...["a", "b", "c"].map((name) => definition(name, 1, closed)), unused]);
  for (const name of ["a", "b", "c"]) assert.equal(first.upstreams.get(name)?.value.name, name);
  first.commit(atOnce);
  const next = pool.apply([definition("a", 1, closed), definition("b", 2, closed)]);
  assert.equal(next.upstreams.get("b")?.value.name, "b");
  assert.deepEqual(next.removed, ["c", "d"]);
  let makeQuiet = () => {};
  next.commit((name) => (name === "c" ? atOnce() : new Promise((resolve) => (makeQuiet = resolve))));
  await settle();
  assert.deepEqual(closed, ["c 1 0"]);
  makeQuiet();
  await settle();
  assert.deepEqual(closed, ["c 1 0", "b 1 0"]);
  await pool.close(10);
  assert.deepEqual(closed.slice(2), ["a 1 10", "b 2 10"]);
});

test("warmStart starts every upstream, four at a time, and survives those that fail", async () => {
  let running = 0;
  let most = 0;
  const started: string[] = [];
  const upstreams = Array.from({ length: 10 }, (_, index) => ({
    ...definition(String(index), {}).build(),
    async start() {
      running++;
      most = Math.max(most, running);
      await settle();
      running--;
      started.push(String(index));
      throw new Error("it fails");
    },
  }));
  await warmStart(upstreams, new AbortController().signal);
  assert.equal(started.length, 10);
  assert.equal(most, 4);
});

test("commit tells the upstream that is kept what is new, and builds one that nobody used yet by what is new", () => {
  const pool = createPool();
  const told: string[] = [];
  const version = (name: string, text: string) => ({
    ...definition(name, {}),
    build: () => ({ ...definition(name, {}).build(), name: `${name} ${text}` }),
    adapt: (kept: Upstream) => void told.push(`${kept.name} to ${text}`),
  });
  const first = pool.apply([version("used", "one"), version("unused", "one")]);
  first.commit(atOnce);
  assert.equal(first.upstreams.get("used")?.value.name, "used one");
  const second = pool.apply([version("used", "two"), version("unused", "two")]);
  assert.deepEqual(told, [], "not before it is in force");
  second.commit(atOnce);
  assert.deepEqual(told, ["used one to two"]);
  assert.equal(second.upstreams.get("used")?.value.name, "used one");
  assert.equal(second.upstreams.get("unused")?.value.name, "unused two");
});
