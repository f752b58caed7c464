import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { Attachment, Call, RpcRequest } from "../../src/core/call.ts";
import {
  CancelledError,
  GatewayError,
  NotStartedYetError,
  UnreachedError,
  UpstreamError,
  UpstreamRpcError,
} from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { LazyGroup } from "../../src/upstreams/group/lazy-group.ts";
import { createReplicaGroup, type GroupPlan, type ReplicaPlan } from "../../src/upstreams/group/replica-group.ts";
import type { LoadBalancingSettings } from "../../src/upstreams/group/schema.ts";
import { manageUpstream } from "../../src/upstreams/managed-upstream.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";

/** A server that starts and answers as the test says; by default at once, with its own name. */
class FakeServer {
  readonly id: string;
  starts = 0;
  closes = 0;
  readonly requests: RpcRequest[] = [];
  onStart = async (): Promise<void> => {};
  onRequest = async (_request: RpcRequest): Promise<Answer> => Answer.of({ from: this.id });
  die = (_reason: string): void => {};
  say = (_method: string, _params: JsonObject): void => {};

  constructor(id: string) {
    this.id = id;
  }

  get methods(): string[] {
    return this.requests.map(({ method }) => method);
  }
}

const settings: LoadBalancingSettings = { strategy: "round_robin", failure_threshold: 3, reset_timeout: 10_000 };

function groupOf(ids: string, more: Partial<LoadBalancingSettings> = {}, idleMs?: number) {
  const clock = new FakeClock();
  const servers = new Map<string, FakeServer>();
  const events: string[] = [];
  const planOf = (id: string, weight = 100): ReplicaPlan => ({
    id,
    weight,
    address: id,
    definition: id,
    build(replicaEvents, isHeld) {
      const server = new FakeServer(id);
      servers.set(id, server);
      return manageUpstream({
        name: "search",
        kind: "stdio",
        startTimeoutMs: 5_000,
        idleMs,
        isHeld,
        clock,
        log: silentLogger,
        random: () => 0,
        events: replicaEvents,
        async connect(_signal, { onNotification }): Promise<Connection> {
          server.starts++;
          await server.onStart();
          let end = (_reason: string) => {};
          const closed = new Promise<string>((resolve) => {
            end = resolve;
          });
          server.die = end;
          server.say = onNotification;
          return {
            description: { protocolVersion: "2025-11-25", serverInfo: { id }, capabilities: {}, instructions: id },
            pid: server.starts,
            request(request) {
              server.requests.push(request);
              return server.onRequest(request);
            },
            notify() {},
            closed,
            async close() {
              server.closes++;
              end("closed");
            },
          };
        },
      });
    },
  });
  const plan = (wanted: readonly ReplicaPlan[], change: Partial<LoadBalancingSettings> = {}): GroupPlan => ({
    settings: { ...settings, ...more, ...change },
    replicas: wanted,
    graceMs: 1_000,
  });
  const group = createReplicaGroup({
    name: "search",
    plan: plan([...ids].map((id) => planOf(id))),
    clock,
    events: {
      onConnected: () => void events.push("connected"),
      onDisconnected: (_group, reason) => void events.push(reason),
      onNotification: (_group, method) => void events.push(method),
    },
  });
  return { clock, group, events, planOf, plan, server: (id: string) => servers.get(id) as FakeServer };
}

const never = new Cancellation();
const echo: RpcRequest = { method: "tools/call", params: { name: "echo" }, signal: never };

type Setting = ReturnType<typeof groupOf>;

async function from({ group }: Setting, request: RpcRequest = echo): Promise<string> {
  return String((await group.request(request)).value["from"]);
}

async function whoAnswers(setting: Setting, times: number): Promise<string> {
  let ids = "";
  for (let count = 0; count < times; count++) ids += await from(setting);
  return ids;
}

/** All of them started. */
async function awake(ids: string, more?: Partial<LoadBalancingSettings>): Promise<Setting> {
  const setting = groupOf(ids, more);
  await setting.group.start(never);
  await settle();
  return setting;
}

const lost = () => new UpstreamError("UPSTREAM_CLOSED", "hung up");
const failing = async () => Promise.reject(lost());

/** Of a client of 2026-07-28. */
const modern: RpcRequest = { ...echo, envelope: { capabilities: {}, clientInfo: undefined, logLevel: undefined } };

const ofSession = (sessionId: string) => ({ ...echo, sessionId }) as RpcRequest;

describe("replica group: who gets a request", () => {
  test("the first need starts all of them, and the first that is there answers", async () => {
    const setting = groupOf("ab");
    const { group, server } = setting;
    const start = Promise.withResolvers<void>();
    server("a").onStart = () => start.promise;
    assert.equal(group.isReady, false);
    const { instructions } = await group.start(never);
    assert.equal(instructions, "b");
    assert.equal(await whoAnswers(setting, 3), "bbb", "nobody waits for the one that is still starting");
    start.resolve();
    await settle();
    assert.match(await whoAnswers(setting, 4), /^(abab|baba)$/);
    assert.deepEqual([server("a").starts, server("b").starts], [1, 1]);
  });

  test("a list that is asked for wakes nobody while one of them is awake", async () => {
    const setting = groupOf("ab", {}, 1_000);
    const { group, server, clock } = setting;
    await group.start(never);
    await clock.advance(900);
    await group.request({ ...echo, method: "resources/subscribe", params: { uri: "x" } });
    await clock.advance(1_100);
    assert.equal(group.status().replicas?.filter(({ state }) => state.is === "ready").length, 1);
    await group.start(never);
    assert.deepEqual([server("a").starts, server("b").starts], [1, 1]);
  });

  test("a replica that sleeps is woken by its turn, and nobody waits for it", async () => {
    const setting = groupOf("ab", {}, 1_000);
    const { group, server, clock } = setting;
    await group.start(never);
    // One of them has a reason to stay.
    const watching = await from(setting, { ...echo, method: "resources/subscribe", params: { uri: "x" } });
    await clock.advance(2_100);
    const sleeping = watching === "a" ? "b" : "a";
    const start = Promise.withResolvers<void>();
    server(sleeping).onStart = () => start.promise;
    assert.equal(await whoAnswers(setting, 4), watching.repeat(4));
    assert.equal(server(sleeping).starts, 2);
    start.resolve();
    await settle();
    assert.match(await whoAnswers(setting, 2), /^(ab|ba)$/);
  });

  test("least_connections counts what runs", async () => {
    const setting = await awake("ab", { strategy: "least_connections" });
    const { group, server } = setting;
    const release: (() => void)[] = [];
    server("a").onRequest = () => new Promise((resolve) => release.push(() => resolve(Answer.of({ from: "a" }))));
    const waiting = [group.request(echo), group.request(echo)];
    await settle();
    const busy = server("a").requests.length;
    assert.equal(busy, 1);
    assert.equal(await whoAnswers(setting, 3), "bbb");
    release[0]?.();
    await Promise.all(waiting);
    assert.deepEqual(
      group.status().replicas?.map(({ inFlight }) => inFlight),
      [0, 0],
    );
  });

  test("session_hash keeps a session on its replica, moves it when that fails, and starts a sleeping one for it", async () => {
    const setting = await awake("abc", { strategy: "session_hash" });
    const { server, group, clock } = setting;
    const sessions = Array.from({ length: 30 }, (_, at) => `session ${at}`);
    const ownerOf = async () =>
      new Map(await Promise.all(sessions.map(async (id) => [id, await from(setting, ofSession(id))] as const)));
    const before = await ownerOf();
    assert.deepEqual(await ownerOf(), before);
    assert.equal(new Set(before.values()).size, 3);
    server("b").onStart = () => Promise.reject(new UpstreamError("UPSTREAM_START_FAILED", "no"));
    server("b").die("exited");
    await settle();
    for (const [id, owner] of await ownerOf()) {
      if (before.get(id) === "b") assert.notEqual(owner, "b");
      else assert.equal(owner, before.get(id));
    }
    server("b").onStart = async () => {};
    await clock.advance(60_000);
    assert.deepEqual(await ownerOf(), before, "they go back to the one that is there again");
    await group.close(0);
  });

  test("ip_hash goes by the address, whatever the session is, and by the session where there is no network", async () => {
    const setting = await awake("abcd", { strategy: "ip_hash" });
    const call = (sessionId: string, address?: string) =>
      from(setting, { ...ofSession(sessionId), ...(address !== undefined && { peer: { address } }) } as Call);
    const addresses = Array.from({ length: 20 }, (_, at) => `10.0.0.${at}`);
    const owners = await Promise.all(addresses.map((address) => call("one", address)));
    assert.deepEqual(await Promise.all(addresses.map((address) => call(`of ${address}`, address))), owners);
    assert.ok(new Set(owners).size > 1);
    assert.equal(await call("same"), await call("same"));
  });

  test("what holds for a connection is told to each of them", async () => {
    const { group, server } = await awake("ab");
    await group.request({ ...echo, method: "logging/setLevel", params: { level: "debug" } });
    assert.deepEqual([server("a").methods, server("b").methods], [["logging/setLevel"], ["logging/setLevel"]]);
  });
});

describe("replica group: who knows what", () => {
  test("a watched resource stays with one replica, which is not idle then, and is ended there", async () => {
    const setting = await awake("ab");
    const about = (method: string) => from(setting, { ...echo, method, params: { uri: "file:///x" } });
    const owner = await about("resources/subscribe");
    await whoAnswers(setting, 1);
    assert.equal(await about("resources/subscribe"), owner);
    assert.equal(await about("resources/unsubscribe"), owner);
  });

  test("what the lost replica watched is to be told to another one", async () => {
    const setting = await awake("ab");
    const { server, events } = setting;
    const subscribe = { ...echo, method: "resources/subscribe", params: { uri: "file:///x" } };
    const owner = await from(setting, subscribe);
    events.length = 0;
    server(owner).onStart = () => new Promise(() => {});
    server(owner).die("exited");
    await settle();
    assert.deepEqual(events, ["connected"], "as after a new connection, everything is told again");
    assert.notEqual(await from(setting, subscribe), owner);
  });

  test("the end of a replica that watched nothing is nobody's business while another is there", async () => {
    const setting = await awake("ab");
    const { server, events } = setting;
    events.length = 0;
    server("a").die("exited");
    await settle();
    assert.deepEqual(events, []);
    server("b").die("exited too");
    await settle();
    assert.deepEqual(events, ["exited too"]);
  });

  test("a task is asked for where it runs, and nowhere else even when that is gone", async () => {
    const setting = await awake("ab");
    const { server, group } = setting;
    for (const id of ["a", "b"])
      server(id).onRequest = async () => Answer.ofText(`{"resultType":"task","taskId":"t-${id}","from":"${id}"}`);
    for (const _each of "ab") await from(setting, modern);
    for (const id of ["a", "b"]) server(id).onRequest = async () => Answer.of({ from: id });
    const ask = (taskId: string) => from(setting, { ...echo, method: "tasks/get", params: { taskId } });
    for (const id of ["a", "a", "b", "b", "a"]) assert.equal(await ask(`t-${id}`), id);
    server("a").onRequest = () => Promise.reject(new UnreachedError("UPSTREAM_START_FAILED", "refused"));
    await assert.rejects(ask("t-a"), /refused/);
    assert.equal(server("b").methods.filter((method) => method === "tasks/get").length, 2);
    await group.close(0);
  });

  test("who asked for input gets the answer", async () => {
    const setting = await awake("abc");
    setting.server("b").onRequest = async ({ params }) =>
      params?.["requestState"] === undefined
        ? Answer.ofText('{"resultType":"input_required","requestState":"s 1","inputRequests":{},"from":"b"}')
        : Answer.of({ from: "b" });
    while ((await from(setting, modern)) !== "b");
    for (let count = 0; count < 4; count++)
      assert.equal(await from(setting, { ...echo, params: { name: "echo", requestState: "s 1" } }), "b");
  });
});

describe("replica group: health", () => {
  test("a request that was not sent goes to the next one at once, whatever it does", async () => {
    const setting = await awake("ab");
    const { server } = setting;
    server("a").onRequest = () => Promise.reject(new UnreachedError("UPSTREAM_START_FAILED", "refused"));
    const unsafe = { ...echo, safe: false };
    assert.deepEqual([await from(setting, unsafe), await from(setting, unsafe)], ["b", "b"]);
  });

  test("a request that may have been taken is not sent again", async () => {
    const setting = await awake("ab");
    const { server, group } = setting;
    server("a").onRequest = failing;
    server("b").onRequest = failing;
    await assert.rejects(group.request(echo), /hung up/);
    assert.equal(server("a").requests.length + server("b").requests.length, 1);
  });

  test("one that cannot be started is passed over, and tried again when its time has come", async () => {
    const setting = groupOf("ab");
    const { server, clock, group } = setting;
    server("a").onStart = () => Promise.reject(new UpstreamError("UPSTREAM_START_FAILED", "no key"));
    assert.equal(await whoAnswers(setting, 4), "bbbb");
    const [a, b] = group.status().replicas ?? [];
    assert.deepEqual([a?.inRotation, a?.lastError, b?.inRotation], [false, "no key", true]);
    assert.ok((a?.failureCount ?? 0) > 0);
    assert.equal(group.status().state.is, "ready");
    server("a").onStart = async () => {};
    await clock.advance(60_000);
    await whoAnswers(setting, 2);
    await settle();
    assert.match(await whoAnswers(setting, 4), /^(abab|baba)$/);
  });

  test("one that fails too often in a row gets one request per reset_timeout until it answers", async () => {
    const setting = await awake("ab", { failure_threshold: 2 });
    const { server, clock, group } = setting;
    server("a").onRequest = failing;
    const outcomes = async (times: number) => {
      let all = "";
      for (let count = 0; count < times; count++) all += await from(setting).catch(() => "!");
      return all;
    };
    assert.equal((await outcomes(8)).split("!").length - 1, 2);
    assert.equal(group.status().replicas?.[0]?.inRotation, false);
    assert.equal(await outcomes(6), "bbbbbb");
    await clock.advance(10_000);
    assert.equal((await outcomes(6)).split("!").length - 1, 1);
    await clock.advance(10_000);
    server("a").onRequest = async () => Answer.of({ from: "a" });
    await outcomes(2);
    assert.equal((await outcomes(6)).split("a").length - 1, 3);
  });

  test("errors of a server that answered, and calls that were cancelled, are no failures", async () => {
    const setting = await awake("a", { failure_threshold: 1 });
    const { server, group } = setting;
    const gone = new Cancellation();
    gone.abort(new CancelledError());
    for (const [error, signal] of [
      [new UpstreamRpcError({ code: -32602, message: "no" }, "search"), never],
      [new UpstreamError("RESULT_TOO_LARGE", "too large"), never],
      [new CancelledError(), gone],
    ] as const) {
      server("a").onRequest = () => Promise.reject(error);
      await assert.rejects(group.request({ ...echo, signal }));
      assert.equal(group.status().replicas?.[0]?.failureCount, 0, error.message);
    }
  });

  test("who is refused as himself is no failure of the replica; as the gateway it is one", async () => {
    const { server, group } = await awake("a", { failure_threshold: 1 });
    const refusal = new UpstreamError("UPSTREAM_START_FAILED", "HTTP 401", { data: { status: 401 } });
    server("a").onRequest = () => Promise.reject(refusal);
    const attached: Attachment = { headers: {}, query: {} };
    const holder = { key: "ada", attachment: async () => attached };
    for (const [count, of] of [{ ...attached, holder }, attached].entries()) {
      await assert.rejects(group.request({ ...echo, attached: of }));
      assert.equal(group.status().replicas?.[0]?.failureCount, count);
    }
  });

  test("the time of an attempt that ended is a failure", async () => {
    const setting = await awake("a");
    const { server, group } = setting;
    const attempt = new Cancellation();
    server("a").onRequest = () => Promise.reject(new CancelledError());
    attempt.abort(new UpstreamError("TIMEOUT", "too slow"));
    await assert.rejects(group.request({ ...echo, signal: attempt }));
    assert.equal(group.status().replicas?.[0]?.consecutiveFailures, 1);
  });

  test("a ping that is answered brings it back, misses take it out", async () => {
    const setting = await awake("ab", { failure_threshold: 2 });
    const { server, group } = setting;
    server("a").onRequest = failing;
    for (let count = 0; count < 6; count++) await from(setting).catch(() => {});
    assert.equal(group.status().replicas?.[0]?.inRotation, false);
    server("a").onRequest = async () => Answer.of({ from: "a" });
    assert.equal(await group.probe(1_000), true);
    assert.equal(group.status().replicas?.[0]?.inRotation, true);
    for (const id of ["a", "b"]) server(id).onRequest = failing;
    assert.equal(await group.probe(1_000), false);
    assert.equal(await group.probe(1_000), false);
    assert.deepEqual(
      group.status().replicas?.map(({ inRotation }) => inRotation),
      [false, false],
    );
  });

  test("whether one failed or all, for those who count failures of the server", async () => {
    const setting = await awake("ab");
    const { server, group } = setting;
    assert.equal(group.group?.isSound, true);
    server("a").onRequest = failing;
    for (let count = 0; count < 2; count++) await from(setting).catch(() => {});
    assert.equal(group.group?.isSound, true);
    server("b").onRequest = failing;
    for (let count = 0; count < 2; count++) await from(setting).catch(() => {});
    assert.equal(group.group?.isSound, false);
  });

  test("where none can be asked the error names each and why, and when to come again", async () => {
    const setting = groupOf("ab");
    const { server, group, clock } = setting;
    server("a").onStart = () => Promise.reject(new UpstreamError("UPSTREAM_START_FAILED", "no key"));
    server("b").onStart = () => Promise.reject(new UpstreamError("UPSTREAM_START_FAILED", "port in use"));
    const told = /No replica of server "search" can be asked: "a": no key; "b": port in use/;
    await assert.rejects(group.request(echo), (error) => {
      assert.ok(error instanceof UpstreamError && !(error instanceof NotStartedYetError));
      assert.match(error.message, told);
      return true;
    });
    await assert.rejects(group.request(echo), (error) => {
      assert.ok(error instanceof NotStartedYetError, "nobody was asked this time");
      assert.match(error.message, told);
      assert.ok((error.retryAfterMs ?? 0) > 0);
      return true;
    });
    assert.deepEqual(group.status().state.is, "backoff");
    await clock.advance(60_000);
    await assert.rejects(group.start(never), told);
    server("b").onStart = async () => {};
    await clock.advance(60_000);
    assert.equal(await from(setting), "b");
  });

  test("a login that one of them waits for is what is said when no other is there", async () => {
    const setting = groupOf("ab");
    setting.server("a").onStart = () => Promise.reject(new UpstreamError("UPSTREAM_START_FAILED", "no key"));
    setting.server("b").onStart = () => Promise.reject(new GatewayError("LOGIN_REQUIRED", "log in at x"));
    await assert.rejects(setting.group.request(echo), /log in at x/);
  });
});

describe("replica group: change", () => {
  test("replicas that stay go on as they are, what is gone ends after its requests, what is new is taken in", async () => {
    const setting = await awake("ab");
    const { group, server, planOf, plan, clock } = setting;
    const answer = Promise.withResolvers<Answer>();
    server("a").onRequest = () => answer.promise;
    const running = [group.request(echo), group.request(echo)];
    await settle();
    group.configure(plan([planOf("b", 300), planOf("c")], { strategy: "weighted_round_robin" }));
    await clock.advance(10);
    assert.equal(server("a").closes, 0, "a request still runs there");
    answer.resolve(Answer.of({ from: "a" }));
    const ended = await Promise.all(running);
    assert.ok(ended.some(({ value }) => value["from"] === "a"));
    await clock.advance(10);
    assert.equal(server("a").closes, 1);
    await whoAnswers(setting, 4);
    await settle();
    const ids = await whoAnswers(setting, 8);
    assert.deepEqual([ids.split("b").length - 1, ids.split("c").length - 1], [6, 2], ids);
    assert.deepEqual([server("b").starts, server("b").closes, server("c").starts], [1, 0, 1]);
  });

  test("one whose definition changed is another one", async () => {
    const { group, server, planOf, plan, clock } = await awake("ab");
    const before = server("a");
    group.configure(plan([{ ...planOf("a"), definition: "other" }, planOf("b")]));
    await clock.advance(10);
    assert.notEqual(server("a"), before);
    assert.deepEqual([before.closes, server("b").closes], [1, 0]);
  });

  test("restart ends each, and the next request starts them", async () => {
    const setting = await awake("ab");
    const { group, server } = setting;
    await group.restart();
    assert.equal(group.isReady, false);
    await group.start(never);
    await settle();
    assert.deepEqual([server("a").starts, server("b").starts, group.status().restartCount], [2, 2, 2]);
  });

  test("close ends all, and refuses what comes later", async () => {
    const { group, server } = await awake("ab");
    await group.close(0);
    assert.deepEqual([server("a").closes, server("b").closes], [1, 1]);
    await assert.rejects(group.request(echo), (error: GatewayError) => error.code === "SHUTTING_DOWN");
    assert.equal(group.status().state.is, "stopped");
  });
});

describe("LazyGroup", () => {
  test("is the group to everybody, from before it is loaded until after it is closed", async () => {
    const { plan, planOf, clock, server } = groupOf("a");
    const seen: unknown[] = [];
    const unused = createReplicaGroup({ name: "x", plan: plan([planOf("a")]), clock, events: {} }).status();
    const lazy = new LazyGroup({
      name: "search",
      plan: plan([planOf("a")]),
      clock,
      unused,
      events: { onConnected: (upstream) => void seen.push(upstream) },
    });
    assert.deepEqual([lazy.status(), lazy.isReady, lazy.group], [unused, false, undefined]);
    lazy.configure(plan([planOf("a"), planOf("b")]));
    assert.equal((await lazy.request(echo)).value["from"], "a");
    assert.equal(seen[0], lazy);
    assert.equal(lazy.status().replicas?.length, 2);
    await lazy.close(0);
    assert.equal(server("a").closes, 1);
    await assert.rejects(lazy.request(echo), (error: GatewayError) => error.code === "SHUTTING_DOWN");
  });

  test("never used, it can be closed", async () => {
    const { plan, planOf, clock } = groupOf("a");
    const group = new LazyGroup({ name: "search", plan: plan([planOf("a")]), clock, events: {}, unused: {} as never });
    await group.close(0);
    await assert.rejects(group.request(echo), (error: GatewayError) => error.code === "SHUTTING_DOWN");
  });
});
