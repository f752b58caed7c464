import assert from "node:assert/strict";
import { test } from "node:test";
import { type BrokenLine, createLineReader, maxSkippedBytes } from "../../src/mcp/line-reader.ts";

function reader(maxBytes = 1_000) {
  const lines: string[] = [];
  const broken: BrokenLine[] = [];
  let endless = 0;
  const push = createLineReader({
    maxBytes,
    onLine: (text) => void lines.push(text),
    onBroken: (line) => void broken.push(line),
    onEndless: () => void endless++,
  });
  const bytes = (data: string | number[]) =>
    push(typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data));
  return { push, bytes, lines, broken, endless: () => endless };
}

test("lines come out the same however the stream is cut", () => {
  const stream = new TextEncoder().encode('{"a":"é😀"}\n\n\r\n\uFEFF{"b":1}\r\n{"c":2}\nrest');
  for (let size = 1; size <= stream.length; size++) {
    const { push, lines } = reader();
    for (let at = 0; at < stream.length; at += size) push(stream.subarray(at, at + size));
    assert.deepEqual(lines, ['{"a":"é😀"}', '{"b":1}', '{"c":2}'], `chunks of ${size}`);
  }
});

test("F5 a line that is not UTF-8 is told apart and the next one is read", () => {
  const { bytes, lines, broken } = reader();
  bytes([...new TextEncoder().encode('{"id":1,"x":"'), 0xff, 0x22, 0x7d, 0x0a]);
  bytes("next\n");
  assert.deepEqual(lines, ["next"]);
  assert.deepEqual(broken, [{ problem: "not UTF-8", head: '{"id":1,"x":"\uFFFD"}', tail: '{"id":1,"x":"\uFFFD"}' }]);
});

test("F4 a line over the limit is skipped with its ends kept, and the next one is read", () => {
  for (const size of [1, 7, 300, 5_000]) {
    const { push, lines, broken } = reader(1_000);
    const stream = new TextEncoder().encode(`${"h".repeat(256)}${"m".repeat(2_000)}${"t".repeat(256)}\nnext\n`);
    for (let at = 0; at < stream.length; at += size) push(stream.subarray(at, at + size));
    assert.deepEqual(lines, ["next"]);
    assert.deepEqual(broken, [{ problem: "too long", head: "h".repeat(256), tail: "t".repeat(256) }]);
  }
});

test("a line of exactly the limit is read", () => {
  for (const cut of [0, 400]) {
    const { bytes, lines, broken } = reader(1_000);
    bytes("x".repeat(cut));
    bytes(`${"x".repeat(1_000 - cut)}\n`);
    assert.equal(lines[0]?.length, 1_000);
    bytes("x".repeat(cut));
    bytes(`${"x".repeat(1_001 - cut)}\n`);
    assert.equal(broken.length, 1);
  }
});

test("F4 a line without end is reported once", () => {
  const { push, endless } = reader(1_000);
  const chunk = new Uint8Array(1_048_576).fill(0x78);
  for (let sent = 0; sent <= maxSkippedBytes; sent += chunk.length) push(chunk);
  assert.equal(endless(), 1);
  push(chunk);
  assert.equal(endless(), 1);
});
