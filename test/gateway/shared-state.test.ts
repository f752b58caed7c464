/** Two gateways' shares of one Redis, side by side in this process, against a real server. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import * as v from "valibot";
import type { PeerEvents, SavedSession } from "../../src/clients/session-table.ts";
import { Answer } from "../../src/core/answer.ts";
import { silentLogger } from "../../src/core/log.ts";
import { takeShared } from "../../src/core/shared-limits.ts";
import { openIdempotencyBook } from "../../src/gateway/idempotency-book.ts";
import { createSigner } from "../../src/gateway/result-statements.ts";
import { sharedStateSchema } from "../../src/gateway/shared/schema.ts";
import { openSharedState, type SharedState } from "../../src/gateway/shared/shared-state.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { TokenBucket } from "../../src/lib/token-bucket.ts";
import type { AnswerCache, Keep, Question } from "../../src/stages/cache/answer-cache.ts";
import { AnswerStore } from "../../src/stages/cache/answer-store.ts";
import type { Attempt } from "../../src/stages/idempotency/idempotency-stage.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { until } from "../fixtures/processes.ts";
import { type RedisServer, skipWithoutRedis, startRedis } from "../fixtures/redis-server.ts";

interface Peer extends SharedState {
  readonly problems: unknown[];
  readonly heard: string[];
}

describe("openSharedState", { skip: skipWithoutRedis }, () => {
  let redis: RedisServer;
  let prefix = "";
  const open: SharedState[] = [];
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.kill());
  afterEach(async () => {
    redis.goOn();
    await Promise.all(open.splice(0).map((state) => state.close()));
  });

  function gateway(): Peer {
    const problems: unknown[] = [];
    const heard: string[] = [];
    const events: PeerEvents = {
      onEnded: (id) => void heard.push(`ended ${id}`),
      onChanged: (id, { logLevel }) => void heard.push(`changed ${id} ${logLevel}`),
      onMessage: (id, text) => void heard.push(`message ${id} ${text}`),
      onReunited: async () => void heard.push("reunited"),
    };
    const state = openSharedState({
      settings: v.parse(sharedStateSchema, { redis_url: redis.url, prefix, timeout: "250ms" }),
      clock: systemClock,
      log: silentLogger,
      sessionTtlMs: () => 60_000,
      events: () => events,
      onProblem: (error) => void problems.push(error),
    });
    open.push(state);
    return { ...state, problems, heard };
  }

  /** On keys that no other test has. */
  /** Both are at Redis: what comes too early for that is done alone. */
  async function two(): Promise<[Peer, Peer]> {
    prefix = `test-${Math.random()}:`;
    const peers: [Peer, Peer] = [gateway(), gateway()];
    await until(() => peers.every(({ heard }) => heard.includes("reunited")));
    return peers;
  }

  const lost = async (peer: Peer) => {
    await peer.limits.take("probe", 1_000, 1_000);
    await until(() => peer.problems.length > 0);
  };

  describe("limits", () => {
    test("count over both, to the last token", async () => {
      const [a, b] = await two();
      const waits = await Promise.all(
        Array.from({ length: 30 }, (_, at) => (at % 2 ? a : b).limits.take("x", 0.1, 10)),
      );
      assert.equal(waits.filter((waitMs) => waitMs === 0).length, 10);
      const wait = Math.max(...waits.map(Number));
      assert.ok(wait > 9_000 && wait <= 10_000, `${wait}`);
      assert.equal(await a.limits.take("y", 0.1, 10), 0);
    });

    test("what the gateway used up alone is refused without asking, and a Redis that is gone is done without", async () => {
      const clock = new FakeClock();
      const bucket = new TokenBucket(1, 2, clock);
      const asked: number[] = [];
      const limits = { take: async () => asked.push(1) && 0 };
      const take = () => takeShared(bucket, "k", limits);
      assert.deepEqual([await take(), await take(), await take(), asked.length], [0, 0, 1_000, 2]);
      await clock.advance(2_000);
      const alone = { take: async () => undefined };
      const waits = [1, 2, 3].map(() => takeShared(bucket, "k", alone));
      assert.deepEqual(await Promise.all(waits), [0, 0, 1_000]);
      assert.equal(await takeShared(new TokenBucket(1, 2, clock), "k", { take: async () => 70 }), 70);
    });
  });

  describe("ledger", () => {
    const budget =
      (spent = 0) =>
      () => [{ scope: "daily" as const, name: "", limit: 1, spent }];
    const charge = { tool: "web:search", caller: "ann", cost: 0.1 };
    const spend = async (peer: Peer) => {
      const { budgets } = await peer.ledger.reserve(charge, budget(), 100);
      return Number(budgets[0]?.spent);
    };

    test("no two go beyond a budget together, and what is taken back can be spent again", async () => {
      const [a, b] = await two();
      const before = await Promise.all(Array.from({ length: 25 }, (_, at) => spend(at % 2 ? a : b)));
      assert.equal(before.filter((spent) => spent + 0.1 <= 1 + 1e-9).length, 10);
      assert.equal(Math.max(...before), 1);
      const [today] = (await b.ledger.days())?.slice(-1) ?? [];
      assert.deepEqual(
        [today?.total, today?.tools["web:search"]],
        [
          { calls: 10, cost: 1 },
          { calls: 10, cost: 1 },
        ],
      );
      const cheap = await a.ledger.reserve({ ...charge, cost: 0 }, () => [], 100);
      cheap.takeBack();
      const other = (await two())[0];
      const reserved = await other.ledger.reserve({ ...charge, cost: 0.9 }, budget(), 100);
      reserved.takeBack();
      assert.equal(await spend(other), 0);
      assert.equal(await spend(other), 0.1);
    });

    test("what this gateway knows to be spent counts, though Redis forgot it", async () => {
      const [a, b] = await two();
      const { budgets } = await a.ledger.reserve(charge, budget(0.95), 100);
      assert.equal(budgets[0]?.spent, 0.95);
      await b.ledger.reserve(charge, budget(0.5), 100);
      assert.equal(await spend(a), 0.6);
    });

    test("while Redis is out of reach, what was last heard counts, and what is spent is handed in later", async () => {
      const [a, b] = await two();
      await spend(b);
      await spend(b);
      assert.equal(await spend(a), 0.2);
      redis.pause();
      await lost(a);
      assert.equal(await spend(a), 0.3);
      assert.equal((await a.ledger.reserve(charge, budget(0.2), 100)).budgets[0]?.spent, 0.4);
      const atOnce = await Promise.all([spend(a), spend(a)]);
      assert.deepEqual(atOnce, [0.5, 0.6], "calls that come at once see each other");
      redis.goOn();
      await until(() => a.heard.filter((what) => what === "reunited").length === 2);
      let spent = 0;
      while (spent < 0.7)
        spent = Number((await a.ledger.reserve({ ...charge, cost: 0 }, budget(), 100)).budgets[0]?.spent);
      assert.equal(spent, 0.7);
    });

    test("names of any length and number cost Redis no more than a bound", async () => {
      const [a] = await two();
      await a.ledger.reserve({ ...charge, tool: `s:${"x".repeat(100_000)}` }, () => [], 100);
      const [today] = (await a.ledger.days())?.slice(-1) ?? [];
      assert.equal(Object.keys(today?.tools ?? {})[0]?.length, 256);
    });
  });

  describe("answers", () => {
    const question = { server: "files", text: "q", ttlMs: 60_000, maxEntries: 3 };
    const own = () => new AnswerStore(new FakeClock());
    const kept = async (found: Answer | Keep | Promise<Answer | Keep>) => {
      const one = await found;
      return one instanceof Answer ? one.value["n"] : undefined;
    };

    /** Resolves when it is kept. */
    const keep = async (answers: AnswerCache, asked: Question, value: JsonObject) => {
      ((await answers.look(asked)) as Keep)(Answer.of(value));
      while (!((await answers.look(asked)) instanceof Answer));
    };

    test("are found at both, until either makes them doubtful", async () => {
      const [a, b] = (await two()).map((peer) => peer.answers(own()));
      await keep(a!, question, { n: 1 });
      const found = (await b!.look(question)) as Answer;
      assert.deepEqual([found.value["n"], found.keptBy], [1, "cache"]);
      const late = (await b!.look({ ...question, text: "other" })) as Keep;
      await b!.forget("files");
      late(Answer.of({ n: 2 }));
      assert.equal(await kept(a!.look(question)), undefined);
      assert.equal(await kept(a!.look({ ...question, text: "other" })), undefined, "it was asked before the change");
      await keep(a!, question, { n: 3 });
      await a!.forget("another server");
      assert.equal(await kept(b!.look(question)), 3);
      await b!.forgetAll();
      assert.equal(await kept(a!.look(question)), undefined);
    });

    test("no more are kept than the settings say", async () => {
      const [a] = (await two()).map((peer) => peer.answers(own()));
      const ask = (text: string) => a!.look({ ...question, text });
      for (const text of ["1", "2", "3", "4"]) await keep(a!, { ...question, text }, { n: text });
      const found = await Promise.all(["1", "2", "3", "4"].map((text) => kept(ask(text))));
      assert.deepEqual(found, [undefined, "2", "3", "4"]);
    });

    test("what is no answer, or too long for one, is not given", async () => {
      const [a] = (await two()).map((peer) => peer.answers(own()));
      await keep(a!, question, { n: 1 });
      assert.equal(await kept(a!.look(question)), 1);
      const key = (await redis.ask("KEYS", `${prefix}v1:answer:*`)).split("\r\n")[2] as string;
      for (const value of ["[1]", "{", "x".repeat(5_000_000)]) {
        await redis.ask("SET", key, value, "KEEPTTL");
        assert.equal(await kept(a!.look(question)), undefined, value.slice(0, 9));
      }
    });

    test("while Redis is out of reach the own ones are used; what became doubtful meanwhile is forgotten there too", async () => {
      const peers = await two();
      const [a, b] = peers.map((peer) => peer.answers(own()));
      await keep(a!, question, { n: 1 });
      assert.equal(await kept(b!.look(question)), 1);
      redis.pause();
      await lost(peers[0]);
      ((await a!.look(question)) as Keep)(Answer.of({ n: 2 }));
      assert.equal(await kept(a!.look(question)), 2);
      await a!.forget("files");
      assert.equal(await kept(a!.look(question)), undefined);
      redis.goOn();
      await until(() => peers[0].heard.filter((what) => what === "reunited").length === 2);
      await a!.look({ ...question, text: "after what is caught up" });
      assert.equal(await kept(a!.look(question)), undefined);
    });
  });

  describe("nonces", () => {
    const claimOf = ({ nonces }: Peer) => {
      const signer = createSigner(systemClock, { state: Promise.resolve({ nonces } as SharedState) });
      return (text: string, principal = "ann") => signer.claim(principal, { text }, 60_000);
    };

    test("are good once over both, for each caller; a request keeps its own", async () => {
      const [a, b] = (await two()).map(claimOf) as [ReturnType<typeof claimOf>, ReturnType<typeof claimOf>];
      const states = await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? a : b)("n")));
      assert.equal(states.filter((state) => state === "new").length, 1);
      assert.equal(await b("n", "bob"), "new");
      const [peer] = await two();
      const signer = createSigner(systemClock, { state: Promise.resolve(peer) });
      const nonce = { text: "m" };
      assert.equal(await signer.claim("ann", nonce, 60_000), "new");
      assert.equal(await signer.claim("ann", nonce, 60_000), "known");
      await signer.release("ann", nonce);
      assert.equal(await b("m"), "new");
    });

    test("while Redis is out of reach each gateway counts its own; Redis has none in plain text", async () => {
      const [claim] = (await two()).map(claimOf) as [ReturnType<typeof claimOf>];
      assert.equal(await claim("plain-nonce"), "new");
      assert.ok(!(await redis.ask("KEYS", "*")).includes("plain-nonce"));
      redis.pause();
      assert.equal(await claim("other"), "new");
      assert.equal(await claim("other"), "seen");
    });
  });

  describe("idempotency", () => {
    const book = async () =>
      openIdempotencyBook({ path: undefined, clock: systemClock, now: Date.now, onProblem: assert.fail });
    const begin = async (peer: Peer) => peer.idempotency(await book());

    test("of all that come at once one makes the call, and the others get its answer", async () => {
      const peers = await two();
      const books = [await begin(peers[0]), await begin(peers[1])];
      const states = await Promise.all(Array.from({ length: 20 }, (_, at) => books[at % 2]!.begin("ann", "k", "r")));
      const fresh = states.filter(({ is }) => is === "new");
      assert.equal(fresh.length, 1);
      assert.ok(states.every(({ is }) => is === "new" || is === "running"));
      await (fresh[0] as { attempt: Attempt }).attempt.succeeded(Answer.of({ n: 1 }));
      for (const each of books) {
        const again = await each.begin("ann", "k", "r");
        assert.equal(again.is === "answered" && again.answer.value["n"], 1);
        assert.equal((await each.begin("ann", "k", "another")).is, "of another call");
        assert.equal((await each.begin("bob", "k", "r")).is === "new", each === books[0]);
      }
    });

    test("a refusal leaves the key as good as new, a call nobody knows the end of does not", async () => {
      const peers = await two();
      const [a, b] = [await begin(peers[0]), await begin(peers[1])];
      const first = await a.begin("ann", "k", "r");
      await (first as { attempt: Attempt }).attempt.failed();
      const second = await b.begin("ann", "k", "r");
      assert.equal(second.is, "new");
      await (second as { attempt: Attempt }).attempt.lost();
      assert.equal((await a.begin("ann", "k", "r")).is, "spent");
    });

    test("what a gateway ran that is dead by now may have been made", async () => {
      const peers = await two();
      await (await begin(peers[0])).begin("ann", "k", "r");
      const b = await begin(peers[1]);
      assert.equal((await b.begin("ann", "k", "r")).is, "running");
      for (const key of (await redis.ask("KEYS", `${prefix}v1:gateway:*`)).match(/\S+v1:gateway:\S+/g) ?? [])
        await redis.ask("DEL", key);
      assert.equal((await b.begin("ann", "k", "r")).is, "spent");
    });

    test("while Redis is out of reach a gateway keeps its own book", async () => {
      const [a] = await two();
      const keys = await begin(a);
      redis.pause();
      await lost(a);
      const first = await keys.begin("ann", "k", "r");
      assert.equal(first.is, "new");
      assert.equal((await keys.begin("ann", "k", "r")).is, "running");
    });

    test("how calls ended while Redis was out of reach is known there afterwards", async () => {
      const peers = await two();
      const [a, b] = [await begin(peers[0]), await begin(peers[1])];
      const begun = await Promise.all(["done", "refused"].map((key) => a.begin("ann", key, "r")));
      const before = peers.map(({ heard }) => heard.length);
      redis.pause();
      await Promise.all(peers.map(lost));
      const [done, refused] = begun.map((state) => (state as { attempt: Attempt }).attempt);
      await done?.succeeded(Answer.of({ n: 1 }));
      await refused?.failed();
      redis.goOn();
      await until(() => peers.every(({ heard }, at) => heard.length > (before[at] as number)));
      let state = await b.begin("ann", "done", "r");
      while (state.is === "running") state = await b.begin("ann", "done", "r");
      assert.equal(state.is === "answered" && state.answer.value["n"], 1);
      while ((await b.begin("ann", "refused", "r")).is === "running");
    });
  });

  describe("sessions", () => {
    const session: SavedSession = {
      principal: "ann",
      backend: undefined,
      protocolVersion: "2025-06-18",
      clientInfo: { name: "test" },
      clientCapabilities: { roots: {} },
      profile: "research",
      state: "checkout",
      logLevel: "error",
      seenAt: 1,
      watches: [{ server: "files", uri: "file:///a", shownAs: "file:///a" }],
    };

    test("are known at both, in every word; changes and their end are told", async () => {
      const [a, b] = await two();
      await a.sessions.save("one", session);
      assert.deepEqual(await b.sessions.load("one"), session);
      await a.sessions.save("one", { ...session, logLevel: "debug" });
      await until(() => b.heard.includes("changed one debug"));
      b.sessions.tell("one", '{"jsonrpc":"2.0"}');
      await until(() => a.heard.includes('message one {"jsonrpc":"2.0"}'));
      a.sessions.remove("one");
      await until(() => b.heard.includes("ended one"));
      assert.equal(await b.sessions.load("one"), "ended");
      await b.sessions.save("one", session);
      assert.equal(await a.sessions.load("one"), "ended", "it is not brought back");
      assert.deepEqual(
        a.heard.filter((what) => what.startsWith("changed")),
        [],
        "its own news are no news",
      );
    });

    test("the end of one while Redis was out of reach is told afterwards", async () => {
      const [a, b] = await two();
      await a.sessions.save("one", session);
      assert.deepEqual(await b.sessions.load("one"), session);
      redis.pause();
      await lost(a);
      a.sessions.remove("one");
      redis.goOn();
      await until(() => b.heard.includes("ended one"));
      assert.equal(await b.sessions.load("one"), "ended");
    });

    test("Redis has no id of a session, and everything there expires", async () => {
      const [a] = await two();
      await a.sessions.save("the-secret-id", session);
      await a.limits.take("x", 1, 5);
      await a.ledger.reserve({ tool: "s:t", caller: "c", cost: 1 }, () => [], 100);
      const answers = a.answers(new AnswerStore(new FakeClock()));
      ((await answers.look({ server: "s", text: "q", ttlMs: 9_999, maxEntries: 9 })) as Keep)(Answer.of({}));
      await answers.forgetAll();
      const states = await openIdempotencyBook({ path: undefined, clock: systemClock, now: Date.now, onProblem() {} });
      await a.idempotency(states).begin("ann", "k", "r");
      const keys = (await redis.ask("KEYS", `${prefix}*`)).match(/^test-.*$/gm) ?? [];
      assert.ok(keys.length >= 9, keys.join("\n"));
      for (const key of keys) {
        assert.doesNotMatch(key, /the-secret-id/);
        assert.match(await redis.ask("PTTL", key), /^:[1-9]/, key);
      }
    });

    test("what no gateway of this version wrote is no session", async () => {
      const [a, b] = await two();
      await a.sessions.save("one", session);
      const key = (await redis.ask("KEYS", `${prefix}v1:session:*`)).split("\r\n")[2] as string;
      for (const value of ["{", "[]", '{"version":2}', '{"version":1,"principal":5}', "x".repeat(1_100_000)]) {
        await redis.ask("SET", key, value, "KEEPTTL");
        assert.equal(await b.sessions.load("one"), undefined, value.slice(0, 30));
      }
      const channel = `${prefix}v1:messages`;
      for (const message of ["{", "[]", '{"from":"x","is":"ended","session":5}', '{"is":"message"}', "null"])
        await redis.ask("PUBLISH", channel, message);
      await a.sessions.save("one", session);
      assert.deepEqual(await b.sessions.load("one"), session);
    });
  });

  test("a Redis that hangs costs one call the time limit and the others nothing; its return is noticed", async () => {
    const [a] = await two();
    assert.equal(await a.limits.take("x", 1, 5), 0);
    redis.pause();
    const began = performance.now();
    assert.equal(await a.limits.take("x", 1, 5), undefined);
    const first = performance.now() - began;
    assert.ok(first >= 240 && first < 1_000, `${first}`);
    const again = performance.now();
    for (let count = 0; count < 100; count++) assert.equal(await a.limits.take("x", 1, 5), undefined);
    assert.ok(performance.now() - again < 200, "it is known by then");
    assert.match(String(a.problems[0]), /did not answer within 250 ms/);
    redis.goOn();
    await until(() => a.problems.length === 2, 15_000);
    assert.equal(a.problems[1], undefined);
    assert.equal(typeof (await a.limits.take("x", 1, 5)), "number");
  });

  test("a Redis that lost everything, scripts included, is used again", async () => {
    const [a, b] = await two();
    assert.equal(await a.limits.take("x", 0.1, 1), 0);
    await redis.ask("SCRIPT", "FLUSH");
    assert.ok(Number(await b.limits.take("x", 0.1, 1)) > 0);
    await redis.kill();
    await lost(a);
    await redis.start();
    await until(() => a.problems.length === 2, 15_000);
    assert.equal(await a.limits.take("x", 0.1, 1), 0);
  });

  test("a command that Redis refuses is done without, and the others go on", async () => {
    const [a] = await two();
    await a.limits.take("x", 1, 5);
    const key = (await redis.ask("KEYS", `${prefix}v1:rate:*`)).split("\r\n")[2] as string;
    await redis.ask("SET", key, "no bucket");
    assert.equal(await a.limits.take("x", 1, 5), undefined);
    assert.equal(await a.limits.take("y", 1, 5), 0);
    assert.deepEqual(a.problems, []);
  });
});
