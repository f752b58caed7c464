import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteCollector } from "../../src/lib/byte-collector.ts";

/** Bytes that differ from their neighbours, so that none can be lost or swapped unseen. */
const numbered = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 0xff);

test("ByteCollector gives back all it took, in order, whatever the sizes of the pieces", () => {
  const collector = new ByteCollector();
  const bytes = numbered(60_000);
  for (const sizes of [[60_000], [1], [100], [4_095], [4_096], [5_000, 3, 1, 9_000], [1, 20_000]]) {
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = sizes[turn % sizes.length] as number;
      collector.append(bytes.subarray(at, at + size));
      at += size;
      assert.equal(collector.byteLength, Math.min(at, bytes.length));
    }
    assert.ok(Buffer.from(bytes).equals(collector.take()));
    assert.equal(collector.byteLength, 0);
  }
  assert.equal(collector.take().byteLength, 0);
});

test("ByteCollector keeps the room of one whole for the next that is announced", () => {
  const collector = new ByteCollector();
  const bytes = numbered(300_000);
  for (const length of [200_000, 300_000, 150_000, 10, Number.NaN, 200_000]) {
    collector.expect(length);
    const whole = bytes.subarray(0, Number.isNaN(length) ? 5_000 : length);
    for (let at = 0; at < whole.length; at += 4_999) collector.append(whole.subarray(at, at + 4_999));
    assert.equal(collector.byteLength, whole.length);
    assert.ok(Buffer.from(whole).equals(collector.take()));
  }
});

test("ByteCollector leaves what it gave untouched when it goes on", () => {
  const collector = new ByteCollector();
  collector.append(numbered(10));
  const first = collector.take();
  collector.append(new Uint8Array(10));
  assert.deepEqual(first, numbered(10));
});
