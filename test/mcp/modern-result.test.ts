import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import { readEnvelope, withEnvelope, withoutHopKeys } from "../../src/mcp/envelope.ts";
import { legacyResult, modernResult } from "../../src/mcp/modern-result.ts";

const serverInfo = "io.modelcontextprotocol/serverInfo";

test("modernResult adds what every result must have and keeps the rest as it was", () => {
  for (const [text, rest] of [
    ["{}", {}],
    ['{"content":[]}', { content: [] }],
    ['{ "content" : [ ] }', { content: [] }],
    ['{"content":[],"_meta":{"vendor/x":1}}', { content: [] }],
  ] as const) {
    const { resultType, _meta, ...others } = JSON.parse(modernResult("tools/call", text));
    assert.equal(resultType, "complete");
    assert.equal(_meta[serverInfo].name, "mcp-gateway");
    assert.deepEqual(others, rest);
  }
  const vendor = JSON.parse(
    modernResult("tools/call", '{"_meta":{"vendor/x":1,"io.modelcontextprotocol/serverInfo":{}}}'),
  );
  assert.equal(vendor._meta["vendor/x"], 1);
  assert.equal(vendor._meta[serverInfo].name, "mcp-gateway");
});

test("modernResult does not touch a large result but for its beginning, and keeps long numbers", () => {
  const long = `{"content":[{"type":"text","text":"${"x".repeat(100_000)}"}],"n":12345678901234567890}`;
  assert.ok(modernResult("tools/call", long).endsWith(long.slice(1)));
  const read = '{"_meta":{},"n":12345678901234567890}';
  assert.match(modernResult("tools/call", read), /"n":12345678901234567890/);
});

test("modernResult says for how long what may be kept, of lists and of what was read", () => {
  const hints = (method: string, text: string) => {
    const { ttlMs, cacheScope } = JSON.parse(modernResult(method, text));
    return [ttlMs, cacheScope];
  };
  for (const method of ["tools/list", "prompts/list", "resources/list", "resources/templates/list", "server/discover"])
    assert.deepEqual(hints(method, '{"x":[]}'), [0, "private"]);
  assert.deepEqual(hints("resources/read", '{"contents":[],"ttlMs":5,"cacheScope":"public"}'), [5, "public"]);
  assert.deepEqual(hints("resources/read", '{"contents":[],"ttlMs":-1,"cacheScope":"all"}'), [0, "private"]);
  assert.deepEqual(hints("tools/call", '{"content":[]}'), [undefined, undefined]);
  assert.deepEqual(hints("resources/read", '{"resultType":"input_required","inputRequests":{}}'), [
    undefined,
    undefined,
  ]);
});

test("legacyResult takes off what older clients do not know, and nothing else", () => {
  const legacy = (method: string, value: object) => legacyResult(method, Answer.ofText(JSON.stringify(value))).value;
  const modern = { resultType: "complete", content: [], _meta: { [serverInfo]: { name: "s" } } };
  assert.deepEqual(legacy("tools/call", modern), { content: [] });
  assert.deepEqual(legacy("tools/call", { ...modern, _meta: { "vendor/x": 1 }, ttlMs: 3 }), {
    content: [],
    _meta: { "vendor/x": 1 },
    ttlMs: 3,
  });
  assert.deepEqual(legacy("tools/list", { ...modern, tools: [], ttlMs: 3, cacheScope: "public" }), {
    content: [],
    tools: [],
  });
});

test("legacyResult gives content that is no object as text, for clients that would refuse the result", () => {
  const legacy = (value: object) => legacyResult("tools/call", Answer.ofText(JSON.stringify(value))).value;
  assert.deepEqual(legacy({ structuredContent: { a: 1 }, content: [] }), { structuredContent: { a: 1 }, content: [] });
  assert.deepEqual(legacy({ structuredContent: [1], content: [] }), { content: [{ type: "text", text: "[1]" }] });
  const said = [{ type: "text", text: "one" }];
  assert.deepEqual(legacy({ structuredContent: 1, content: said }), { content: said });
});

const keys = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": { sampling: {} },
};

test("readEnvelope names the key that is missing or wrong", () => {
  const read = (meta: object) => readEnvelope({ _meta: meta as never });
  assert.deepEqual(read(keys), { capabilities: { sampling: {} }, clientInfo: undefined, logLevel: undefined });
  assert.equal(read({ ...keys, "io.modelcontextprotocol/logLevel": "info" }).logLevel, "info");
  assert.throws(() => readEnvelope(undefined), /"_meta" is missing/);
  assert.throws(
    () => read({ ...keys, "io.modelcontextprotocol/clientCapabilities": undefined }),
    /clientCapabilities" is missing/,
  );
  assert.throws(
    () => read({ ...keys, "io.modelcontextprotocol/clientCapabilities": 1 }),
    /clientCapabilities" is not an object/,
  );
  assert.throws(
    () => read({ ...keys, "io.modelcontextprotocol/protocolVersion": 1 }),
    /protocolVersion" is not a string/,
  );
  assert.throws(() => read({ ...keys, "io.modelcontextprotocol/clientInfo": "x" }), /clientInfo" is not an object/);
  assert.throws(() => read({ ...keys, "io.modelcontextprotocol/logLevel": "loud" }), /logLevel" is not one of/);
});

test("withEnvelope and withoutHopKeys keep what travels on", () => {
  const meta = { ...keys, progressToken: 1, traceparent: "00-1", "vendor/x": 2 };
  const kept = withoutHopKeys(meta);
  assert.deepEqual(kept, { traceparent: "00-1", "vendor/x": 2 });
  assert.equal(withoutHopKeys(kept as never), kept);
  assert.equal(withoutHopKeys(keys), undefined);
  const sent = withEnvelope(
    { a: 1, _meta: kept as never },
    { capabilities: {}, clientInfo: { name: "c" }, logLevel: undefined },
  );
  assert.deepEqual(sent["_meta"], {
    traceparent: "00-1",
    "vendor/x": 2,
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "c" },
  });
});
