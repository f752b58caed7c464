import assert from "node:assert/strict";
import { test } from "node:test";
import { rest, tryOnce } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

test("GET sends the path and the query in the order of the file, percent-encoded", async () => {
  await using api = await RawApi.start(() => ({ body: '{"ok":true}' }));
  const definition = rest(
    {
      base_url: `${api.origin}/v1/`,
      path: "/users/{id}?fixed=1&page={page}&gone={gone}",
      params: { q: "{q}", limit: 10, tag: "{tags}", absent: "{gone}", mixed: "a {q}" },
      headers: { "X-Trace": "t-{id}", "X-Absent": "{gone}" },
    },
    { id: "string", q: "string", page: "integer", tags: "array", gone: "string" },
  );
  const result = await tryOnce(definition, {
    args: { id: "a b", q: "1+1=2&x", page: 3, tags: ["x", "y"], other: "unsent" },
  });
  assert.equal(
    api.last.line,
    "GET /v1/users/a%20b?fixed=1&page=3&q=1%2B1%3D2%26x&limit=10&tag=x&tag=y&mixed=a%201%2B1%3D2%26x HTTP/1.1",
  );
  assert.equal(api.last.headers.get("x-trace"), "t-a b");
  assert.equal(api.last.headers.has("x-absent"), false);
  assert.equal(api.last.headers.get("accept"), "application/json, */*;q=0.5");
  assert.equal(api.last.headers.get("user-agent"), "mcp-gateway");
  assert.equal(api.last.headers.get("host"), `127.0.0.1:${api.port}`);
  assert.equal(api.last.body, "");
  assert.deepEqual(result.value, { content: [{ type: "text", text: '{\n  "ok": true\n}' }] });
});

test("param_map renames arguments, static_params fill what nothing else covers", async () => {
  await using api = await RawApi.start();
  const config = {
    base_url: api.origin,
    params: { units: "{units}" },
    param_map: { city: "q" },
    static_params: { units: "metric", lang: "en", q: "nowhere" },
  };
  const types = { city: "string", units: "string" };
  await tryOnce(rest(config, types), { args: { city: "Oulu" } });
  assert.equal(api.last.line, "GET /?units=metric&lang=en&q=Oulu HTTP/1.1");
  await tryOnce(rest(config, types), { args: { city: "Oulu", units: "imperial" } });
  assert.equal(api.last.line, "GET /?units=imperial&lang=en&q=Oulu HTTP/1.1");
});

test("POST without a body template sends the arguments that went nowhere else as JSON", async () => {
  await using api = await RawApi.start();
  const config = {
    base_url: api.origin,
    path: "/items/{id}",
    method: "post",
    param_map: { n: "count" },
    static_params: { v: 2 },
  };
  await tryOnce(rest(config, { id: "string", n: "integer", name: "string" }), { args: { id: "7", n: "5", name: "é" } });
  assert.equal(api.last.line, "POST /items/7 HTTP/1.1");
  assert.equal(api.last.headers.get("content-type"), "application/json");
  assert.equal(api.last.body, '{"v":2,"count":5,"name":"é"}');
});

test("body template keeps types, drops what has no value, leaves foreign braces alone", async () => {
  await using api = await RawApi.start();
  const body = {
    query: "query { viewer {id} }",
    variables: {
      n: "{n}",
      deep: [{ flag: "{flag}" }, "{gone}", "{list}"],
      text: "no. {n} by {env.WHO}",
      gone: "{gone}",
    },
  };
  await tryOnce(
    rest(
      { base_url: api.origin, method: "PUT", body },
      { n: "integer", flag: "boolean", list: "array", gone: "string" },
    ),
    { args: { n: "5", flag: false, list: [1, { a: "{n}" }] }, env: { WHO: "me" } },
  );
  assert.deepEqual(JSON.parse(api.last.body), {
    query: "query { viewer {id} }",
    variables: { n: 5, deep: [{ flag: false }, [1, { a: "{n}" }]], text: "no. 5 by me" },
  });
});

test("body template loses a mapping with all of its keys, a body is never nothing", async () => {
  await using api = await RawApi.start();
  const body = { filter: { team: { eq: "{team}" }, state: { eq: "{state}" } }, fixed: {} };
  const types = { team: "string", state: "string" };
  await tryOnce(rest({ base_url: api.origin, method: "POST", body }, types), { args: { team: "a" } });
  assert.deepEqual(JSON.parse(api.last.body), { filter: { team: { eq: "a" } }, fixed: {} });
  const all = { base_url: api.origin, method: "POST", body: { a: "{team}" } };
  await tryOnce(rest(all, types));
  assert.equal(api.last.body, "{}");
});

test("body written as one JSON text is a template too: a value cannot leave its quotes", async () => {
  await using api = await RawApi.start();
  const config = { base_url: api.origin, method: "POST", body: '{"name": "{name}"}' };
  await tryOnce(rest(config, { name: "string" }), { args: { name: '","admin":true,"x":"' } });
  assert.deepEqual(JSON.parse(api.last.body), { name: '","admin":true,"x":"' });
});

test("body_content_type sends plain text or a form", async () => {
  await using api = await RawApi.start();
  const plain = { base_url: api.origin, method: "POST", body: "SELECT {n};", body_content_type: "text/plain" };
  await tryOnce(rest(plain, { n: "integer" }), { args: { n: 1 } });
  assert.deepEqual([api.last.headers.get("content-type"), api.last.body], ["text/plain", "SELECT 1;"]);
  const form = { base_url: api.origin, method: "POST", body_content_type: "application/x-www-form-urlencoded" };
  await tryOnce(rest(form, { a: "string", b: "array" }), { args: { a: "x&y=z", b: [1, 2] } });
  assert.equal(api.last.body, "a=x%26y%3Dz&b=1&b=2");
});

test("DELETE sends no body; a typed value can be the whole body", async () => {
  await using api = await RawApi.start();
  await tryOnce(rest({ base_url: api.origin, path: "/{id}", method: "DELETE" }, { id: "string" }), {
    args: { id: "9" },
  });
  assert.equal(api.last.line, "DELETE /9 HTTP/1.1");
  assert.equal(api.last.body, "");
  await tryOnce(rest({ base_url: api.origin, method: "PATCH", body: "{patch}" }, { patch: "array" }), {
    args: { patch: [{ op: "add" }] },
  });
  assert.equal(api.last.body, '[{"op":"add"}]');
});

test("path_selector picks the path by an argument and refuses others", async () => {
  await using api = await RawApi.start();
  const config = {
    base_url: api.origin,
    path_selector: { parameter: "kind", default: "new", paths: { new: "/new", top: "/top/{n}" } },
  };
  const definition = rest(config, { kind: "string", n: "integer" });
  await tryOnce(definition, { args: {} });
  assert.equal(api.last.line, "GET /new HTTP/1.1");
  await tryOnce(definition, { args: { kind: "top", n: 2 } });
  assert.equal(api.last.line, "GET /top/2 HTTP/1.1");
  const { text, isError } = await tryOnce(definition, { args: { kind: "constructor" } });
  assert.deepEqual([isError, text], [true, '"kind" must be one of "new", "top"']);
  assert.equal(api.requests.length, 2);
});

test("endpoint wins over base_url and may come from the environment", async () => {
  await using api = await RawApi.start();
  const config = { base_url: "http://unused.invalid", endpoint: "{env.API}/x/{id}", params: { e: "{env.MODE}" } };
  const definition = rest(config, { id: "string" });
  await tryOnce(definition, { args: { id: "1" }, env: { API: `${api.origin}/base`, MODE: "fast" } });
  assert.equal(api.last.line, "GET /base/x/1?e=fast HTTP/1.1");
  const { text } = await tryOnce(definition, { args: { id: "1" } });
  assert.match(text, /needs the environment variable "API"/);
});

test("response: not 2xx is an error with the status and 500 characters of the body", async () => {
  await using api = await RawApi.start(() => ({ status: 404, body: "x".repeat(9_000) }));
  const { text, isError } = await tryOnce(rest({ base_url: api.origin }));
  assert.deepEqual([isError, text], [true, `The API answered HTTP 404\n${"x".repeat(500)}`]);
});

test("response_path picks a part, response_format text wraps it, broken JSON is an error", async () => {
  let body = '{"data":{"items":[{"n":1},{"n":2}]}}';
  let type = "application/json";
  await using api = await RawApi.start(() => ({ body, headers: { "content-type": type } }));
  const at = (response_path: string, response_format = "json") =>
    tryOnce(rest({ base_url: api.origin, response_path, response_format }));
  assert.equal((await at("data.items.1.n")).text, "2");
  assert.match((await at("data.nothing")).text, /^The API's answer has no "data.nothing"\n\{"data"/);
  assert.match((await at("constructor")).text, /has no "constructor"/);
  assert.deepEqual(JSON.parse((await at("", "text")).text), { answer: body, confidence: "high" });
  [body, type] = ["<html>", "text/html"];
  assert.match((await at("")).text, /^The API answered with text\/html that is not valid JSON\n<html>/);
  assert.deepEqual(JSON.parse((await at("", "")).text), { answer: "<html>", confidence: "high" });
  [body, type] = ["", "application/json"];
  assert.equal((await at("")).text, "null");
});

test("schema.output adds structuredContent, and turns an answer of another shape into an error", async () => {
  let body = '{"a":1}';
  await using api = await RawApi.start(() => ({ body }));
  const definition = {
    ...rest({ base_url: api.origin }),
    schema: { output: { properties: { a: { type: "integer" } } } },
  };
  assert.deepEqual((await tryOnce(definition)).value["structuredContent"], { a: 1 });
  body = "[1]";
  assert.match((await tryOnce(definition)).text, /is not an object/);
});
