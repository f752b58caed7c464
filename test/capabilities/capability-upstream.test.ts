import assert from "node:assert/strict";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readPin, withPin } from "../../src/capabilities/pin.ts";
import { CancelledError, UpstreamError, UpstreamRpcError } from "../../src/core/errors.ts";
import type { UpstreamEvents } from "../../src/core/upstream.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { sha256Hex } from "../../src/runtime/digest.ts";
import { watchTree } from "../../src/runtime/watch.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { call, Folder, KeptLog, listTools, rest, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

function file(config: object, description = "A tool"): string {
  return JSON.stringify({ description, ...rest(config as never) });
}
const anywhere = { base_url: "http://api.example" };

/** A watch the test sets off by hand, and a list of what the upstream announced. */
function observed() {
  const clock = new FakeClock();
  const log = new KeptLog();
  const announced: string[] = [];
  let change = () => {};
  let closed = 0;
  let heard: (() => void) | undefined;
  const events: UpstreamEvents = {
    onNotification: (_upstream, method) => {
      announced.push(method);
      heard?.();
    },
    onConnected: () => announced.push("connected"),
  };
  return {
    options: {
      clock,
      log,
      events,
      watch: (_directory: string, _extensions: readonly string[], onChange: () => void) => {
        change = onChange;
        return { close: () => closed++ };
      },
    },
    clock,
    log,
    announced,
    change: () => change(),
    announcement: () =>
      new Promise<void>((resolve) => {
        heard = resolve;
      }),
    closedWatchers: () => closed,
  };
}

test("upstream: is dormant until asked, then ready, and describes itself", async () => {
  await using folder = await Folder.with({ "one.yaml": file(anywhere) });
  const seen = observed();
  await using upstream = upstreamOver([folder.path], seen.options);
  assert.deepEqual(upstream.status().state, { is: "dormant" });
  const [first, second] = await Promise.all([
    upstream.start(AbortSignal.timeout(5_000)),
    upstream.start(AbortSignal.timeout(5_000)),
  ]);
  assert.equal(first, second);
  assert.deepEqual(first.capabilities, { tools: { listChanged: true } });
  assert.equal(upstream.description, first);
  assert.deepEqual(seen.announced, ["connected"]);
  assert.deepEqual(upstream.status().state, { is: "ready" });
  const { value } = await upstream.request({ method: "ping", params: undefined, signal: AbortSignal.timeout(5_000) });
  assert.deepEqual(value, {});
});

test("upstream: what it has not is a JSON-RPC error", async () => {
  await using upstream = upstreamOver([]);
  const rejection = async (method: string, params: object) => {
    const signal = AbortSignal.timeout(5_000);
    const error = await upstream
      .request({ method, params: params as never, signal })
      .catch((reason: unknown) => reason);
    assert.ok(error instanceof UpstreamRpcError);
    return error.rpc;
  };
  assert.deepEqual(await rejection("resources/list", {}), {
    code: -32601,
    message: "Method not found: resources/list",
  });
  assert.deepEqual(await rejection("tools/call", { name: "nope" }), { code: -32602, message: "Unknown tool: nope" });
  assert.equal((await rejection("tools/call", { name: 5 })).code, -32602);
  assert.equal((await rejection("tools/call", { name: "x", arguments: [1] })).code, -32602);
});

test("files: a user's file overrides a built-in one; of two user files the first wins, with a warning", async () => {
  await using first = await Folder.with({
    "deep/down/weather_current.yaml": file(anywhere, "My weather"),
    "b.yaml": file(anywhere, "b"),
    ".hidden/c.yaml": file(anywhere, "hidden"),
    "notes.txt": "no capability",
  });
  await using second = await Folder.with({ "b.yml": file(anywhere, "another b") });
  const log = new KeptLog();
  await using upstream = upstreamOver([first.path, second.path, first.path, "/nowhere/at/all"], { builtin: true, log });
  const tools = new Map((await listTools(upstream)).map(({ name, description }) => [name, description]));
  assert.equal(tools.get("weather_current"), "My weather");
  assert.equal(tools.get("b"), "b");
  assert.equal([...tools.values()].filter((text) => text === "My weather").length, 1);
  assert.ok(tools.has("public_holidays") && !tools.has("c"));
  assert.deepEqual(log.lines, [
    `warn ${join(second.path, "b.yml")}  The capability "b" is defined by "${join(first.path, "b.yaml")}" too, which is the one in use`,
  ]);
});

test("F18: a file truncated while it is written keeps its previous version, and says where it breaks", async () => {
  await using api = await RawApi.start();
  const whole = file({ base_url: api.origin, path: "/v1" });
  await using folder = await Folder.with({ "one.yaml": whole, "two.yaml": file(anywhere) });
  const seen = observed();
  await using upstream = upstreamOver([folder.path], seen.options);
  const before = await listTools(upstream);
  for (const broken of [whole.slice(0, 40), ""]) {
    const warned = seen.log.next();
    await folder.write("one.yaml", broken);
    seen.change();
    await seen.clock.advance(300);
    await warned;
    assert.match(seen.log.lines.at(-1) ?? "", /one\.yaml:1:\d+ {2}.+; its previous version stays in use$/);
    assert.deepEqual(await listTools(upstream), before);
    assert.equal((await call(upstream, "one")).isError, false);
  }
  assert.equal(api.last.line, "GET /v1 HTTP/1.1");
  const changed = seen.announcement();
  await folder.write("one.yaml", file({ base_url: api.origin, path: "/v2" }, "Newer"));
  seen.change();
  await seen.clock.advance(300);
  await changed;
  await call(upstream, "one");
  assert.equal(api.last.line, "GET /v2 HTTP/1.1");
});

test("C5: a pinned file that changes or loses its pin is withdrawn, until it is pinned anew", async () => {
  await using api = await RawApi.start();
  const at = (path: string) =>
    `description: A tool\nproviders: {primary: {config: {base_url: "${api.origin}", path: ${path}}}}\n`;
  await using folder = await Folder.with({ "one.yaml": withPin(at("/v1")), "two.yaml": file(anywhere) });
  const seen = observed();
  await using upstream = upstreamOver([folder.path], seen.options);
  const names = async () => (await listTools(upstream)).map(({ name }) => name);
  const write = async (text: string) => {
    const changed = seen.announcement();
    await folder.write("one.yaml", text);
    seen.change();
    await seen.clock.advance(300);
    await changed;
  };
  assert.deepEqual(await names(), ["one", "two"]);
  await write(withPin(at("/v1")).replace("/v1", "/evil"));
  assert.deepEqual(await names(), ["two"]);
  assert.match(seen.log.lines.at(-1) ?? "", /^error RUG-PULL DETECTED: ".+one\.yaml" is not what its pin says: /);
  await write(withPin(at("/v1")));
  assert.deepEqual(await names(), ["one", "two"]);
  await write(at("/v1"));
  assert.deepEqual(await names(), ["two"]);
  assert.match(seen.log.lines.at(-1) ?? "", /lost its pin; its tool is withdrawn until "mcp-gateway cap pin /);
  await write(withPin(at("/v2")));
  await call(upstream, "one");
  assert.equal(api.last.line, "GET /v2 HTTP/1.1");
});

test("pin: is over the rest of the file, and stands first", () => {
  const pinned = withPin("a: 1\nsha256: old\nb: 2\n");
  assert.match(pinned, /^sha256: [0-9a-f]{64}\na: 1\nb: 2\n$/);
  assert.equal(withPin(pinned), pinned);
  const { expected, actual } = readPin(pinned);
  assert.equal(expected, actual);
  assert.equal(actual, sha256Hex("a: 1\nb: 2\n"));
});

test("F18: a file that breaks while the gateway is down is left out, its neighbours are not", async () => {
  await using folder = await Folder.with({ "one.yaml": file(anywhere).slice(0, 30), "two.yaml": file(anywhere) });
  const log = new KeptLog();
  await using upstream = upstreamOver([folder.path], { log });
  assert.deepEqual(
    (await listTools(upstream)).map(({ name }) => name),
    ["two"],
  );
  assert.match(log.lines.join("\n"), /one\.yaml:1:\d+ {2}.+; the file is left out/);
});

test("changes: a burst is read once, 300 ms after its last event", async () => {
  await using folder = await Folder.with({ "one.yaml": file(anywhere) });
  const seen = observed();
  await using upstream = upstreamOver([folder.path], seen.options);
  await listTools(upstream);
  await folder.write("two.yaml", file(anywhere));
  const changed = seen.announcement();
  seen.change();
  await seen.clock.advance(200);
  seen.change();
  await seen.clock.advance(200);
  assert.equal(seen.clock.pending, 1);
  await seen.clock.advance(100);
  await changed;
  assert.equal((await listTools(upstream)).length, 2);
  assert.deepEqual(seen.announced, ["connected", "notifications/tools/list_changed"]);
});

test("changes: one that leaves the list as it was is taken up and not announced", async () => {
  await using api = await RawApi.start();
  await using folder = await Folder.with({ "one.yaml": file({ base_url: api.origin, path: "/v1" }) });
  const seen = observed();
  await using upstream = upstreamOver([folder.path], seen.options);
  await listTools(upstream);
  await folder.write("one.yaml", file({ base_url: api.origin, path: "/v2" }));
  await folder.write("broken.yaml", "a: [");
  const warned = seen.log.next();
  seen.change();
  await seen.clock.advance(300);
  await warned;
  await upstream.restart();
  await call(upstream, "one");
  assert.equal(api.last.line, "GET /v2 HTTP/1.1");
  assert.deepEqual(seen.announced, ["connected"]);
});

test("changes: a removed or renamed file takes its tool along", async () => {
  await using folder = await Folder.with({ "one.yaml": file(anywhere), "two.yaml": file(anywhere) });
  const seen = observed();
  await using upstream = upstreamOver([folder.path], seen.options);
  await listTools(upstream);
  await rm(join(folder.path, "one.yaml"));
  await rename(join(folder.path, "two.yaml"), join(folder.path, "three.yaml"));
  const changed = seen.announcement();
  seen.change();
  await seen.clock.advance(300);
  await changed;
  assert.deepEqual(
    (await listTools(upstream)).map(({ name }) => name),
    ["three"],
  );
});

test("changes: a directory that did not exist is picked up when it is made", async () => {
  await using folder = await Folder.with({});
  const later = join(folder.path, "later");
  let heard = () => {};
  const changed = new Promise<void>((resolve) => {
    heard = resolve;
  });
  await using upstream = upstreamOver([later], {
    clock: systemClock,
    watch: (directory, extensions, onChange) => watchTree(directory, extensions, onChange, { pollMs: 20 }),
    events: { onNotification: () => heard() },
  });
  assert.deepEqual(await listTools(upstream), []);
  await folder.write("later/one.yaml", file(anywhere));
  // Every timer of the watch and of the clock lets the program end; only this one does not.
  const alive = setInterval(() => {}, 1_000);
  await changed;
  clearInterval(alive);
  assert.deepEqual(
    (await listTools(upstream)).map(({ name }) => name),
    ["one"],
  );
});

test("F18: a thousand files load, and a change of one is read without reading the others anew", async () => {
  const files = Array.from({ length: 1_000 }, (_, index) => [`t${index}.yaml`, file(anywhere)] as const);
  await using folder = await Folder.with(Object.fromEntries(files));
  const seen = observed();
  await using upstream = upstreamOver([folder.path], seen.options);
  let longestBlockMs = 0;
  let last = performance.now();
  const beat = setInterval(() => {
    longestBlockMs = Math.max(longestBlockMs, performance.now() - last);
    last = performance.now();
  }, 5);
  assert.equal((await listTools(upstream)).length, 1_000);
  clearInterval(beat);
  assert.ok(longestBlockMs < 250, `the event loop stood still for ${longestBlockMs} ms`);
});

test("call: a timeout of the capability ends it, and the upstream stays healthy", async () => {
  await using api = await RawApi.start(() => undefined);
  const slow = {
    ...rest({}),
    description: "d",
    providers: { primary: { timeout: 2.5, config: { base_url: api.origin } } },
  };
  await using folder = await Folder.with({ "slow.yaml": JSON.stringify(slow) });
  const seen = observed();
  await using upstream = upstreamOver([folder.path], seen.options);
  const answered = call(upstream, "slow");
  while (api.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(upstream.status().inFlight, 1);
  await seen.clock.advance(2_500);
  assert.deepEqual(await answered.then(({ isError, text }) => [isError, text]), [
    true,
    "The API did not answer within 2.5 s",
  ]);
  const { inFlight, healthy, lastError, state } = upstream.status();
  assert.deepEqual(
    [inFlight, healthy, lastError, state.is],
    [0, true, "slow: The API did not answer within 2.5 s", "ready"],
  );
  assert.equal(seen.clock.pending, 0);
});

test("call: is cancelled with its caller, before and while it runs", async () => {
  await using api = await RawApi.start(() => undefined);
  await using folder = await Folder.with({ "slow.yaml": file({ base_url: api.origin }) });
  await using upstream = upstreamOver([folder.path]);
  await listTools(upstream);
  await assert.rejects(call(upstream, "slow", {}, AbortSignal.abort()), CancelledError);
  const caller = new AbortController();
  const answered = call(upstream, "slow", {}, caller.signal);
  while (api.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  caller.abort();
  await assert.rejects(answered, CancelledError);
  assert.equal(upstream.status().inFlight, 0);
});

test("call: is cancelled while a name is still being resolved", async () => {
  await using folder = await Folder.with({ "slow.yaml": file(anywhere) });
  await using upstream = upstreamOver([folder.path], {
    ssrfProtection: true,
    resolveHost: () => new Promise(() => {}),
  });
  await listTools(upstream);
  const caller = new AbortController();
  const answered = call(upstream, "slow", {}, caller.signal);
  setImmediate(() => caller.abort());
  await assert.rejects(answered, CancelledError);
});

test("close: gives running calls their grace, then ends them and refuses new ones", async () => {
  await using api = await RawApi.start(() => undefined);
  await using folder = await Folder.with({ "slow.yaml": file({ base_url: api.origin }) });
  const seen = observed();
  await using upstream = upstreamOver([folder.path], seen.options);
  const rejected = assert.rejects(call(upstream, "slow"), UpstreamError);
  while (api.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const closed = upstream.close(1_000);
  await seen.clock.advance(999);
  assert.equal(upstream.status().inFlight, 1);
  await seen.clock.advance(1);
  await Promise.all([rejected, closed]);
  await assert.rejects(call(upstream, "slow"), UpstreamError);
  assert.deepEqual(upstream.status().state, { is: "stopped" });
  assert.equal(seen.closedWatchers(), 1);
  assert.equal(seen.clock.pending, 0);
});

test("close: while it starts leaves nothing behind", async () => {
  await using folder = await Folder.with({ "one.yaml": file(anywhere) });
  const seen = observed();
  const upstream = upstreamOver([folder.path], seen.options);
  const started = assert.rejects(upstream.start(AbortSignal.timeout(5_000)), UpstreamError);
  await upstream.close(0);
  await started;
  assert.deepEqual([upstream.status().state.is, seen.announced], ["stopped", []]);
});
