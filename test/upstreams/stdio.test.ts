import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { RpcRequest } from "../../src/core/call.ts";
import { GatewayError, UpstreamError, UpstreamRpcError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { isJsonObject, type JsonObject } from "../../src/lib/json.ts";
import type { Program } from "../../src/upstreams/isolation/launch.ts";
import { type StdioSettings, stdioConnect } from "../../src/upstreams/stdio/connect-stdio.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { isAlive, until } from "../fixtures/processes.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";

const open: Connection[] = [];
after(() => Promise.all(open.map((connection) => connection.close())));
const never = new AbortController().signal;

async function connect(flags: string[] = [], settings: Partial<StdioSettings> = {}, notices: string[] = []) {
  const connection = await stdioConnect(settingsFor(flags, settings))(never, {
    onNotification: (method) => notices.push(method),
  });
  open.push(connection);
  return connection;
}

function settingsFor(flags: string[], settings: Partial<StdioSettings>): StdioSettings {
  return {
    name: "raw",
    argv: scriptArgv("stdio-backend.mjs", ...flags),
    env: {},
    maxResultBytes: 16 * 1024 * 1024,
    clock: systemClock,
    log: silentLogger,
    redact: (text) => text.replaceAll("no API key", "[redacted]"),
    stopStepMs: 150,
    ...settings,
  };
}

function call(connection: Connection, name: string, args: JsonObject = {}, more: Partial<RpcRequest> = {}) {
  const params = { name, arguments: args };
  return connection.request({ method: "tools/call", params, signal: never, ...more });
}

async function textOf(connection: Connection, name: string, args: JsonObject = {}): Promise<string> {
  const [content] = (await call(connection, name, args)).value["content"] as JsonObject[];
  return content?.["text"] as string;
}

async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => assert.fail("it should have been rejected"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof GatewayError, String(error));
  return error;
}

const shared = await connect();

test("stdioConnect describes the server it initialized", () => {
  assert.equal(shared.description.protocolVersion, "2025-11-25");
  assert.deepEqual(shared.description.serverInfo, { name: "raw", version: "1" });
  assert.ok(isAlive(shared.pid as number));
});

test("T12 arguments reach the program as they are", async () => {
  const hostile = ["; touch x", "$(id)", "a\nb", "%COMSPEC%", "-rf", "'\"", ""];
  const connection = await connect(hostile);
  assert.deepEqual(JSON.parse(await textOf(connection, "argv")), hostile);
});

test("T12 the environment holds only what is listed", async () => {
  process.env["CANARY_OF_THE_TEST"] = "secret";
  const connection = await connect([], { env: { GIVEN: "yes" } });
  const names = Object.keys(JSON.parse(await textOf(connection, "env")));
  const allowed = ["PATH", "HOME", "TMPDIR", "LANG", "GIVEN"];
  assert.deepEqual(
    names.filter((name) => !allowed.includes(name)),
    [],
  );
  assert.ok(names.includes("GIVEN") && names.includes("PATH"));
});

test("F1 a request fails at once when the server is killed, and says how", async () => {
  const connection = await connect();
  const running = failureOf(call(connection, "silent"));
  await textOf(connection, "pid");
  const startedMs = performance.now();
  process.kill(connection.pid as number, "SIGKILL");
  const error = await running;
  assert.ok(performance.now() - startedMs < 2_000, `${performance.now() - startedMs} ms`);
  assert.equal(error.code, "UPSTREAM_CLOSED");
  assert.match(error.message, /^Server "raw" was killed by SIGKILL/);
  assert.match(await connection.closed, /SIGKILL/);
  assert.equal((await failureOf(call(connection, "echo"))).code, "UPSTREAM_CLOSED");
});

test("F1 a request in flight tells the exit code and the last of stderr", async () => {
  const connection = await connect();
  const error = await failureOf(call(connection, "die", { code: 7 }));
  assert.equal(error.message, 'Server "raw" exited with code 7; last stderr: about to die');
});

test("F2 a server that exits before it is initialized is explained within a second", async () => {
  const startedMs = performance.now();
  const error = await failureOf(connect(["--exit-at-start"]));
  assert.ok(performance.now() - startedMs < 1_000);
  assert.equal(error.code, "UPSTREAM_START_FAILED");
  assert.equal(error.message, 'Server "raw" exited with code 3; last stderr: first line\nfatal: [redacted] given');
});

test("F2 a program that does not exist names the command and the fix", async () => {
  const unknown = await failureOf(connect([], { argv: ["no-such-program-here"] }));
  assert.equal(unknown.code, "UPSTREAM_START_FAILED");
  assert.match(unknown.message, /^Server "raw": Cannot start "no-such-program-here": no program of that name in PATH$/);
  assert.match(unknown.hint as string, /^Install it or give its full path; PATH is /);
  const notExecutable = await failureOf(connect([], { argv: ["/etc/passwd"] }));
  assert.match(notExecutable.message, /it is not executable$/);
  const relative = await failureOf(connect([], { argv: ["./no-such-file"], cwd: "/etc" }));
  assert.match(relative.message, /Cannot start ".\/no-such-file": the file "\/etc\/no-such-file" does not exist$/);
  assert.match(relative.hint as string, /^Relative paths in "command" begin at "cwd"/);
  const noFolder = await failureOf(connect([], { cwd: "/no/such/folder" }));
  assert.match(noFolder.message, /its working directory "\/no\/such\/folder" does not exist$/);
});

test("F3 a server that never answers initialize is ended when the signal says so", async () => {
  const abort = new AbortController();
  const reason = new UpstreamError("UPSTREAM_START_FAILED", "Too slow");
  setTimeout(() => abort.abort(reason), 150);
  const connecting = stdioConnect(settingsFor(["--never-initialize", "--deaf"], {}))(abort.signal, {
    onNotification() {},
  });
  const error = await failureOf(connecting);
  assert.equal(error.message, "Too slow");
});

test("F4 garbage on stdout is skipped and the next message still counts", async () => {
  const noisy = await connect(["--noisy-start"]);
  const answer = await call(noisy, "garbage");
  assert.deepEqual(answer.value, { after: "garbage" });
});

test("F4 half a message fails the call it would have answered", async () => {
  const error = await failureOf(call(shared, "partialJson"));
  assert.equal(error.code, "UPSTREAM_PROTOCOL");
  assert.equal(error.message, 'Server "raw" answered with a line that is not JSON');
});

test("F4 a line without end gets the server killed, not the gateway", async () => {
  const connection = await connect([], { maxResultBytes: 1_048_576 });
  const error = await failureOf(call(connection, "endless"));
  assert.equal(error.message, 'Server "raw" was killed because it wrote a line without end');
  await connection.closed;
});

test("F5 invalid UTF-8 fails the call it answers and no other", async () => {
  const other = textOf(shared, "sleep", { ms: 50 });
  const error = await failureOf(call(shared, "badUtf8"));
  assert.equal(error.code, "UPSTREAM_PROTOCOL");
  assert.equal(error.message, 'Server "raw" answered with a line that is not UTF-8');
  assert.equal(await other, "slept");
});

test("F5 escaped lone surrogates and NUL pass as they came", async () => {
  assert.equal((await call(shared, "loneSurrogate")).text, '{"text":"\\ud800 \\u0000"}');
});

test("F6 only the first answer with the right id counts", async () => {
  assert.equal(await textOf(shared, "ids"), "first");
  assert.equal(await textOf(shared, "echo", { text: "still fine" }), "still fine");
});

test("F7 an answer over the limit fails its call, names the limit and leaves the server alone", async () => {
  const connection = await connect();
  for (const idFirst of [true, false]) {
    const other = textOf(shared, "sleep", { ms: 1 });
    const error = await failureOf(call(connection, "big", { bytes: 100 * 1024 * 1024, idFirst }));
    assert.equal(error.code, "RESULT_TOO_LARGE");
    assert.match(error.message, /more than 16777216 bytes, the "max_result_size"/);
    assert.equal(await other, "slept");
  }
  assert.equal(await textOf(connection, "pid"), String(connection.pid));
});

test("F12 a server that stops reading is given up, with the reason", async () => {
  const connection = await connect([], { maxUnreadBytes: 1_048_576 });
  await textOf(connection, "stopReading");
  const errors = Array.from({ length: 8 }, () => failureOf(call(connection, "echo", { text: "x".repeat(400_000) })));
  for (const error of await Promise.all(errors))
    assert.match(error.message, /was killed because it stopped reading its input: \d+ bytes were waiting/);
  await connection.closed;
});

test("F12 a little that is never read is given up after a time", async () => {
  const connection = await connect([], { unreadMs: 200 });
  await textOf(connection, "stopReading");
  const error = await failureOf(call(connection, "echo", { text: "x".repeat(1_000_000) }));
  assert.match(error.message, /stopped reading its input/);
});

test("F13 a deaf server and what it forked are gone after close", async () => {
  const lines: string[] = [];
  const log = { ...silentLogger, debug: (line: string) => void lines.push(line), with: () => log };
  const connection = await connect(["--deaf", "--grandchild"], { log });
  await until(() => lines.length > 0);
  const grandchild = Number(/grandchild (\d+)/.exec(lines[0] as string)?.[1]);
  assert.ok(isAlive(grandchild));
  const startedMs = performance.now();
  await connection.close();
  assert.ok(performance.now() - startedMs < 1_500);
  await until(() => !isAlive(grandchild));
  assert.ok(!isAlive(connection.pid as number));
});

test("F13 what a killed server forked is gone too", async () => {
  const lines: string[] = [];
  const log = { ...silentLogger, debug: (line: string) => void lines.push(line), with: () => log };
  const connection = await connect(["--grandchild"], { log });
  await until(() => lines.length > 0);
  process.kill(connection.pid as number, "SIGKILL");
  await connection.closed;
  await until(() => !isAlive(Number(/grandchild (\d+)/.exec(lines[0] as string)?.[1])));
});

test("close ends a well-behaved server by closing its input", async () => {
  const connection = await connect();
  await connection.close();
  assert.equal(await connection.closed, "was stopped by the gateway");
});

test("progress reaches its request without our token and ends with it", async () => {
  const seen: JsonObject[] = [];
  const answer = await call(shared, "progress", {}, { onProgress: (params) => void seen.push(params) });
  assert.deepEqual(seen, [
    { progress: 1, extra: "kept" },
    { progress: 2, extra: "kept" },
  ]);
  assert.match(answer.text, /number/);
  await textOf(shared, "pid");
  assert.equal(seen.length, 2);
});

test("a log message goes to the only request in flight, other notifications to the connection", async () => {
  const notices: string[] = [];
  const connection = await connect([], {}, notices);
  const own: string[] = [];
  await call(connection, "log", {}, { onNotification: (method) => void own.push(method) });
  await call(connection, "changed");
  assert.deepEqual(own, ["notifications/message"]);
  assert.deepEqual(notices, ["notifications/tools/list_changed"]);
});

test("an aborted request is cancelled at the server and its late answer is dropped", async () => {
  const connection = await connect();
  const abort = new AbortController();
  const running = failureOf(call(connection, "sleep", { ms: 30 }, { signal: abort.signal }));
  abort.abort();
  assert.equal((await running).code, "CANCELLED");
  await textOf(connection, "sleep", { ms: 60 });
  const [cancelled] = JSON.parse(await textOf(connection, "cancelled"));
  assert.equal(cancelled.reason, "The request was cancelled");
  assert.equal(typeof cancelled.requestId, "number");
});

test("a request of the server is refused with a reason, a ping is answered", async () => {
  const connection = await connect();
  await call(connection, "ask");
  const answers = JSON.parse(await textOf(connection, "refused")) as JsonObject[];
  assert.deepEqual(
    answers.find(({ id }) => id === 1),
    { jsonrpc: "2.0", id: 1, result: {} },
  );
  const refusal = answers.find(({ id }) => id === "from-server")?.["error"];
  assert.ok(isJsonObject(refusal) && refusal["code"] === -32601);
});

test("a JSON-RPC error is relayed with code and data", async () => {
  const error = await failureOf(call(shared, "rpcError"));
  assert.ok(error instanceof UpstreamRpcError);
  assert.deepEqual(error.rpc, { code: -32042, message: "Need more", data: { url: "x" } });
});

test("an answer that is no result fails its request at once", async () => {
  const error = await failureOf(call(shared, "badResult"));
  assert.equal(error.code, "UPSTREAM_PROTOCOL");
});

test("the handshake takes an older revision the server names, and refuses an unknown one", async () => {
  const older = await connect(["--supports=2024-11-05"]);
  assert.equal(older.description.protocolVersion, "2024-11-05");
  const error = await failureOf(connect(["--version=2031-01-01"]));
  assert.equal(error.code, "UPSTREAM_PROTOCOL");
  assert.match(error.message, /^Server "raw" answered "2031-01-01" when offered protocol revision "2025-11-25"/);
  const refusal = await failureOf(connect(["--supports=2031-01-01"]));
  assert.match(refusal.message, /^Server "raw" supports 2031-01-01 when offered/);
});

test("a program is ended after the time it may run, and its calls fail with that", async () => {
  const clock = new FakeClock();
  const connection = await connect([], { clock, maxLifeMs: 60_000 });
  const pid = connection.pid as number;
  const failure = failureOf(call(connection, "silent"));
  await clock.advance(59_999);
  assert.ok(isAlive(pid));
  await clock.advance(1);
  assert.equal((await failure).message, 'Server "raw" was ended after the 60 s it may run');
  await until(() => !isAlive(pid));
  assert.equal(await connection.closed, "was ended after the 60 s it may run");
});

test("what is started in place of the program is asked for at every start", async () => {
  const asked: Program[] = [];
  const isolate = (program: Program) => {
    asked.push(program);
    return { ...program, argv: [...program.argv, `start-${asked.length}`], env: { PATH: process.env["PATH"] ?? "" } };
  };
  const connectAgain = stdioConnect(settingsFor(["--x"], { env: { A: "1" }, isolate }));
  for (const start of [1, 2]) {
    const connection = await connectAgain(never, { onNotification() {} });
    open.push(connection);
    assert.deepEqual(JSON.parse(await textOf(connection, "argv")), ["--x", `start-${start}`]);
    assert.equal(JSON.parse(await textOf(connection, "env"))["A"], undefined);
  }
  assert.deepEqual(asked[0]?.env, { A: "1" });
});
