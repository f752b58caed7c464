import assert from "node:assert/strict";
import { test } from "node:test";
import { GatewayError, type GatewayError as Thrown } from "../../src/core/errors.ts";
import { decodeBody, maxDepth, parseJson } from "../../src/doors/parse-json.ts";

const refused = (code: Thrown["code"]) => (error: unknown) => error instanceof GatewayError && error.code === code;

test("T17: nesting is bounded before it is parsed, however long", () => {
  const nested = (depth: number, open = "[", close = "]") => open.repeat(depth) + close.repeat(depth);
  assert.doesNotThrow(() => parseJson(nested(maxDepth)));
  assert.throws(() => parseJson(nested(maxDepth + 1)), refused("INVALID_REQUEST"));
  assert.throws(() => parseJson("[".repeat(100_000)), refused("INVALID_REQUEST"));
  assert.throws(() => parseJson('{"a":'.repeat(100_000)), refused("INVALID_REQUEST"));
  assert.doesNotThrow(() => parseJson(JSON.stringify({ method: "[".repeat(1_000), params: { x: '"[[[[\\"{{{' } })));
});

test("T17: what is not JSON is a parse error", () => {
  const broken = [
    "",
    " ",
    "{",
    '{"a":1,}',
    "[1,]",
    "nul",
    "{'a':1}",
    '{"a":1}x',
    '"\\x"',
    '{"a" 1}',
    "01",
    "\u0000",
    '"\t"',
  ];
  for (const text of broken) assert.throws(() => parseJson(text), refused("PARSE_ERROR"), JSON.stringify(text));
});

test("T17: bytes that are not UTF-8 are refused, replacement characters that were sent are not", () => {
  for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xc0, 0xaf]])
    assert.throws(() => decodeBody(new Uint8Array(bytes)), refused("PARSE_ERROR"));
  assert.equal(decodeBody(new TextEncoder().encode("\ufffd😀")), "\ufffd😀");
});

test("T18: a member that comes twice is refused, also when it is written with escapes", () => {
  for (const text of [
    '{"method":"ping","method":"tools/call"}',
    '{"id":1,"method":"ping","m\\u0065thod":"tools/call"}',
    '{"params":{"a":1},"id":1, "params" :{"a":2}}',
    '[{"id":1},{"id":2,"id":3}]',
  ])
    assert.throws(() => parseJson(text), refused("INVALID_REQUEST"), text);
});

test("T18: members that only look alike, and equal names in different places, are kept apart", () => {
  for (const text of [
    '{"method":"ping","Method":"tools/call","params":{"method":1,"Params":2}}',
    '[{"id":1,"method":"a"},{"id":1,"method":"a"}]',
    '{"a":"b","c":"a","d":["a","a"],"e":{"a":1}}',
    '{"a\\\\":1,"a":2}',
  ])
    assert.deepEqual(parseJson(text), JSON.parse(text));
});

test("T17: an envelope has a bounded number of members", () => {
  const members = Array.from({ length: 33 }, (_, index) => `"k${index}":1`);
  assert.throws(() => parseJson(`{${members.join(",")}}`), refused("INVALID_REQUEST"));
  assert.doesNotThrow(() => parseJson(`{"params":{${members.join(",")}}}`));
});

test("T17: a long string of escapes is scanned in linear time", () => {
  const text = `{"params":{"x":"${'\\\\\\"'.repeat(500_000)}"}}`;
  const startMs = performance.now();
  parseJson(text);
  assert.ok(performance.now() - startMs < 1_000);
});
