import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { tryOnce } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

function service(
  name: string,
  config: JsonObject,
  types: Readonly<Record<string, string>> = {},
  more: JsonObject = {},
) {
  const properties = Object.fromEntries(Object.entries(types).map(([key, type]) => [key, { type }]));
  return { schema: { input: { properties } }, providers: { primary: { service: name, config } }, ...more };
}

test("graphql: the document goes out as it is, arguments are its variables", async () => {
  await using api = await RawApi.start(() => ({ body: '{"data":{"issue":{"id":"7"}}}' }));
  const query = "query($id: ID!) { issue(id: $id) {id} }";
  const config = {
    base_url: api.origin,
    path: "/graphql",
    query,
    static_params: { first: 5 },
    response_path: "data.issue",
  };
  const { text } = await tryOnce(service("graphql", config, { id: "string" }), { args: { id: '7") { admin }' } });
  assert.equal(api.last.line, "POST /graphql HTTP/1.1");
  assert.equal(api.last.headers.get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(api.last.body), { query, variables: { first: 5, id: '7") { admin }' } });
  assert.deepEqual(JSON.parse(text), { id: "7" });
});

test("graphql: a body with variables is a template of them, also under service rest", async () => {
  await using api = await RawApi.start();
  const query = "query { team(key: $k) {k} }";
  const body = { query, variables: { k: "{k}", gone: "{gone}" } };
  const types = { k: "string", gone: "string" };
  for (const definition of [
    service("graphql", { endpoint: api.origin, body }, types),
    service("rest", { endpoint: api.origin, method: "POST", body }, types),
  ]) {
    await tryOnce(definition, { args: { k: "x" } });
    assert.deepEqual(JSON.parse(api.last.body), { query, variables: { k: "x" } });
  }
});

test("graphql: errors without data are an error, with data the data counts", async () => {
  let body = '{"data":null,"errors":[{"message":"no such field"},{"message":"and the key k3y-canary"}]}';
  await using api = await RawApi.start(() => ({ body }));
  const auth = { auth: { type: "bearer", key: "env:KEY" } };
  const definition = service("graphql", { endpoint: api.origin, query: "{ viewer { id } }" }, {}, auth);
  const { isError, text } = await tryOnce(definition, { env: { KEY: "k3y-canary" } });
  assert.deepEqual(
    [isError, text],
    [true, "The API answered with errors instead of data\nno such field\nand the key [redacted]"],
  );
  body = '{"data":{"a":1},"errors":[{"message":"partly"}]}';
  assert.equal((await tryOnce(definition)).isError, false);
});

test("jsonrpc: sends a request of its own id, the arguments as parameters or in the order of the file", async () => {
  await using api = await RawApi.start(() => ({ body: '{"jsonrpc":"2.0","id":1,"result":"0x10"}' }));
  const config = { endpoint: `${api.origin}/rpc`, method: "eth_blockNumber", response_path: "result" };
  const { text } = await tryOnce(service("jsonrpc", config));
  const { id, ...sent } = JSON.parse(api.last.body);
  assert.equal(api.last.line, "POST /rpc HTTP/1.1");
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(sent, { jsonrpc: "2.0", method: "eth_blockNumber", params: {} });
  assert.equal(text, '"0x10"');
  const params = ["{address}", "latest", "{gone}"];
  await tryOnce(service("jsonrpc", { ...config, params }, { address: "string", gone: "string" }), {
    args: { address: "0xabc" },
  });
  assert.deepEqual(JSON.parse(api.last.body).params, ["0xabc", "latest"]);
});

test("jsonrpc: an error in the answer is an error", async () => {
  await using api = await RawApi.start(() => ({
    body: '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no method"}}',
  }));
  const { isError, text } = await tryOnce(service("jsonrpc", { endpoint: api.origin, method: "x" }));
  assert.deepEqual([isError, text], [true, "The API answered with error -32601\nno method"]);
});

const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 255, 128]);

test("response: images and audio are content of their kind, other bytes an embedded resource", async () => {
  let type = "image/png; charset=binary";
  await using api = await RawApi.start(() => ({ body: png, headers: { "content-type": type } }));
  const data = Buffer.from(png).toString("base64");
  const ask = async (response_format = "") =>
    (await tryOnce(service("rest", { base_url: api.origin, response_format }))).value["content"] as JsonObject[];
  const described = (mime_type: string) => ({
    type: "text",
    text: JSON.stringify({ mime_type, size: 11 }, undefined, 2),
  });
  assert.deepEqual(await ask(), [{ type: "image", data, mimeType: "image/png" }, described("image/png")]);
  type = "audio/mpeg";
  assert.deepEqual((await ask())[0], { type: "audio", data, mimeType: "audio/mpeg" });
  type = "application/pdf";
  assert.deepEqual((await ask())[0], {
    type: "resource",
    resource: { uri: "capability://tool/answer", mimeType: "application/pdf", blob: data },
  });
  // What says nothing of itself is known by how it begins.
  type = "application/octet-stream";
  assert.deepEqual((await ask("binary"))[0], { type: "image", data, mimeType: "image/png" });
});

test("response: XML becomes JSON, by format or by content type", async () => {
  let body = '<rates day="1"><r c="USD">1.1</r><r c="JPY">160</r></rates>';
  await using api = await RawApi.start(() => ({ body, headers: { "content-type": "text/xml; charset=utf-8" } }));
  const ask = (response_format: string, response_path = "") =>
    tryOnce(service("rest", { base_url: api.origin, response_format, response_path }));
  assert.deepEqual(JSON.parse((await ask("")).text), {
    rates: {
      "@day": "1",
      r: [
        { "@c": "USD", "#text": "1.1" },
        { "@c": "JPY", "#text": "160" },
      ],
    },
  });
  assert.equal((await ask("xml", "rates.r.1.#text")).text, '"160"');
  assert.equal(api.last.headers.get("accept"), "application/xml, text/xml, */*;q=0.5");
  body = '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>';
  assert.match((await ask("xml")).text, /^The API's answer is not valid XML: A document type/);
});

test("response: an API that repeats the key in a good answer does not show it", async () => {
  await using api = await RawApi.start(({ line, headers }) => ({
    body: JSON.stringify({ line, seen: headers.get("authorization"), host: "host-canary" }),
  }));
  for (const auth of [
    { type: "bearer", key: "KEY" },
    { type: "api_key", key: "KEY", param: "key" },
  ]) {
    const config = { base_url: api.origin, headers: { "X-Host": "{env.HOST}" } };
    const { isError, text } = await tryOnce(service("rest", config, {}, { auth }), {
      env: { KEY: "k3y-canary", HOST: "host-canary" },
    });
    assert.equal(isError, false);
    assert.doesNotMatch(text, /k3y-canary/);
    assert.match(text, /\[redacted\]/);
    assert.match(text, /host-canary/);
  }
});
