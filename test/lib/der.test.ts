import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bitString,
  childrenOf,
  contentOf,
  der,
  objectId,
  sequence,
  tags,
  time,
  utf8String,
} from "../../src/lib/der.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("der: lengths take as many bytes as they need", () => {
  for (const [length, head] of [
    [0, "0400"],
    [127, "047f"],
    [128, "048180"],
    [255, "0481ff"],
    [256, "04820100"],
    [65_536, "0483010000"],
  ] as const) {
    const value = der(tags.octetString, new Uint8Array(length));
    assert.equal(hex(value.subarray(0, value.byteLength - length)), head);
    assert.equal(contentOf(value).byteLength, length);
  }
});

test("der: object identifiers, bit strings and texts as the standard has them", () => {
  assert.equal(hex(objectId("2.5.29.19")), "0603551d13");
  assert.equal(hex(objectId("1.2.840.10045.4.3.2")), "06082a8648ce3d040302");
  assert.equal(hex(bitString(Uint8Array.of(0x06), 1)), "03020106");
  assert.equal(hex(utf8String("ä")), "0c02c3a4");
});

test("der: years have two digits up to 2049 and four from then on", () => {
  const text = (value: Uint8Array) => `${value[0]} ${Buffer.from(contentOf(value)).toString()}`;
  assert.equal(text(time(new Date("2049-12-31T23:59:59.900Z"))), "23 491231235959Z");
  assert.equal(text(time(new Date("2050-01-01T00:00:00Z"))), "24 20500101000000Z");
});

test("childrenOf: takes apart what sequence put together, and refuses what is cut off", () => {
  const parts = [utf8String("a"), sequence(utf8String("b")), der(tags.octetString, new Uint8Array(300))];
  const whole = sequence(...parts);
  assert.deepEqual(childrenOf(whole).map(hex), parts.map(hex));
  assert.throws(() => childrenOf(whole.subarray(0, -1)), RangeError);
  assert.throws(() => childrenOf(der(tags.sequence, Uint8Array.of(4, 5, 1))), RangeError);
});
