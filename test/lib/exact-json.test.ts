import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExact, withPlainNumbers } from "../../src/lib/exact-json.ts";
import { type Json, mapStrings } from "../../src/lib/json.ts";

test("parseExact: what is written out again has the digits it had", () => {
  const kept = '{"max":9223372036854775807,"ids":[1234567890123456789, -12345678901234567890],"n":1}';
  assert.equal(JSON.stringify(parseExact(kept)), kept.replace(" ", ""));
});

test("parseExact: numbers that JavaScript holds stay numbers, and strings strings", () => {
  const text =
    '{"a":9007199254740991,"b":0.1234567890123456,"c":1e21,"d":": 12345678901234567890","__proto__":{"x":1}}';
  const value = parseExact(text) as Record<string, unknown>;
  assert.deepEqual(value, JSON.parse(text));
  assert.equal(typeof value["a"], "number");
  assert.equal((value as { x?: unknown }).x, undefined);
});

test("parseExact: what is not JSON is an error with and without long numbers", () => {
  for (const text of ["{", '{"a":12345678901234567890', "[012345678901234567]"])
    assert.throws(() => parseExact(text), SyntaxError);
});

test("withPlainNumbers gives numbers to calculate with, and the same object where there are no others", () => {
  assert.deepEqual(withPlainNumbers(parseExact('{"a":[12345678901234567890]}')), { a: [12345678901234567000] });
  const plain = { a: 1 };
  assert.equal(withPlainNumbers(plain), plain);
});

test("mapStrings: long numbers keep their digits", () => {
  const text = '{"id":9223372036854775807,"name":"a"}';
  assert.equal(
    JSON.stringify(mapStrings(parseExact(text) as Json, (inner) => inner.toUpperCase())),
    text.replace('"a"', '"A"'),
  );
});
