import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { EventStream } from "../../src/doors/http/event-stream.ts";
import { openHttpDoor } from "../../src/doors/http/listen.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { bothTypes, initializeMessage } from "./http-client.ts";

function stream(maxWaiting = 3) {
  const clock = new FakeClock();
  const seen = { closed: 0 };
  const events = new EventStream({ clock, maxWaiting, keepAliveMs: 15_000 }, () => seen.closed++);
  return { clock, events, seen };
}

test("EventStream cuts a reader that stays behind the limit", async () => {
  const { clock, events, seen } = stream();
  for (let index = 0; index < 4; index++) events.send(`${index}`);
  await clock.advance(999);
  assert.equal(seen.closed, 0);
  await clock.advance(1);
  assert.equal(seen.closed, 1);
  assert.equal(clock.pending, 0);
  assert.equal(await new Response(events.body).text(), "");
});

test("EventStream lets a burst pass that is read in time", async () => {
  const { clock, events, seen } = stream();
  const read = new Response(events.body).text();
  for (let index = 0; index < 30; index++) events.send(`${index}`);
  await clock.advance(5_000);
  events.end();
  assert.equal((await read).match(/^data: /gm)?.length, 30);
  assert.equal(seen.closed, 1);
  assert.equal(clock.pending, 0);
});

test("EventStream cuts at once far beyond the limit", () => {
  const { clock, events, seen } = stream();
  for (let index = 0; index < 31; index++) events.send(`${index}`);
  assert.equal(seen.closed, 1);
  assert.equal(clock.pending, 0);
});

test("EventStream that ends lets the reader have what waits, but not for ever", async () => {
  const { clock, events, seen } = stream();
  events.send("1");
  events.end();
  events.send("2");
  assert.equal(seen.closed, 0);
  await clock.advance(15_000);
  assert.equal(seen.closed, 1);
  const other = stream();
  other.events.send("1");
  other.events.end();
  assert.equal(await new Response(other.events.body).text(), "event: message\ndata: 1\n\n");
  assert.equal(other.clock.pending, 0);
});

test("F9: a client that stops reading its stream is closed, and what it costs is bounded", async () => {
  const gateway = fakeGateway({ streaming: { buffer_size: 20 } });
  const door = await openHttpDoor(gateway);
  try {
    const opened = await fetch(`${door.url}/mcp`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: bothTypes },
      body: JSON.stringify(initializeMessage()),
    });
    await opened.text();
    const sessionId = opened.headers.get("mcp-session-id") as string;
    const socket = connect(door.port, "127.0.0.1");
    socket.on("error", () => {});
    const head = new Promise((resolve) => socket.once("data", resolve));
    socket.write(
      `GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: ${sessionId}\r\n\r\n`,
    );
    await head;
    socket.pause();
    const session = gateway.sessions.find(sessionId, "anonymous", undefined);
    assert.ok(session?.streaming);
    const message = JSON.stringify({ text: "x".repeat(64_000) });
    let sent = 0;
    for (; session?.streaming && sent < 1_000; sent++) {
      session.push(message);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(session?.streaming, false, `${sent} messages were taken`);
    socket.destroy();
  } finally {
    gateway.sessions.closeAll();
    await door.close(0);
  }
});
