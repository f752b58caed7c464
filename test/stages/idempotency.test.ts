import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { Call, Next } from "../../src/core/call.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import {
  CancelledError,
  DeniedError,
  type GatewayError,
  NotStartedYetError,
  UnreachedError,
  UpstreamError,
  UpstreamRpcError,
} from "../../src/core/errors.ts";
import { openIdempotencyBook } from "../../src/gateway/idempotency-book.ts";
import { idempotencyStage } from "../../src/stages/idempotency/idempotency-stage.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { makeCall, on } from "./fixture.ts";

const dayMs = 24 * 3_600_000;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function freshPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "idempotency-"));
  folders.push(folder);
  return join(folder, "keys.jsonl");
}

async function keyed({ path, at = 0 }: { path?: string; at?: number } = {}) {
  const clock = new FakeClock();
  const problems: unknown[] = [];
  const time = { now: at };
  const book = await openIdempotencyBook({
    path,
    clock,
    now: () => time.now,
    onProblem: (error) => void (error && problems.push(error)),
  });
  const stage = on(idempotencyStage(book));
  let count = 0;
  const number: Next = async () => Answer.of({ count });
  const ask = (changes: Partial<Call> = {}, next = number) =>
    stage(makeCall({ safe: false, idempotencyKey: "k", ...changes }), (call) => {
      count++;
      return next(call);
    });
  return { ask, book, problems, time, asked: () => count };
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => "OK",
    (error: GatewayError) => `${error.code}: ${error.message}`,
  );
const never = /was made, or may have been/;

describe("idempotencyStage", () => {
  test("a call with a key is made once, and its answer given again", async () => {
    const { ask, asked } = await keyed();
    assert.deepEqual((await ask()).value, { count: 1 });
    const again = await ask();
    assert.deepEqual(again.value, { count: 1, _meta: { "mcp-gateway/idempotency": { repeated: true } } });
    assert.equal(again.keptBy, "idempotency");
    assert.equal(asked(), 1);
  });

  test("keys belong to their caller, and calls without one are made each time", async () => {
    const { ask, asked } = await keyed();
    await ask();
    await ask({ caller: { ...anonymousCaller, principal: "somebody else" } });
    await ask({ idempotencyKey: "k2" });
    for (const _ of [1, 2]) await ask({ idempotencyKey: undefined });
    for (const _ of [1, 2]) await ask({ method: "resources/read", params: { uri: "a:b" } });
    assert.equal(asked(), 7);
  });

  test("a key is not for other arguments, another tool or another server", async () => {
    const { ask, asked } = await keyed();
    await ask();
    const others = [
      { params: { name: "read", arguments: { path: "/b" } } },
      { params: { name: "write", arguments: { path: "/a" } } },
      { upstream: "other" },
    ];
    for (const other of others) assert.match(await code(ask(other)), /^IDEMPOTENCY_CONFLICT: .*was for another tool/);
    assert.equal(asked(), 1);
  });

  test("while the call runs, the key is taken", async () => {
    const { ask } = await keyed();
    let finish = (_answer: Answer) => {};
    const first = ask({}, () => new Promise((resolve) => (finish = resolve)));
    const error = (await ask().catch((thrown) => thrown)) as GatewayError;
    assert.deepEqual([error.code, error.data?.["retry_after_ms"]], ["IDEMPOTENCY_CONFLICT", 1_000]);
    finish(Answer.of({ done: true }));
    await first;
    assert.equal((await ask()).value["done"], true);
  });

  const harmless: Record<string, Next> = {
    "a refusal": () => Promise.reject(new DeniedError("RATE_LIMITED", "Denied")),
    "a start that failed": () => Promise.reject(new UnreachedError("UPSTREAM_START_FAILED", "No such program")),
    "a wait for the next start": () => Promise.reject(new NotStartedYetError("UPSTREAM_CLOSED", "Waits")),
    "an error of the server": () => Promise.reject(new UpstreamRpcError({ code: -32602, message: "No" }, "files")),
    "a result that says the tool failed": async () => Answer.of({ isError: true }),
    "a question": async () => Answer.of({ resultType: "input_required" }),
  };
  for (const [what, next] of Object.entries(harmless))
    test(`${what} leaves the key as good as new`, async () => {
      const { ask } = await keyed();
      await ask({}, next).catch(() => {});
      assert.deepEqual((await ask()).value, { count: 2 });
    });

  const doubtful = [
    new UpstreamError("UPSTREAM_CLOSED", "Gone"),
    new UpstreamError("TIMEOUT", "Too slow"),
    new UpstreamError("UPSTREAM_START_FAILED", "HTTP 503"),
    new UpstreamError("RESULT_TOO_LARGE", "Too much"),
    new CancelledError(),
    new TypeError("A defect"),
  ];
  for (const error of doubtful)
    test(`after ${error.name} ${error.message} nobody knows, and the call is not made again`, async () => {
      const { ask, asked } = await keyed();
      await assert.rejects(
        ask({}, () => Promise.reject(error)),
        (thrown) => thrown === error,
      );
      assert.match(await code(ask()), never);
      assert.equal(asked(), 1);
    });

  test("a key is forgotten after a day", async () => {
    const { ask, time } = await keyed();
    await ask();
    time.now = dayMs - 1;
    assert.equal((await ask()).value["count"], 1);
    time.now = dayMs;
    assert.equal((await ask()).value["count"], 2);
  });

  test("refuses keys that are none", async () => {
    const { ask, asked } = await keyed();
    for (const idempotencyKey of ["", "x".repeat(257)])
      assert.match(await code(ask({ idempotencyKey })), /^INVALID_PARAMS: .*1 to 256 characters/);
    assert.equal(asked(), 0);
  });
});

describe("openIdempotencyBook", () => {
  test("a key is on the disk before its call leaves, and an answer outlives the process", async () => {
    const path = freshPath();
    const before = await keyed({ path });
    await before.ask({ idempotencyKey: "answered" }, async () => {
      assert.match(readFileSync(path, "utf8"), /"state":"running"/);
      return Answer.ofText('{"id":12345678901234567890}');
    });
    await before.ask({ idempotencyKey: "failed" }, async () => Answer.of({ isError: true }));
    // Killed now: this one is never heard of again.
    before.ask({ idempotencyKey: "running" }, () => new Promise(() => {})).catch(() => {});
    while (!/running.*\n.*running.*\n/s.test(readFileSync(path, "utf8").slice(-400))) await before.book.flush();
    await before.book.flush();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(path, "utf8"), /"answered"[^:]*"failed"|anonymous/, "no key, no name");
    writeFileSync(path, `${readFileSync(path, "utf8")}{"id":"ha`);

    const after = await keyed({ path, at: 1_000 });
    assert.match((await after.ask({ idempotencyKey: "answered" })).text, /"id":12345678901234567890/);
    assert.equal((await after.ask({ idempotencyKey: "failed" })).value["count"], 1);
    assert.match(await code(after.ask({ idempotencyKey: "running" })), never);
    assert.deepEqual(after.problems, []);
    await after.book.flush();
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    for (const line of lines) JSON.parse(line);

    const later = await keyed({ path, at: dayMs + 1_000 });
    await later.ask({ idempotencyKey: "new" });
    await later.book.flush();
    assert.ok(readFileSync(path, "utf8").split("\n").length <= 4, "what is too old is not written again");
  });

  test("an answer that is too long to be kept leaves its key spent", async () => {
    const { ask, asked } = await keyed({ path: freshPath() });
    await ask({}, async () => Answer.of({ text: "x".repeat(1_048_577) }));
    assert.match(await code(ask()), never);
    assert.equal(asked(), 1);
  });

  test("a disk that takes nothing is said, and costs no call", async () => {
    const path = freshPath();
    writeFileSync(path, "");
    const { ask, problems } = await keyed({ path: join(path, "below-a-file.jsonl") });
    assert.deepEqual((await ask()).value, { count: 1 });
    assert.equal((await ask()).value["count"], 1);
    assert.ok(problems.length > 0);
  });

  test("holds ten thousand keys, and forgets the oldest", async () => {
    const { ask } = await keyed();
    for (let at = 0; at < 10_001; at++) await ask({ idempotencyKey: `k${at}` });
    assert.equal((await ask({ idempotencyKey: "k1" })).value["count"], 2);
    assert.equal((await ask({ idempotencyKey: "k0" })).value["count"], 10_002);
  });
});
