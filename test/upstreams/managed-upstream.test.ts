import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { RpcRequest } from "../../src/core/call.ts";
import { GatewayError, UnreachedError, UpstreamError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection, Upstream } from "../../src/core/upstream.ts";
import type { CancelSignal } from "../../src/lib/cancellation.ts";
import { Lazy } from "../../src/lib/lazy.ts";
import { startHealthChecks } from "../../src/upstreams/health.ts";
import { type ManagedUpstreamOptions, manageUpstream } from "../../src/upstreams/managed-upstream.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";

const never = new AbortController().signal;
const echo: RpcRequest = { method: "tools/call", params: { name: "echo" }, signal: never };

/** A server that starts when told to and answers when told to. */
function fakeServer(more: Partial<ManagedUpstreamOptions> = {}) {
  const clock = new FakeClock();
  const server = {
    clock,
    starts: 0,
    closes: 0,
    requests: [] as string[],
    /** What the next start does. */
    onStart: async (_signal: CancelSignal): Promise<void> => {},
    onRequest: async (request: RpcRequest): Promise<Answer> => Answer.of({ method: request.method }),
    onClose: async (): Promise<void> => {},
    die: (_reason: string): void => {},
    events: [] as string[],
  };
  const upstream = manageUpstream({
    name: "fake",
    kind: "stdio",
    startTimeoutMs: 5_000,
    clock,
    log: silentLogger,
    random: () => 0,
    events: {
      onConnected: () => void server.events.push("connected"),
      onDisconnected: (_upstream, reason) => void server.events.push(reason),
    },
    connect: async (signal): Promise<Connection> => {
      server.starts++;
      await server.onStart(signal);
      let end = (_reason: string) => {};
      const closed = new Promise<string>((resolve) => {
        end = resolve;
      });
      server.die = end;
      return {
        description: { protocolVersion: "2025-11-25", serverInfo: {}, capabilities: {}, instructions: undefined },
        pid: 100 + server.starts,
        request(request) {
          server.requests.push(request.method);
          return server.onRequest(request);
        },
        notify() {},
        closed,
        async close() {
          server.closes++;
          await server.onClose();
          end("closed");
        },
      };
    },
    ...more,
  });
  return { server, clock, upstream };
}

async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => assert.fail("it should have been rejected"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof GatewayError, String(error));
  return error;
}

test("manageUpstream starts at the first request, once for all who wait", async () => {
  const { server, upstream } = fakeServer();
  assert.deepEqual(upstream.status().state, { is: "dormant" });
  const answers = await Promise.all([upstream.request(echo), upstream.request(echo), upstream.start(never)]);
  assert.equal(server.starts, 1);
  assert.equal(answers.length, 3);
  const { state, requestCount, inFlight, pid, healthy, restartCount } = upstream.status();
  assert.deepEqual(
    { state, requestCount, inFlight, pid, healthy, restartCount },
    { state: { is: "ready" }, requestCount: 2, inFlight: 0, pid: 101, healthy: true, restartCount: 0 },
  );
});

test("F3 a start that takes too long fails its waiters with the limit in the text", async () => {
  const { server, clock, upstream } = fakeServer();
  server.onStart = (signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const waiting = failureOf(upstream.request(echo));
  await clock.advance(5_000);
  const error = await waiting;
  assert.equal(error.code, "UPSTREAM_START_FAILED");
  assert.ok(error instanceof UnreachedError, "nothing was sent");
  assert.equal(error.message, 'Server "fake" did not answer "initialize" within 5000 ms');
  assert.equal(upstream.status().state.is, "backoff");
});

test("one who gives up waiting for a start does not end it for the others", async () => {
  const { server, upstream } = fakeServer();
  let finish = () => {};
  server.onStart = () => new Promise((resolve) => (finish = resolve));
  const abort = new AbortController();
  const impatient = failureOf(upstream.request({ ...echo, signal: abort.signal }));
  const patient = upstream.request(echo);
  abort.abort();
  assert.equal((await impatient).code, "CANCELLED");
  finish();
  assert.deepEqual((await patient).value, { method: "tools/call" });
  assert.deepEqual(server.requests, ["tools/call"]);
});

test("F2 a program that never starts is tried at most five times in the first minute, whatever the demand", async () => {
  for (const random of [0, 0.5, 0.999]) {
    const { server, clock, upstream } = fakeServer({ random: () => random });
    server.onStart = () => Promise.reject(new UpstreamError("UPSTREAM_START_FAILED", "exited with code 3"));
    for (let ms = 0; ms < 60_000; ms += 100) {
      const error = await failureOf(upstream.request(echo));
      assert.equal(error.code, "UPSTREAM_START_FAILED");
      await clock.advance(100);
    }
    assert.ok(server.starts >= 3 && server.starts <= 5, `${server.starts} starts with random ${random}`);
    assert.equal(upstream.status().restartCount, server.starts - 1);
  }
});

test("during back-off a request fails at once and says when to come again", async () => {
  const { server, clock, upstream } = fakeServer();
  server.onStart = () => Promise.reject(new UpstreamError("UPSTREAM_START_FAILED", "exited with code 3"));
  await failureOf(upstream.request(echo));
  const error = await failureOf(upstream.request(echo));
  assert.equal(error.message, 'Server "fake" is not started again yet: exited with code 3');
  assert.equal(error.retryAfterMs, 500);
  server.onStart = async () => {};
  await clock.advance(500);
  await upstream.request(echo);
  assert.equal(server.starts, 2);
});

test("F1 a lost server is started again at the next request after its back-off, and nothing runs twice", async () => {
  const { server, clock, upstream } = fakeServer();
  await upstream.request(echo);
  server.die("was killed by SIGKILL");
  await settle();
  const status = upstream.status();
  assert.equal(status.state.is, "backoff");
  assert.equal(status.lastError, "was killed by SIGKILL");
  assert.equal(status.healthy, false);
  await clock.advance(60_000);
  assert.equal(server.starts, 1);
  await upstream.request(echo);
  assert.equal(upstream.status().restartCount, 1);
  assert.deepEqual(server.requests, ["tools/call", "tools/call"]);
  assert.deepEqual(server.events, ["connected", "was killed by SIGKILL", "connected"]);
});

test("a server that fails too often stays down until it is restarted by hand", async () => {
  const { server, clock, upstream } = fakeServer({ maxFailures: 1, restartDelayMs: 3_000 });
  server.onStart = async () => {
    throw new UpstreamError("UPSTREAM_START_FAILED", "no such file");
  };
  await failureOf(upstream.request(echo));
  assert.equal((await failureOf(upstream.request(echo))).retryAfterMs, 3_000, "the time it was given");
  await clock.advance(3_000);
  await failureOf(upstream.request(echo));
  await clock.advance(3_600_000);
  const { message, hint, retryAfterMs } = await failureOf(upstream.request(echo));
  assert.equal(message, 'Server "fake" failed too often: no such file');
  assert.match(hint as string, /restart\.max_restarts/);
  assert.equal(retryAfterMs, undefined);
  assert.equal(await upstream.probe(1_000), undefined);
  assert.equal(server.starts, 2);
  server.onStart = async () => {};
  await upstream.restart();
  await upstream.request(echo);
  assert.equal(server.starts, 3);
});

test("restartDelayMs: also after a run that may have ended by accident", async () => {
  const { server, clock, upstream } = fakeServer({ restartDelayMs: 3_000 });
  await upstream.request(echo);
  server.die("gone");
  await settle();
  assert.equal((await failureOf(upstream.request(echo))).retryAfterMs, 3_000);
  await clock.advance(3_000);
  await upstream.request(echo);
});

test("a server that ran soundly begins its back-off anew", async () => {
  const { server, clock, upstream } = fakeServer();
  for (let round = 0; round < 4; round++) {
    await upstream.request(echo);
    await clock.advance(61_000);
    server.die("crashed");
    await settle();
    assert.equal(upstream.status().consecutiveFailures, 1);
    await clock.advance(1_000);
  }
});

test("an idle server is stopped and wakes at the next request, which is no restart", async () => {
  const { server, clock, upstream } = fakeServer({ idleMs: 10_000 });
  await upstream.request(echo);
  await clock.advance(9_000);
  await upstream.request(echo);
  await clock.advance(9_999);
  assert.equal(upstream.status().state.is, "ready");
  await clock.advance(1);
  assert.equal(upstream.status().state.is, "dormant");
  assert.equal(server.closes, 1);
  assert.equal(clock.pending, 0);
  await upstream.request(echo);
  assert.equal(server.starts, 2);
  assert.equal(upstream.status().restartCount, 0);
});

test("a server with a request in flight is not idle", async () => {
  const { server, clock, upstream } = fakeServer({ idleMs: 1_000 });
  let finish = (_answer: Answer) => {};
  server.onRequest = () => new Promise((resolve) => (finish = resolve));
  const running = upstream.request(echo);
  await clock.advance(5_500);
  assert.equal(upstream.status().state.is, "ready");
  assert.equal(upstream.status().inFlight, 1);
  finish(Answer.of({}));
  await running;
  await clock.advance(2_000);
  assert.equal(upstream.status().state.is, "dormant");
});

test("a server is not idle while somebody waits for what it will say by itself", async () => {
  let isHeld = true;
  const { clock, upstream } = fakeServer({ idleMs: 1_000, isHeld: () => isHeld });
  await upstream.request(echo);
  await clock.advance(5_500);
  assert.equal(upstream.status().state.is, "ready");
  isHeld = false;
  await clock.advance(1_000);
  assert.equal(upstream.status().state.is, "dormant");
});

test("a wake waits until the one before has gone", async () => {
  const { server, clock, upstream } = fakeServer({ idleMs: 1_000 });
  let gone = () => {};
  server.onClose = () => new Promise((resolve) => (gone = resolve));
  await upstream.request(echo);
  await clock.advance(1_000);
  const waking = upstream.request(echo);
  await settle();
  assert.equal(server.starts, 1);
  gone();
  await waking;
  assert.equal(server.starts, 2);
});

test("F17 close lets running requests and those queued behind them finish, then refuses", async () => {
  const { server, clock, upstream } = fakeServer();
  let finish = (_answer: Answer) => {};
  server.onRequest = () => new Promise((resolve) => (finish = resolve));
  const running = upstream.request(echo);
  await settle();
  const closing = upstream.close(10_000);
  finish(Answer.of({ done: 1 }));
  assert.deepEqual((await running).value, { done: 1 });
  const queued = upstream.request(echo);
  await clock.advance(0);
  assert.equal(server.closes, 0);
  finish(Answer.of({ done: 2 }));
  assert.deepEqual((await queued).value, { done: 2 });
  await clock.advance(0);
  await closing;
  assert.equal(server.closes, 1);
  assert.equal(upstream.status().state.is, "stopped");
  assert.equal((await failureOf(upstream.request(echo))).code, "SHUTTING_DOWN");
});

test("close does not wait longer than its grace, and a second close may shorten it", async () => {
  for (const end of ["time", "second close"]) {
    const { server, clock, upstream } = fakeServer();
    server.onRequest = () => new Promise(() => {});
    void upstream.request(echo);
    await settle();
    const closing = upstream.close(1_000);
    await clock.advance(999);
    assert.equal(server.closes, 0);
    if (end === "time") await clock.advance(1);
    else await upstream.close(0);
    await closing;
    assert.equal(server.closes, 1);
    assert.equal(clock.pending, 0);
  }
});

test("close ends a start that is under way", async () => {
  const { server, upstream } = fakeServer();
  server.onStart = (signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const waiting = failureOf(upstream.start(never));
  await settle();
  await upstream.close(0);
  assert.equal((await waiting).code, "SHUTTING_DOWN");
  assert.equal(upstream.status().consecutiveFailures, 0);
});

test("restart drops the connection and ignores back-off", async () => {
  const { server, upstream } = fakeServer();
  server.onStart = () => Promise.reject(new UpstreamError("UPSTREAM_START_FAILED", "no"));
  await failureOf(upstream.request(echo));
  server.onStart = async () => {};
  await upstream.restart();
  await upstream.request(echo);
  await upstream.restart();
  assert.equal(server.closes, 1);
  await upstream.request(echo);
  assert.equal(upstream.status().restartCount, 2);
});

test("health checks ping what runs, leave alone what sleeps, and replace what is deaf three times", async () => {
  const { server, clock, upstream } = fakeServer();
  const probes: boolean[] = [];
  const lazy = new Lazy<Upstream>(() => upstream);
  assert.equal(lazy.value, upstream);
  const stop = startHealthChecks({
    clock,
    targets: () => [{ upstream: lazy, intervalMs: 30_000, timeoutMs: 5_000 }],
    onProbe: (_upstream, alive) => void probes.push(alive),
  });
  await clock.advance(60_000);
  assert.deepEqual([server.starts, probes], [0, []]);
  await upstream.request(echo);
  await clock.advance(30_000);
  assert.deepEqual(probes, [true]);
  assert.equal(upstream.status().requestCount, 1);
  server.onRequest = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  await clock.advance(40_000);
  assert.equal(upstream.status().consecutiveFailures, 2);
  assert.equal(upstream.status().state.is, "ready");
  server.onStart = async () => {
    server.onRequest = async () => Answer.of({});
  };
  await clock.advance(70_000);
  assert.equal(server.closes, 1);
  assert.equal(upstream.status().lastError, "did not answer 3 pings in a row");
  assert.equal(upstream.status().state.is, "ready");
  assert.equal(probes.at(-1), true);
  stop();
  await upstream.close(0);
  assert.equal(clock.pending, 0);
});

test("a ping neither keeps a server from being idle nor is sent while it works", async () => {
  const { server, clock, upstream } = fakeServer({ idleMs: 20_000 });
  await upstream.request(echo);
  await clock.advance(10_000);
  assert.equal(await upstream.probe(1_000), true);
  await clock.advance(10_000);
  assert.equal(upstream.status().state.is, "dormant");
  assert.equal(await upstream.probe(1_000), undefined);
  let finish = (_answer: Answer) => {};
  server.onRequest = () => new Promise((resolve) => (finish = resolve));
  const running = upstream.request(echo);
  await settle();
  assert.equal(await upstream.probe(1_000), undefined);
  finish(Answer.of({}));
  await running;
});

test("what a server says in the gateway's name is taken out; of an agent it was written here", async () => {
  const text = '{"content":[],"_meta":{"mcp-gateway/a2a":{"taskId":"1"}}}';
  for (const [kind, expected] of [
    ["stdio", '{"content":[]}'],
    ["http", '{"content":[]}'],
    ["a2a", text],
  ] as const) {
    const { server, upstream } = fakeServer({ kind });
    server.onRequest = async () => Answer.ofText(text);
    assert.equal((await upstream.request(echo)).text, expected);
    await upstream.close(0);
  }
});
