import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { call, Folder, rest, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

function file(origin: string, more: object = {}): string {
  const config = { base_url: origin, path: "/{q}" };
  const about = { description: "d", cache: { strategy: "exact", ttl: 60 }, metadata: { read_only: true } };
  return JSON.stringify({ ...about, ...rest(config, { q: "string", n: "integer" }), ...more });
}

test("cache: the same arguments get the same answer until its time is over, others and errors are asked for", async () => {
  let count = 0;
  await using api = await RawApi.start(({ line }) => ({
    status: line.includes("bad") ? 404 : 200,
    body: JSON.stringify({ count: ++count }),
  }));
  await using folder = await Folder.with({ "tool.yaml": file(api.origin) });
  const clock = new FakeClock();
  await using upstream = upstreamOver([folder.path], { clock });
  const answer = async (args: object) => (await call(upstream, "tool", args as never)).text;
  const first = await answer({ q: "a", n: 1 });
  await clock.advance(59_000);
  assert.equal(await answer({ n: "1", q: "a" }), first);
  assert.equal(api.requests.length, 1);
  assert.notEqual(await answer({ q: "a", n: 2 }), first);
  await clock.advance(1_000);
  assert.notEqual(await answer({ q: "a", n: 1 }), first);
  assert.equal(api.requests.length, 3);
  for (let time = 0; time < 2; time++) await answer({ q: "bad" });
  assert.equal(api.requests.length, 5);
});

test("cache: what writes is sent each time, a changed file begins anew", async () => {
  await using api = await RawApi.start();
  await using folder = await Folder.with({
    "tool.yaml": file(api.origin),
    "write.yaml": file(api.origin, { metadata: { read_only: false } }),
  });
  await using upstream = upstreamOver([folder.path]);
  for (let time = 0; time < 2; time++) await call(upstream, "write", { q: "w" });
  assert.equal(api.requests.length, 2);
  for (let time = 0; time < 2; time++) await call(upstream, "tool", { q: "a" });
  assert.equal(api.requests.length, 3);
  await folder.write("tool.yaml", file(api.origin, { fulcrum: "1.0" }));
  await upstream.restart();
  await call(upstream, "tool", { q: "a" });
  assert.equal(api.requests.length, 4);
});

test("cache: forgets the answer that was not asked for the longest", async () => {
  await using api = await RawApi.start();
  await using folder = await Folder.with({ "tool.yaml": file(api.origin) });
  await using upstream = upstreamOver([folder.path]);
  for (let at = 0; at <= 100; at++) {
    await call(upstream, "tool", { q: `${at}` });
    await call(upstream, "tool", { q: "0" });
  }
  assert.equal(api.requests.length, 101);
  await call(upstream, "tool", { q: "0" });
  assert.equal(api.requests.length, 101);
  await call(upstream, "tool", { q: "1" });
  assert.equal(api.requests.length, 102);
});
