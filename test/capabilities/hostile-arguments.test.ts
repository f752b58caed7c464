/** What a caller sends fills a place and never makes one: not a host, a folder, a parameter or a header. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rest, tryOnce } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

const inPath: Readonly<Record<string, string>> = {
  "../admin": "..%2Fadmin",
  "..\\admin": "..%5Cadmin",
  "?x=1": "%3Fx%3D1",
  "#f": "%23f",
  "a&b=c": "a%26b%3Dc",
  "%2e%2e": "%252e%252e",
  "%2e%2e%2f": "%252e%252e%252f",
  "...": "...",
  "a;b:c@d": "a%3Bb%3Ac%40d",
  "é漢😀": "%C3%A9%E6%BC%A2%F0%9F%98%80",
  "\ud800": "%EF%BF%BD",
  "a\r\nHost: evil": "a%0D%0AHost%3A%20evil",
  "{id}": "%7Bid%7D",
  "{env.SECRET}": "%7Benv.SECRET%7D",
  "//evil.example": "%2F%2Fevil.example",
};

test("path argument: stays one segment whatever it is", async () => {
  await using api = await RawApi.start();
  const definition = rest({ base_url: api.origin, path: "/users/{id}/mail" }, { id: "string" });
  for (const [id, sent] of Object.entries(inPath)) {
    await tryOnce(definition, { args: { id }, env: { SECRET: "shh" } });
    assert.equal(api.last.line, `GET /users/${sent}/mail HTTP/1.1`, JSON.stringify(id));
    assert.equal(api.last.headers.get("host"), `127.0.0.1:${api.port}`);
  }
});

test("path argument: one that every URL parser folds away is refused", async () => {
  await using api = await RawApi.start();
  const definition = rest({ base_url: api.origin, path: "/users/{id}{more}/mail" }, { id: "string", more: "string" });
  for (const [id, more] of [
    ["..", ""],
    [".", ""],
    ["", ""],
    [".", "."],
    ["", ".."],
  ] as const) {
    const { isError, text } = await tryOnce(definition, { args: { id, more } });
    assert.deepEqual(
      [isError, text],
      [true, '"id" and "more" must not be empty, "." or "..": it is a part of the path'],
    );
  }
  const { text } = await tryOnce(definition, { args: { id: "1" } });
  assert.equal(text, '"more" is missing: the address of the API needs it');
  assert.equal(api.requests.length, 0);
});

test("path argument: a file cannot be tricked by dots of its own beside the argument", async () => {
  await using api = await RawApi.start();
  const { isError } = await tryOnce(rest({ base_url: api.origin, path: "/users/%2E{id}/mail" }, { id: "string" }), {
    args: { id: "." },
  });
  assert.equal(isError, true);
  assert.equal(api.requests.length, 0);
});

test("query argument: adds no parameter and no fragment", async () => {
  await using api = await RawApi.start();
  const definition = rest({ base_url: api.origin, path: "/s?a={q}", params: { b: "{q}" } }, { q: "string" });
  await tryOnce(definition, { args: { q: "1&admin=1#x?y=+ %26" } });
  const sent = "1%26admin%3D1%23x%3Fy%3D%2B%20%2526";
  assert.equal(api.last.line, `GET /s?a=${sent}&b=${sent} HTTP/1.1`);
});

test("host argument: is one label or nothing", async () => {
  await using api = await RawApi.start();
  const definition = rest({ base_url: `http://{region}.localhost:${api.port}`, path: "/x" }, { region: "string" });
  for (const region of ["evil.example/", "evil.example#", "a.b", "u@evil", "evil:80", "", "é", "a\\b", "127.0.0.1"]) {
    const { isError, text } = await tryOnce(definition, { args: { region } });
    assert.equal(isError, true, region);
    assert.match(text, /"region" may only have letters, digits and "-": it is a part of the host name/);
  }
  assert.equal(api.requests.length, 0);
});

test("header argument: cannot end the header", async () => {
  await using api = await RawApi.start();
  const definition = rest({ base_url: api.origin, headers: { "X-Name": "n {name}" } }, { name: "string" });
  for (const name of ["a\r\nX-Admin: 1", "a\nb", "a\0b", "é", "\u2028", "a\x7f"]) {
    const { isError, text } = await tryOnce(definition, { args: { name } });
    assert.deepEqual(
      [isError, text],
      [true, '"name" may only have printable ASCII characters: it is sent in a header'],
      JSON.stringify(name),
    );
  }
  assert.equal(api.requests.length, 0);
});

test("arguments named like members of every object are data", async () => {
  await using api = await RawApi.start();
  const body = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}');
  await tryOnce({ providers: { primary: { config: { base_url: api.origin, method: "POST" } } } }, { args: body });
  assert.deepEqual(JSON.parse(api.last.body), body);
  const { isError } = await tryOnce(rest({ base_url: api.origin, path: "/{constructor}" }, { constructor: "string" }));
  assert.equal(isError, true);
  assert.equal(({} as { admin?: boolean }).admin, undefined);
});
