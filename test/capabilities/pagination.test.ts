import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { tryOnce } from "./fixture.ts";
import { type RawAnswer, RawApi, type RawRequest } from "./raw-api.ts";

async function ask(
  answer: (request: RawRequest, origin: string) => RawAnswer,
  pagination: JsonObject,
  more: JsonObject = {},
) {
  let origin = "";
  await using api = await RawApi.start((request) => answer(request, origin));
  origin = api.origin;
  const config = { base_url: origin, path: "/items", params: { q: "a b" }, pagination, ...more };
  const auth = { type: "api_key", key: "KEY", param: "key" };
  const result = await tryOnce({ providers: { primary: { config } }, auth }, { env: { KEY: "k3y-canary" } });
  return { ...result, lines: api.requests.map(({ line }) => line.split(" ")[1]) };
}

function query({ line }: RawRequest, name: string): string | null {
  return new URL(line.split(" ")[1] as string, "http://x").searchParams.get(name);
}

test("pagination: pages are counted until one is short, and become one list where it was", async () => {
  const answer = (request: RawRequest) => {
    const page = Number(query(request, "page") ?? 1);
    return { body: JSON.stringify({ meta: { total: 5 }, data: { items: page < 3 ? [page, page] : [page] } }) };
  };
  const { text, value, lines } = await ask(answer, { style: "page", param: "page", items: "data.items" });
  assert.deepEqual(JSON.parse(text), { meta: { total: 5 }, data: { items: [1, 1, 2, 2, 3] } });
  assert.deepEqual(value["_meta"], { "mcp-gateway/pages": 3 });
  assert.deepEqual(lines, [
    "/items?q=a%20b&key=k3y-canary",
    "/items?q=a%20b&page=2&key=k3y-canary",
    "/items?q=a%20b&page=3&key=k3y-canary",
  ]);
});

test("pagination: offsets go on behind what came, to an empty page", async () => {
  const answer = (request: RawRequest) => ({ body: Number(query(request, "skip") ?? 0) < 4 ? "[1,2]" : "[]" });
  const { text, lines } = await ask(answer, { style: "offset", param: "skip" });
  assert.deepEqual(JSON.parse(text), [1, 2, 1, 2]);
  assert.deepEqual(
    lines.map((line) => /skip=(\d+)/.exec(line ?? "")?.[1]),
    [undefined, "2", "4"],
  );
});

test("pagination: cursors are followed to the last, and the list says when it goes on", async () => {
  const answer = (request: RawRequest) => {
    const at = Number(query(request, "cursor") ?? 0);
    return { body: JSON.stringify({ items: [at], next: at < 9 ? String(at + 1) : "" }) };
  };
  const settings = { style: "cursor", param: "cursor", next: "next", items: "items" };
  const whole = await ask(answer, { ...settings, max_pages: 20 }, { response_path: "items" });
  assert.deepEqual(JSON.parse(whole.text), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal((whole.value["content"] as unknown[]).length, 1);
  const cut = await ask(answer, { ...settings, max_pages: 2 }, { response_path: "items" });
  assert.deepEqual(JSON.parse(cut.text), [0, 1]);
  assert.match(JSON.stringify(cut.value["content"]), /This is not the whole list: it goes on after these 2 pages/);
});

test("pagination: links are followed within their origin, with the key", async () => {
  const answer = (request: RawRequest, origin: string): RawAnswer =>
    query(request, "p") === "2"
      ? { body: "[2]", headers: { link: `<${origin}/items?p=1>; rel="prev"` } }
      : { body: "[1]", headers: { link: `<${origin}/items?p=9>; rel=last, </items?p=2>; rel="x next"` } };
  const { text, lines } = await ask(answer, { style: "link" });
  assert.deepEqual(JSON.parse(text), [1, 2]);
  assert.equal(lines[1], "/items?p=2&key=k3y-canary");
  const away = await ask(() => ({ body: '{"i":[1],"next":"http://127.0.0.2/x"}' }), {
    style: "link",
    items: "i",
    next: "next",
  });
  assert.match(away.text, /^"127\.0\.0\.1:\d+" continues its list at "http:\/\/127\.0\.0\.2", which is not followed/);
});

test("pagination: an API that names the same page for ever is asked once", async () => {
  const answer = () => ({ body: '{"i":[1],"next":"same"}' });
  const { lines, isError } = await ask(answer, {
    style: "cursor",
    param: "c",
    next: "next",
    items: "i",
    max_pages: 50,
  });
  assert.deepEqual([lines.length, isError], [2, false]);
});

test("pagination: a list that is not there is an error", async () => {
  const { text } = await ask(() => ({ body: '{"data":1}' }), { style: "page", param: "p", items: "data" });
  assert.equal(text, 'The API\'s answer has no list at "data"');
});
