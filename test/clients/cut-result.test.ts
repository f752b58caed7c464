import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFace } from "../../src/clients/create-face.ts";
import { cutResult } from "../../src/clients/cut-result.ts";
import type { Session } from "../../src/clients/session.ts";
import { Answer } from "../../src/core/answer.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { contextOf, type FakeHost, fakeHost, request } from "./fake-host.ts";

const textOf = (result: JsonObject, at = 0) => String((result["content"] as JsonObject[])[at]?.["text"]);
const long = (count: number) => Array.from({ length: count }, (_, id) => ({ id, name: `name ${id}` }));

describe("cutResult", () => {
  test("keeps JSON valid and of its shape: lists end earlier, long texts are cut, short members stay", () => {
    const value = { total: 500, items: long(500), body: "word ".repeat(2_000), nested: { flags: [true], none: null } };
    const result = cutResult(
      { content: [{ type: "text", text: JSON.stringify(value) }], structuredContent: value },
      2_000,
    );
    for (const cut of [JSON.parse(textOf(result)), result["structuredContent"]] as (typeof value)[]) {
      assert.deepEqual([cut.total, cut.nested], [500, value.nested]);
      assert.deepEqual(cut.items, value.items.slice(0, cut.items.length));
      assert.ok(cut.items.length > 10 && cut.body.length > 300);
      assert.match(cut.body, /^word .*…$/);
      assert.ok(JSON.stringify(cut).length <= 2_100, String(JSON.stringify(cut).length));
    }
  });

  test("ends text at a line or a word, and never within a character", () => {
    const cut = (text: string) => textOf(cutResult({ content: [{ type: "text", text }] }, 100));
    assert.equal(cut(`${"x".repeat(90)}\n${"y".repeat(90)}`), `${"x".repeat(90)}…`);
    assert.equal(cut(`${"x".repeat(95)} ${"y".repeat(90)}`), `${"x".repeat(95)}…`);
    assert.equal(cut("🦑".repeat(100)), `${"🦑".repeat(50)}…`);
    assert.equal(cut(`x${"🦑".repeat(100)}`), `x${"🦑".repeat(49)}…`);
    assert.equal(cut("[broken JSON ".repeat(20)).length, 99);
  });

  test("leaves what is no text as it is, and what fits", () => {
    const image = { type: "image", data: "a".repeat(5_000), mimeType: "image/png" };
    const resource = { type: "resource", resource: { uri: "a:b", text: "x".repeat(500), mimeType: "text/plain" } };
    const result = cutResult({ content: [image, { type: "text", text: "short" }, resource], _meta: { a: 1 } }, 100);
    const [first, second, third] = result["content"] as [JsonObject, JsonObject, { resource: { text: string } }];
    assert.deepEqual([first, second["text"], result["_meta"]], [image, "short", { a: 1 }]);
    assert.equal(third.resource.text.length, 96);
  });

  test("always gives something of a list whose first element is long", () => {
    const result = cutResult({ content: [], structuredContent: { rows: [{ text: "x".repeat(5_000) }] } }, 200);
    const { rows } = result["structuredContent"] as { rows: { text: string }[] };
    assert.ok((rows[0]?.text.length ?? 0) > 30);
  });
});

describe("max_result_size", () => {
  const whole = {
    content: [{ type: "text", text: JSON.stringify({ items: long(1_000) }) }],
    isError: false,
    vendor: 1,
  };

  function setUp(size: number | undefined, answer: JsonObject = whole): FakeHost {
    const host = fakeHost({ files: { tools: [{ name: "list" }] } }, async () => Answer.of(answer));
    host.meta = { ...host.meta, max_result_size: size };
    host.sections = { ...host.sections, maxResultSize: size };
    return host;
  }
  const open = async (host: FakeHost) =>
    (await createFace(host).initialize({ protocolVersion: "2025-11-25" }, contextOf())).session;

  async function ask(
    host: FakeHost,
    session: Session | undefined,
    method: string,
    params: JsonObject = {},
    backend?: string,
  ) {
    const text = await createFace(host).handle(request(method, params), contextOf({ session, backend }));
    return JSON.parse(text as string) as { result: JsonObject; error?: JsonObject };
  }
  const invoke = { name: "gateway_invoke", arguments: { server: "files", tool: "list" } };

  test("cuts a longer result, keeps the whole of it and says how to get it", async () => {
    const host = setUp(1_000);
    const session = await open(host);
    const { result } = await ask(host, session, "tools/call", invoke);
    assert.ok(textOf(result).length <= 1_000);
    assert.deepEqual(JSON.parse(textOf(result)).items[5], { id: 5, name: "name 5" });
    assert.deepEqual([result["vendor"], result["isError"]], [1, false]);
    const { uri } = (result["_meta"] as Record<string, JsonObject>)["mcp-gateway/kept_result"] as { uri: string };
    assert.match(textOf(result, 1), /This result is cut.*gateway_read_result/s);
    const read = await ask(host, session, "resources/read", { uri });
    const [content] = read.result["contents"] as [{ text: string }];
    assert.deepEqual(JSON.parse(content.text), whole);

    const part = async (args: JsonObject) => {
      const params = { name: "gateway_read_result", arguments: { result: uri, ...args } };
      return textOf((await ask(host, session, "tools/call", params)).result);
    };
    assert.equal(await part({ path: "items[700].name" }), "name 700");
    assert.equal(await part({ path: "items[-1]" }), '{"id":999,"name":"name 999"}');
    assert.equal(
      await part({ offset: 10, limit: 8 }),
      '{"id":0,\n[Characters 10 to 18 of 28791; "offset": 18 shows more]',
    );
    assert.match(await part({ path: "itms" }), /has no "itms", it has items/);

    const { result: listed } = await ask(host, session, "tools/list");
    assert.equal((listed["tools"] as JsonObject[]).at(-1)?.["name"], "gateway_read_result");
  });

  test("keeps results for the session that called, and no longer than they are bounded", async () => {
    const host = setUp(1_000);
    const [session, other] = [await open(host), await open(host)];
    const uris: string[] = [];
    for (let at = 0; at < 21; at++) {
      const { result } = await ask(host, session, "tools/call", invoke);
      uris.push((result["_meta"] as Record<string, { uri: string }>)["mcp-gateway/kept_result"]?.uri ?? "");
    }
    assert.equal(new Set(uris).size, 21);
    const code = async (from: Session | undefined, uri: string) =>
      (await ask(host, from, "resources/read", { uri })).error?.["code"];
    assert.equal(await code(session, uris[0] as string), -32_002);
    assert.equal(await code(session, uris[1] as string), undefined);
    assert.equal(await code(other, uris[1] as string), -32_002);
    assert.equal(await code(undefined, uris[1] as string), -32_002);
  });

  test("leaves results that fit, and those nobody could ask the rest of, byte for byte", async () => {
    const short = { content: [{ type: "text", text: "x" }] };
    const host = setUp(1_000, short);
    assert.deepEqual((await ask(host, await open(host), "tools/call", invoke)).result, short);
    const unlimited = setUp(undefined);
    assert.deepEqual((await ask(unlimited, await open(unlimited), "tools/call", invoke)).result, whole);
    const limited = setUp(1_000);
    assert.deepEqual((await ask(limited, undefined, "tools/call", invoke)).result, whole);
    assert.deepEqual((await ask(limited, undefined, "tools/call", { name: "list" }, "files")).result, whole);
  });
});
