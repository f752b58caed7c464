import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson } from "../../src/lib/canonical-json.ts";
import { parseExact } from "../../src/lib/exact-json.ts";
import type { Json } from "../../src/lib/json.ts";

const canonical = (text: string) => canonicalJson(parseExact(text) as Json);

test("canonicalJson writes the example of RFC 8785, 3.2.2", () => {
  const text = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`;
  assert.equal(
    canonical(text),
    `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA'B\\"\\\\\\\\\\"/"}`,
  );
});

test("canonicalJson sorts by UTF-16 code units, as in 3.2.3, and members that look like numbers as texts", () => {
  const keys = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6", "10", "9"];
  const value = Object.fromEntries(keys.map((key) => [key, 0]));
  const sorted = ["\r", "1", "10", "9", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"];
  assert.equal(canonicalJson(value), `{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(",")}}`);
});

test("canonicalJson keeps the digits of 64-bit numbers, and what is undefined is not there", () => {
  assert.equal(
    canonical('{"id": 9223372036854775807, "a": [ -9223372036854775808 ]}'),
    '{"a":[-9223372036854775808],"id":9223372036854775807}',
  );
  assert.equal(canonicalJson({ b: undefined, a: { __proto__: null, x: -0 } }), '{"a":{"x":0}}');
});
