import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject } from "../../src/lib/json.ts";
import { decodeAnswer, decodeValue } from "../../src/mcp/decode-answer.ts";
import { encodeResult } from "../../src/mcp/json-rpc.ts";

/** Whatever it returns must be what a plain parse gives, and its text must survive being put into another envelope. */
function assertLossless(text: string): boolean {
  const decoded = decodeAnswer(text);
  if (decoded === undefined) return false;
  assert.ok(decoded.kind === "answer");
  const plain = JSON.parse(text);
  assert.deepEqual(Object.keys(plain).sort(), ["id", "jsonrpc", "result"]);
  assert.equal(plain.jsonrpc, "2.0");
  assert.equal(decoded.id, plain.id);
  assert.ok(isJsonObject(plain.result));
  assert.deepEqual(decoded.answer.value, plain.result);
  assert.deepEqual(JSON.parse(decoded.answer.text), plain.result);
  assert.ok(text.includes(decoded.answer.text));
  const relayed = encodeResult("other", decoded.answer.text);
  assert.ok(!/[\n\r]/.test(relayed));
  assert.deepEqual(JSON.parse(relayed), { jsonrpc: "2.0", id: "other", result: plain.result });
  return true;
}

test("decodeAnswer keeps the text of the result in both compact envelopes", () => {
  const result = '{"a":1.0,"b":"\\u00e9\\ud800","c":12345678901234567890, "nested":{"id":7,"result":{}}}';
  for (const text of [`{"jsonrpc":"2.0","id":5,"result":${result}}`, `{"result":${result},"jsonrpc":"2.0","id":5}`]) {
    const decoded = decodeAnswer(text);
    assert.ok(decoded?.kind === "answer");
    assert.equal(decoded.answer.text, result);
    assert.equal(decoded.id, 5);
    assert.ok(assertLossless(text));
  }
});

test("decodeAnswer leaves every text it is not certain of to the plain parse", () => {
  const uncertain = [
    '{"jsonrpc":"2.0","id":5,"result":{"a":1},"result":{"b":2}}',
    '{"result":{"a":1},"result":{"b":2},"jsonrpc":"2.0","id":5}',
    '{"jsonrpc":"2.0","id":5,"result":{},"id":6}',
    '{"jsonrpc":"2.0","id":5,"result":{}},"x":{"y":{}}}',
    '{"result":{},"jsonrpc":"2.0","id":5,"jsonrpc":"2.0","id":5}',
    '{"jsonrpc":"2.0","id":5,"result":{"a":\n1}}',
    '{"jsonrpc":"2.0","id":5,"result":{"a":\r1}}',
    '{"jsonrpc":"2.0","id":05,"result":{}}',
    '{"jsonrpc":"2.0","id":,"result":{}}',
    '{"jsonrpc":"2.0","id":-5,"result":{}}',
    '{"jsonrpc":"2.0","id":5.0,"result":{}}',
    '{"jsonrpc":"2.0","id":"5","result":{}}',
    '{"jsonrpc":"2.0","id":12345678901234567890,"result":{}}',
    '{"jsonrpc":"2.0","id":5,"result":[]}',
    '{"jsonrpc":"2.0","id":5,"result":null}',
    '{"jsonrpc":"2.0","id":5,"result":}',
    '{"jsonrpc":"2.0","id":5,"result":{}',
    '{"jsonrpc":"2.0","id":5,"result":{}} ',
    '{"result":{},"jsonrpc":"2.0","id":}',
    '{"result":,"jsonrpc":"2.0","id":5}',
    '{"jsonrpc":"2.0","id":5,"error":{"code":1,"message":""}}',
    '{"result":"x","jsonrpc":"2.0","id":5}',
    "",
    "}",
    '{"result":}',
  ];
  for (const text of uncertain) assert.equal(decodeAnswer(text), undefined, text);
});

test("decodeAnswer is lossless for every text that can be cut together from pieces of envelopes", () => {
  const pieces = [
    '{"jsonrpc":"2.0","id":',
    ',"result":',
    '{"result":',
    ',"jsonrpc":"2.0","id":',
    "5",
    "{}",
    '{"a":"}"}',
    "}",
    '{"jsonrpc":"2.0","id":5,"result":{}}',
    '"\\"',
    " ",
    "\n",
  ];
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  let certain = 0;
  for (let round = 0; round < 200_000; round++) {
    let text = pieces[random(4)] as string;
    for (let more = random(6) + 2; more > 0; more--) text += pieces[random(pieces.length)];
    if (assertLossless(`${text}}`)) certain++;
  }
  assert.ok(certain >= 20, `${certain}`);
});

test("decodeValue tells the other messages apart and refuses what is none", () => {
  const decode = (text: string) => decodeValue(JSON.parse(text));
  assert.deepEqual(decode('{"jsonrpc":"2.0","id":"a","method":"ping"}'), {
    kind: "request",
    id: "a",
    method: "ping",
    params: undefined,
  });
  assert.equal(decode('{"jsonrpc":"2.0","method":"x"}').kind, "notification");
  assert.equal(decode('{ "jsonrpc": "2.0", "id": 5, "result": {} }').kind, "answer");
  assert.equal(decode('{"jsonrpc":"2.0","id":5,"error":{"code":-1,"message":"no"}}').kind, "error");
  assert.throws(() => decode('{"jsonrpc":"2.0","id":5,"result":[]}'), /Not a JSON-RPC 2.0 message/);
});

test("decodeAnswer is as strict with long strings as with short ones", () => {
  const long = "a long string ".repeat(2_000);
  const envelope = (result: string) => `{"jsonrpc":"2.0","id":5,"result":${result}}`;
  const valid = [
    `{"a":"${long}"}`,
    `{"${long}":"${long}","b":[1,"${long}",{}]}`,
    `{"a":"short","b":"${long}","c":"with \\n escapes \\u0041","d":"${long}"}`,
    `{"a":"${long}\\"${long}"}`,
    `{"a":"日本語${long}"}`,
  ];
  for (const result of valid) assert.ok(assertLossless(envelope(result)), result.slice(0, 40));
  const invalid = [
    `{"a":"${long}`,
    `{"a":"${long}"x"}`,
    `{"a":"${long}\t"}`,
    `{"a":"${long}\\x"}`,
    `{"a":"${long}\u0000"}`,
    `{"a":"${long}" "b":1}`,
    `{"a":${long}}`,
    `"${long}"`,
  ];
  for (const result of invalid) assert.equal(decodeAnswer(envelope(result)), undefined, result.slice(-20));
});
