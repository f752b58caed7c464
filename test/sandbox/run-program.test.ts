import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CancelledError } from "../../src/core/errors.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { type ProgramOptions, runProgram } from "../../src/sandbox/run-program.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";

/** Long enough for a slow machine where the test is not about time. */
const options: Omit<ProgramOptions, "source"> = {
  timeoutMs: 60_000,
  maxComputeMs: 30_000,
  maxMemoryBytes: 32 * 1_048_576,
  maxCalls: 10,
  maxResultCharacters: 10_000,
  signal: new Cancellation(),
  clock: systemClock,
  call: async (_server, _tool, json) => json,
};

const run = (source: string, change: Partial<ProgramOptions> = {}) => runProgram({ ...options, source, ...change });

async function returned(source: string, change?: Partial<ProgramOptions>): Promise<unknown> {
  const end = await run(source, change);
  assert.equal(end.is, "returned", JSON.stringify(end));
  return end.is === "returned" && end.json !== undefined ? JSON.parse(end.json) : undefined;
}

async function failure(source: string, change?: Partial<ProgramOptions>): Promise<string> {
  const end = await run(source, change);
  return end.is === "failed" ? end.message : `returned ${end.json}`;
}

describe("runProgram", () => {
  test("gives what the program returns, and what it logs", async () => {
    const end = await run("console.log('n', { a: 1 });\nconst { a, ...rest } = { a: 1, b: [2] };\nreturn rest;");
    assert.deepEqual(end, { is: "returned", json: '{"b":[2]}', logs: ['n {"a":1}'] });
    assert.equal(await returned("1 + 1"), undefined);
  });

  test("carries calls out, several at once, and their values and errors back", async () => {
    const calls: string[] = [];
    const call = async (server: string, tool: string, json: string) => {
      calls.push(`${server}:${tool} ${json}`);
      if (tool === "fail") throw new Error("no such issue");
      return json;
    };
    const source = `
      const [a, b] = await Promise.all([tools.github.list({ n: 1 }), tools["my-files"].read()]);
      const c = await callTool("chat:send", [a, b]);
      try { await tools.github.fail({}); } catch (error) { return { c, error: error.message, is: error instanceof Error }; }`;
    assert.deepEqual(await returned(source, { call }), { c: [{ n: 1 }, {}], error: "no such issue", is: true });
    assert.deepEqual(calls, ['github:list {"n":1}', "my-files:read {}", ':chat:send [{"n":1},{}]', "github:fail {}"]);
  });

  test("says what failed, and in which line", async () => {
    assert.equal(await failure("const a = 1;\nthrow new TypeError('bad ' + a);"), "TypeError: bad 1 (line 2)");
    assert.match(await failure("return 1 +;"), /^SyntaxError: /);
    assert.equal(await failure("throw { code: 7 };"), '{"code":7}');
    assert.match(await failure("const a = {}; a.a = a; return a;"), /circular/);
    assert.equal(await failure("await new Promise(() => {});"), "The program waits for something that never comes");
  });

  test("has nothing of the host", async () => {
    const names =
      "process Bun Deno require module fetch WebSocket Worker WebAssembly setTimeout postMessage importScripts navigator performance __call __log";
    const source = `return [${names.split(" ").map((name) => `typeof ${name}`)}]`;
    assert.deepEqual(new Set((await returned(source)) as string[]), new Set(["undefined"]));
    const ways = [
      "return Function('return typeof process')()",
      "return (0, eval)('typeof process')",
      "return Object.getPrototypeOf(tools).constructor.constructor('return typeof process')()",
      "return (async () => {}).constructor('return typeof process')()",
      "return Object.getPrototypeOf(console.log).constructor('return typeof process')()",
      "try { await tools.a.b() } catch (error) { return error.constructor.constructor('return typeof process')() } return 'undefined'",
    ];
    for (const way of ways) assert.match(String(await returned(way)), /^undefined$/, way);
    for (const specifier of ["node:fs", "./program-worker.ts", "https://example.com/x.js"])
      assert.match(await failure(`await import(${JSON.stringify(specifier)});`), /could not load module/, specifier);
    assert.equal(await failure("}); throw new Error('outside'); (() => {"), "Error: outside (line 1)");
  });

  test("spoils its own tools and nobody's else", async () => {
    await run("JSON.parse = JSON.stringify = () => 1; Promise.prototype.then = null; globalThis.tools = 1;");
    assert.deepEqual(await returned("return tools.a.b({ c: 1 })"), { c: 1 });
  });

  test("ends a program that computes too long, whatever it catches", async () => {
    const message = "The program computed for longer than 200 ms";
    for (const source of [
      "while (true) {}",
      "while (true) { try { while (true) {} } catch {} }",
      "for (;;) await null;",
      "for (;;) await tools.a.b();",
    ])
      assert.equal(await failure(source, { maxComputeMs: 200, maxCalls: 1_000_000 }), message, source);
  });

  test("keeps a program within its memory", async () => {
    for (const source of [
      "const a = []; for (;;) a.push(new Uint8Array(1_000_000));",
      "let a = 'x'; for (;;) a += a;",
      "const f = () => f() + 1; return f();",
    ])
      assert.match(
        await failure(source, { maxMemoryBytes: 8 * 1_048_576 }),
        /out of memory|too long|stack overflow/,
        source,
      );
  });

  test("limits calls, what they give, and what the program returns", async () => {
    assert.match(await failure("for (;;) await tools.a.b();"), /may make no more than 10 calls/);
    const call = async () => JSON.stringify("x".repeat(5 * 1_048_576));
    assert.match(await failure("await tools.a.b();", { call }), /result of b is too large for a program/);
    assert.match(await failure("return 'x'.repeat(10_000);"), /returned 10002 characters, more than 10000/);
    const { logs } = await run("for (let at = 0; at < 1_000; at++) console.log('x'.repeat(1_000));");
    assert.equal(logs.join("").length, 10_000);
  });

  test("ends with its time and with its request, whatever it waits for", async () => {
    const clock = new FakeClock();
    const call = () => new Promise<string>(() => {});
    let called = () => {};
    const waiting = new Promise<void>((resolve) => {
      called = resolve;
    });
    const late = run("await tools.a.b();", {
      clock,
      timeoutMs: 1_000,
      call() {
        called();
        return call();
      },
    });
    const ended = assert.rejects(late, { code: "TIMEOUT", message: "The program took longer than 1000 ms" });
    await waiting;
    await clock.advance(1_000);
    await ended;
    const request = new Cancellation();
    const cancelled = run("await tools.a.b();", { signal: request, call });
    await settle();
    request.abort(new CancelledError());
    await assert.rejects(cancelled, CancelledError);
  });

  test("lets only so many run at once", async () => {
    const ends: (() => void)[] = [];
    const call = () => new Promise<string>((resolve) => ends.push(() => resolve("1")));
    const running = Array.from({ length: 6 }, () => returned("return tools.a.b();", { call }));
    while (ends.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    ends.splice(0).forEach((end) => void end());
    while (ends.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    ends.forEach((end) => void end());
    assert.deepEqual(await Promise.all(running), [1, 1, 1, 1, 1, 1]);
  });
});
