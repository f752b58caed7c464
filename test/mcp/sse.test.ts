import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeSseEvent, type SseEvent, SseEventTooLarge, SseReader, sseComment } from "../../src/mcp/sse.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function read(chunks: readonly (string | Uint8Array)[], maxEventBytes = 1_000) {
  const events: SseEvent[] = [];
  const reader = new SseReader(maxEventBytes, (event) => events.push(event));
  for (const chunk of chunks) reader.push(typeof chunk === "string" ? bytes(chunk) : chunk);
  return { events, reader };
}

const message = (data: string): SseEvent => ({ event: "message", data });

test("SseReader takes LF, CR and CRLF, mixed, wherever the chunks are cut", () => {
  const stream = "data: one\n\ndata: two\r\rdata: three\r\n\r\nevent: x\rdata: four\ndata: five\r\n\n";
  const expected = [message("one"), message("two"), message("three"), { event: "x", data: "four\nfive" }];
  assert.deepEqual(read([stream]).events, expected);
  assert.deepEqual(read([...stream]).events, expected);
  for (let at = 1; at < stream.length; at++)
    assert.deepEqual(read([stream.slice(0, at), stream.slice(at)]).events, expected, `cut at ${at}`);
});

test("SseReader keeps characters whole that a chunk cuts in two", () => {
  const stream = bytes("data: 😀é\n\n");
  for (let at = 1; at < stream.length; at++)
    assert.deepEqual(read([stream.subarray(0, at), stream.subarray(at)]).events, [message("😀é")]);
});

test("SseReader skips a byte order mark at the start only, comments and unknown fields", () => {
  assert.deepEqual(read(["\uFEFFdata: a\n\n: comment\nother: x\nother\ndata: \uFEFFb\n\n"]).events, [
    message("a"),
    message("\uFEFFb"),
  ]);
});

test("SseReader takes one blank off a value, no more, and dispatches nothing without data", () => {
  assert.deepEqual(read(["data:  a\n\ndata:b\n\nevent: x\n\nid: 1\n\ndata\n\n"]).events, [
    message(" a"),
    message("b"),
    message(""),
  ]);
});

test("SseReader remembers the last id and the reconnection time", () => {
  const { reader, events } = read(["id: 7\nretry: 250\ndata:\n\n", "retry: 1x\nid: a\0b\ndata: z\n\n"]);
  assert.equal(reader.lastEventId, "7");
  assert.equal(reader.retryMs, 250);
  assert.deepEqual(events, [message(""), message("z")]);
});

test("SseReader.end says whether an event was cut, and the event is lost", () => {
  for (const cut of ["data: a", "data: a\n", "data: {\r"]) {
    const { events, reader } = read([cut]);
    assert.equal(reader.end(), false, JSON.stringify(cut));
    assert.deepEqual(events, []);
  }
  for (const whole of ["", "data: a\n\n", "data: a\r\n\r", ": ping\n"]) assert.equal(read([whole]).reader.end(), true);
});

test("SseReader refuses an event above the cap, however it is sliced, and no sum of smaller ones", () => {
  const large = `data: ${"é".repeat(500)}\n\n`;
  assert.throws(() => read([large]), SseEventTooLarge);
  assert.throws(() => read([...large]), SseEventTooLarge);
  assert.throws(() => read(["data: a\n".repeat(200)]), SseEventTooLarge);
  assert.equal(read(["data: 123456\n\n".repeat(500)]).events.length, 500);
  assert.equal(read([": keep-alive comment\n".repeat(500), "data: a\n\n"]).events.length, 1);
});

test("SseReader refuses bytes that are not UTF-8", () => {
  assert.throws(() => read([new Uint8Array([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a])]), TypeError);
});

test("SseReader reads one event of 10 MB in small pieces in linear time", () => {
  const data = `{"text":"${"x".repeat(10_000_000)}"}`;
  const stream = bytes(encodeSseEvent({ data }));
  const chunks = (size: number) =>
    Array.from({ length: Math.ceil(stream.length / size) }, (_, at) => stream.subarray(at * size, (at + 1) * size));
  for (const size of [65_536, 512]) {
    const startedMs = performance.now();
    const { events } = read(chunks(size), 20_000_000);
    assert.equal(events[0]?.data, data);
    assert.ok(performance.now() - startedMs < 2_000, "took as long as a quadratic reader would");
  }
});

test("encodeSseEvent writes what SseReader reads back", () => {
  for (const data of ["", "plain", "two\nlines", "\r\nends\r", "data: x", "😀", "\n"]) {
    const { events, reader } = read([sseComment("hi"), encodeSseEvent({ data, event: "e", id: "42" }), sseComment()]);
    assert.deepEqual(events, [{ event: "e", data: data.replaceAll(/\r\n|\r/g, "\n") }]);
    assert.equal(reader.lastEventId, "42");
  }
  assert.equal(encodeSseEvent({ data: "{}" }), "data: {}\n\n");
});
