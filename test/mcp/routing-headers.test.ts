import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { decodeHeaderValue, encodeHeaderValue } from "../../src/mcp/header-value.ts";
import { headerMismatch, mirroredParams, paramMismatch, routingHeaders } from "../../src/mcp/routing-headers.ts";

const headersOf = (headers: Record<string, string>) => (name: string) => headers[name.toLowerCase()] ?? null;

test("encodeHeaderValue leaves visible ASCII as it is and makes Base64 of everything else; decodeHeaderValue reverses it", () => {
  for (const plain of ["get_weather", "file:///a b", "=?", "=?base64", "a=?base64?b?="])
    assert.equal(encodeHeaderValue(plain), plain);
  for (const text of [
    "",
    " lead",
    "trail ",
    "naïve",
    "日本",
    "a\r\nx-evil: 1",
    "\t",
    "=?base64?SGVsbG8=?=",
    "😀",
    "\ufeffx",
  ]) {
    const value = encodeHeaderValue(text);
    assert.match(value, /^=\?base64\?[A-Za-z0-9+/]*={0,2}\?=$/);
    assert.equal(decodeHeaderValue(value), text);
  }
});

test("decodeHeaderValue takes no Base64 but the canonical one, and nothing but UTF-8", () => {
  for (const value of ["=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "=?base64?/w==?=", "=?base64?SGVsbG8=\n?="])
    assert.equal(decodeHeaderValue(value), undefined);
  assert.equal(decodeHeaderValue(" padded\t"), "padded");
  assert.equal(decodeHeaderValue("SGVsbG8="), "SGVsbG8=");
  assert.equal(decodeHeaderValue("=?base64?SGVsbG8="), "=?base64?SGVsbG8=");
});

const schema = {
  type: "object",
  properties: {
    region: { type: "string", "x-mcp-header": "Region" },
    count: { type: "integer", "x-mcp-header": "Count" },
    inner: { type: "object", properties: { flag: { type: "boolean", "x-mcp-header": "X-Flag" } } },
    free: { type: "string" },
  },
};

test("routingHeaders repeat the method, the name and what the schema asks for", () => {
  const mirrored = mirroredParams(schema);
  assert.ok(mirrored);
  const params = { name: "tü", arguments: { region: "eu", count: 3, inner: { flag: false }, free: "x" } };
  assert.deepEqual(routingHeaders("tools/call", params, mirrored), {
    "mcp-method": "tools/call",
    "mcp-name": encodeHeaderValue("tü"),
    "mcp-param-region": "eu",
    "mcp-param-count": "3",
    "mcp-param-x-flag": "false",
  });
  assert.deepEqual(routingHeaders("tools/call", { name: "t", arguments: { region: null, count: 2 ** 60 } }, mirrored), {
    "mcp-method": "tools/call",
    "mcp-name": "t",
  });
  assert.deepEqual(routingHeaders("tools/list", { name: "x" }, []), { "mcp-method": "tools/list" });
  assert.deepEqual(routingHeaders("resources/read", { uri: "a://b" }, []), {
    "mcp-method": "resources/read",
    "mcp-name": "a://b",
  });
});

test("mirroredParams refuse a schema that asks for headers in a way it must not", () => {
  const property = (inner: JsonObject): JsonObject => ({ type: "object", properties: { a: inner } });
  const broken: JsonObject[] = [
    property({ type: "number", "x-mcp-header": "A" }),
    property({ type: "object", "x-mcp-header": "A" }),
    property({ "x-mcp-header": "A" }),
    property({ type: "string", "x-mcp-header": "" }),
    property({ type: "string", "x-mcp-header": "a b" }),
    property({ type: "string", "x-mcp-header": "a\r\nevil" }),
    property({ type: "string", "x-mcp-header": 1 }),
    { type: "string", "x-mcp-header": "A" },
    property({ type: "array", items: { type: "string", "x-mcp-header": "A" } }),
    { anyOf: [property({ type: "string", "x-mcp-header": "A" })] },
    { $defs: { x: { type: "string", "x-mcp-header": "A" } } },
    { properties: { a: { type: "string", "x-mcp-header": "X" }, b: { type: "string", "x-mcp-header": "x" } } },
  ];
  for (const one of broken) assert.equal(mirroredParams(one), undefined, JSON.stringify(one));
  for (const none of [undefined, {}, true, property({ type: "string" }), { properties: { items: { type: "string" } } }])
    assert.deepEqual(mirroredParams(none as never), []);
  // A property may well be called like a keyword.
  const called = { properties: { items: { type: "string", "x-mcp-header": "Items" } } };
  assert.deepEqual(
    mirroredParams(called)?.map(({ header }) => header),
    ["mcp-param-items"],
  );
});

test("headerMismatch tells what is missing or different", () => {
  const params = { name: "echo" };
  const check = (headers: Record<string, string>) => headerMismatch(headersOf(headers), "tools/call", params);
  assert.equal(check({ "mcp-method": "tools/call", "mcp-name": "echo" }), undefined);
  assert.equal(check({ "mcp-method": " tools/call ", "mcp-name": "  echo  " }), undefined);
  assert.match(check({ "mcp-name": "echo" }) ?? "", /"Mcp-Method" is missing/);
  assert.match(check({ "mcp-method": "TOOLS/CALL", "mcp-name": "echo" }) ?? "", /not the method/);
  assert.match(check({ "mcp-method": "tools/call" }) ?? "", /"Mcp-Name" is missing/);
  assert.match(check({ "mcp-method": "tools/call", "mcp-name": "other" }) ?? "", /not what the body names/);
  assert.match(check({ "mcp-method": "tools/call", "mcp-name": "=?base64?x?=" }) ?? "", /Base64/);
  assert.equal(headerMismatch(headersOf({ "mcp-method": "tools/list" }), "tools/list", undefined), undefined);
});

test("paramMismatch compares integers as numbers and everything else as text", () => {
  const mirrored = mirroredParams(schema) ?? [];
  const check = (args: object, headers: Record<string, string>) =>
    paramMismatch(headersOf(headers), args as never, mirrored);
  assert.equal(check({ region: "eu", count: 42 }, { "mcp-param-region": "eu", "mcp-param-count": "42.0" }), undefined);
  assert.equal(check({}, { "mcp-param-region": "left over" }), undefined);
  assert.equal(check({ region: null }, {}), undefined);
  assert.match(check({ region: "eu" }, {}) ?? "", /missing/);
  assert.match(check({ region: "eu" }, { "mcp-param-region": "us" }) ?? "", /is not the argument "region"/);
  assert.match(check({ region: "Hello" }, { "mcp-param-region": "=?base64?SGVsbG8?=" }) ?? "", /Base64/);
});
