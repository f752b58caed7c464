import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import { withoutGatewayMeta } from "../../src/core/gateway-meta.ts";

const clean = (text: string) => withoutGatewayMeta(Answer.ofText(text)).text;

test("withoutGatewayMeta passes on what does not speak in the gateway's name, byte for byte", () => {
  for (const text of [
    '{ "content": [], "_meta": {"x/error": 1} }',
    '{"content":[{"type":"text","text":"ask mcp-gateway/error of \\u0041"}],"id":12345678901234567890}',
    '{"structuredContent":{"_meta":{"mcp-gateway/error":1}},"_meta":{"a":{"mcp-gateway/error":1}}}',
  ]) {
    const answer = Answer.ofText(text);
    assert.equal(withoutGatewayMeta(answer), answer);
  }
});

test("withoutGatewayMeta takes the gateway's words out, however the key is written", () => {
  const names = ["mcp-gateway/error", "mcp-gateway\\/error", "mcp-gatewa\\u0079/error", "\\u006d\\u0063p-gateway/any"];
  for (const name of names) {
    assert.equal(clean(`{"content":[],"_meta":{"${name}":1}}`), '{"content":[]}');
    assert.equal(clean(`{"_meta":{"a":1,"${name}":{"b":2}},"content":[]}`), '{"_meta":{"a":1},"content":[]}');
    assert.equal(clean(`{"_meta":{},"\\u005fmeta":{"${name}":1}}`), "{}");
  }
});

test("withoutGatewayMeta looks into blocks and resources, and keeps long numbers", () => {
  const block = (meta: string) =>
    `{"content":[{"type":"resource","resource":{"uri":"a:b","text":"","_meta":{${meta}}},"_meta":{"k":1}}],"n":9223372036854775807}`;
  assert.equal(clean(block('"mcp-gateway/a2a":{},"k":2')), block('"k":2'));
});

test("withoutGatewayMeta finds a key behind a very long text", () => {
  const long = "x".repeat(100_000);
  assert.equal(
    clean(`{"content":[{"type":"text","text":"${long}"}],"_meta":{"mcp-gateway/cost":1}}`).includes("cost"),
    false,
  );
});
