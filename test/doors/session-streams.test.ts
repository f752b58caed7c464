/** Resuming streams: a client whose connection broke goes on where it was, and nobody else does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { callTool, eventsOf, testApp } from "./http-client.ts";

const events = "text/event-stream";

function setUp() {
  const clock = new FakeClock();
  const gateway = fakeGateway({ streaming: { keep_alive_interval: "15s" } });
  const app = testApp(gateway, "127.0.0.1", clock);
  /** A GET on which the stream of that event goes on. */
  const resume = (sessionId: string, lastEventId: string) =>
    app.ask("/mcp", { headers: { "mcp-session-id": sessionId, accept: events, "last-event-id": lastEventId } });
  return { ...app, clock, gateway, resume };
}

/** What is there now, as text; the stream stays open. */
async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read();
  return new TextDecoder().decode(value);
}

const idsIn = (text: string) => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id as string);

test("the answer of a call whose connection broke is on the stream that is resumed, as often as it is asked for", async () => {
  const { clock, gateway, post, initialize, resume } = setUp();
  const sessionId = await initialize();
  const pending = post("/mcp", callTool(1, "wait"), { "mcp-session-id": sessionId });
  await settle();
  await clock.advance(15_000);
  const reader = (await pending).body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const [primed] = idsIn(await read(reader));
  const at = (n: number) => (primed as string).replace(/0$/, String(n));
  assert.match(primed as string, /\.1\.0$/);
  await reader.cancel();
  const waiting = await resume(sessionId, at(0));
  gateway.release();
  const [answer] = await eventsOf(waiting);
  assert.equal(answer?.["id"], 1);
  const again = await resume(sessionId, at(0));
  assert.deepEqual(await eventsOf(again), [answer], "the second connection may have broken too");
  assert.deepEqual(await eventsOf(await resume(sessionId, at(1))), [], "there is nothing after the answer");
  await clock.advance(60_000);
  assert.equal((await resume(sessionId, at(0))).status, 400, "it is not kept for ever");
});

test("an event id means something in its own session only, and only if it was given out", async () => {
  const { clock, gateway, post, initialize, resume } = setUp();
  const [own, other] = [await initialize(), await initialize()];
  const pending = post("/mcp", callTool(1, "wait"), { "mcp-session-id": own });
  await settle();
  await clock.advance(15_000);
  const reader = (await pending).body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const [primed] = idsIn(await read(reader));
  const process = (primed as string).split(".")[0];
  for (const [sessionId, id] of [
    [other, primed as string],
    [own, `${process}.1.1`],
    [own, `${process}.2.0`],
    [own, `${process}.-1.0`],
    [own, "1"],
    [own, "__proto__.1.0"],
  ] as const)
    assert.equal((await resume(sessionId, id)).status, 400, id);
  const afterRestart = await resume(own, "earlier1.1.0");
  assert.equal(afterRestart.status, 200, "an earlier process gave it out, so the stream begins anew");
  await afterRestart.body?.cancel();
  gateway.release();
});

test("the standing stream goes on after the last event the client saw, with all that came meanwhile", async () => {
  const { ask, gateway, initialize, resume } = setUp();
  const sessionId = await initialize();
  const session = gateway.sessions.find(sessionId, "anonymous", undefined);
  const note = (n: number) => JSON.stringify({ jsonrpc: "2.0", method: `notifications/${n}` });
  const first = await ask("/mcp", { headers: { "mcp-session-id": sessionId, accept: events } });
  session?.push(note(1));
  session?.push(note(2));
  const reader = first.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const [, seen] = idsIn(await read(reader));
  await reader.cancel();
  session?.push(note(3));
  const resumed = await resume(sessionId, seen as string);
  session?.push(note(4));
  gateway.sessions.close(sessionId, "anonymous");
  assert.deepEqual(
    (await eventsOf(resumed)).map(({ method }) => method),
    ["notifications/2", "notifications/3", "notifications/4"],
  );
});

test("clients of older revisions get ids, and no event without data", async () => {
  const { ask, gateway, initialize } = setUp();
  const sessionId = await initialize("/mcp", "2025-06-18");
  const stream = await ask("/mcp", { headers: { "mcp-session-id": sessionId, accept: events } });
  gateway.sessions.find(sessionId, "anonymous", undefined)?.push('{"jsonrpc":"2.0","method":"notifications/1"}');
  gateway.sessions.close(sessionId, "anonymous");
  const text = await stream.text();
  assert.match(String(idsIn(text)), /^[\w-]{8}\.1\.1$/);
  assert.doesNotMatch(text, /^data: $/m);
});

test("what is kept for clients that come back is limited, the oldest giving way", async () => {
  const { ask, gateway, initialize, resume } = setUp();
  const sessionId = await initialize();
  const session = gateway.sessions.find(sessionId, "anonymous", undefined);
  const stream = await ask("/mcp", { headers: { "mcp-session-id": sessionId, accept: events } });
  const reader = stream.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const [primed] = idsIn(await read(reader));
  for (let n = 0; n < 5; n++) {
    session?.push(JSON.stringify({ jsonrpc: "2.0", method: `notifications/${n}`, params: { x: "x".repeat(300_000) } }));
    await read(reader);
  }
  await reader.cancel();
  const resumed = await resume(sessionId, primed as string);
  gateway.sessions.close(sessionId, "anonymous");
  assert.deepEqual(
    (await eventsOf(resumed)).map(({ method }) => method),
    ["notifications/2", "notifications/3", "notifications/4"],
  );
});

test("all sessions together keep no more than a limit, the quietest giving way first", async () => {
  const { ask, gateway, initialize, resume } = setUp();
  const clients = [];
  for (let n = 0; n < 20; n++) {
    const sessionId = await initialize();
    const stream = await ask("/mcp", { headers: { "mcp-session-id": sessionId, accept: events } });
    const reader = stream.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const [primed] = idsIn(await read(reader));
    const text = JSON.stringify({ jsonrpc: "2.0", method: "notifications/big", params: { x: "x".repeat(1_000_000) } });
    gateway.sessions.find(sessionId, "anonymous", undefined)?.push(text);
    await read(reader);
    await reader.cancel();
    clients.push({ sessionId, primed: primed as string });
  }
  const kept = [];
  for (const { sessionId, primed } of clients) {
    const resumed = await resume(sessionId, primed);
    gateway.sessions.close(sessionId, "anonymous");
    kept.push((await eventsOf(resumed)).length);
  }
  assert.deepEqual(kept, [...Array(4).fill(0), ...Array(16).fill(1)]);
});
