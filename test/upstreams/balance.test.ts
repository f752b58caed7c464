import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Candidate, choose } from "../../src/upstreams/group/balance.ts";
import type { LoadBalancingSettings } from "../../src/upstreams/group/schema.ts";

type Strategy = LoadBalancingSettings["strategy"];

const candidates = (weights: Record<string, number>) =>
  Object.entries(weights).map(([id, weight]) => ({ id, weight, inFlight: 0, turn: 0 }));

function chosen(strategy: Strategy, among: Candidate[], times: number, key = () => ""): string {
  return Array.from({ length: times }, () => choose(strategy, among, key).id).join("");
}

/** Who gets each of a thousand clients. */
function owners(strategy: Strategy, among: Candidate[]): Map<string, string> {
  const keys = Array.from({ length: 1_000 }, (_, at) => `client ${at}`);
  return new Map(keys.map((key) => [key, choose(strategy, among, () => key).id]));
}

describe("choose", () => {
  test("round_robin takes turns whatever the weights are", () => {
    assert.equal(chosen("round_robin", candidates({ a: 5, b: 1, c: 1 }), 7), "abcabca");
  });

  test("weighted_round_robin spreads by weight, and smoothly", () => {
    assert.equal(chosen("weighted_round_robin", candidates({ a: 5, b: 1, c: 1 }), 14), "aabacaaaabacaa");
  });

  test("a rotation goes on evenly with one left out and back again", () => {
    const all = candidates({ a: 1, b: 1, c: 1 });
    chosen("round_robin", all, 4);
    const two = all.filter(({ id }) => id !== "b");
    const without = chosen("round_robin", two, 10);
    for (const id of "ac") assert.ok(Math.abs(without.split(id).length - 1 - 5) <= 1, without);
    const again = chosen("round_robin", all, 9);
    for (const id of "abc") assert.equal(again.split(id).length - 1, 3, again);
  });

  test("least_connections takes the fewest running calls for its weight, and turns where that is equal", () => {
    const all = candidates({ a: 200, b: 100, c: 100 });
    assert.equal(chosen("least_connections", all, 3), "abc");
    const [a, b, c] = all as [Candidate, Candidate, Candidate] & { inFlight: number }[];
    Object.assign(a, { inFlight: 3 });
    Object.assign(b, { inFlight: 1 });
    Object.assign(c, { inFlight: 2 });
    assert.equal(chosen("least_connections", all, 3), "bbb");
    Object.assign(b, { inFlight: 2 });
    assert.equal(chosen("least_connections", all, 3), "aaa");
  });

  for (const strategy of ["ip_hash", "session_hash"] as const) {
    test(`${strategy} keeps a client where it is, by weight, and moves only those whose replica left`, () => {
      const all = candidates({ a: 100, b: 100, c: 200 });
      const before = owners(strategy, all);
      assert.deepEqual(owners(strategy, all), before);
      const share = (id: string) => [...before.values()].filter((owner) => owner === id).length;
      assert.ok(share("a") > 180 && share("a") < 320, String(share("a")));
      assert.ok(share("c") > 420 && share("c") < 580, String(share("c")));
      const after = owners(
        strategy,
        all.filter(({ id }) => id !== "b"),
      );
      for (const [key, owner] of before) if (owner !== "b") assert.equal(after.get(key), owner);
      assert.ok([...after.values()].every((owner) => owner !== "b"));
    });
  }
});
