import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { Folder, rest, tryOnce } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

const env = { API_KEY: "k3y-canary", PAIR: "me:pa55" };

async function sent(
  auth: JsonObject,
  config: JsonObject = {},
): Promise<{ line: string; headers: ReadonlyMap<string, string> }> {
  await using api = await RawApi.start();
  const { isError, text } = await tryOnce(rest({ base_url: api.origin, ...config }, {}, { auth }), { env });
  assert.equal(isError, false, text);
  return api.last;
}

test("auth: each type puts the key where its API looks for it", async () => {
  const authorization = async (auth: JsonObject) => (await sent(auth)).headers.get("authorization");
  assert.equal(await authorization({ type: "bearer", key: "env:API_KEY" }), "Bearer k3y-canary");
  assert.equal(await authorization({ key: "{env.API_KEY}" }), "Bearer k3y-canary");
  assert.equal(await authorization({ type: "api_key", key: "API_KEY" }), "k3y-canary");
  assert.equal(await authorization({ type: "api_key", key: "API_KEY", prefix: "Token" }), "Token k3y-canary");
  assert.equal(await authorization({ type: "basic", key: "API_KEY" }), "Basic k3y-canary");
  assert.equal(await authorization({ type: "basic", key: "PAIR" }), `Basic ${btoa("me:pa55")}`);
  assert.equal(await authorization({ type: "none", key: "API_KEY" }), undefined);
  assert.equal(await authorization({ type: "bearer", key: "ABSENT" }), undefined);
  const header = await sent({ type: "api_key", key: "API_KEY", header: "X-Api-Key" });
  assert.equal(header.headers.get("x-api-key"), "k3y-canary");
  const query = await sent({ type: "api_key", key: "API_KEY", param: "appid" }, { params: { q: 1 } });
  assert.equal(query.line, "GET /?q=1&appid=k3y-canary HTTP/1.1");
});

test("auth: a header that says {access_token} leaves its place to the key", async () => {
  const { headers } = await sent(
    { type: "bearer", key: "API_KEY" },
    { headers: { authorization: "token {access_token}" } },
  );
  assert.equal(headers.get("authorization"), "Bearer k3y-canary");
});

test("auth: a key in a JSON file is read for every call", async () => {
  await using api = await RawApi.start();
  await using folder = await Folder.with({ "key.json": '{"google":{"token":"first"}}' });
  const definition = (field: string) =>
    rest(
      { base_url: api.origin },
      {},
      { auth: { required: true, key: `file:${join(folder.path, "key.json")}:${field}` } },
    );
  await tryOnce(definition("google.token"));
  assert.equal(api.last.headers.get("authorization"), "Bearer first");
  await folder.write("key.json", '{"google":{"token":"second"}}');
  await tryOnce(definition("google.token"));
  assert.equal(api.last.headers.get("authorization"), "Bearer second");
  for (const field of ["google", "constructor.name", "google.absent"])
    assert.match((await tryOnce(definition(field))).text, /key\.json" has no text at "[a-z.]+"/);
  await folder.write("key.json", "not JSON, but canary-secret");
  assert.doesNotMatch((await tryOnce(definition("google.token"))).text, /canary/);
});

test("auth: a required key that is missing is an error that names the variable", async () => {
  await using api = await RawApi.start();
  const auth = { required: true, type: "bearer", key: "env:SOME_TOKEN", description: "Make one at example.com/tokens" };
  const { isError, text } = await tryOnce(rest({ base_url: api.origin }, {}, { auth }), { env: { SOME_TOKEN: "" } });
  assert.deepEqual(
    [isError, text],
    [
      true,
      'The key for this API is missing: the environment variable "SOME_TOKEN" is not set\nMake one at example.com/tokens',
    ],
  );
  assert.equal(api.requests.length, 0);
});

test("auth: a key with a line end is not sent and not shown", async () => {
  await using api = await RawApi.start();
  const { isError, text } = await tryOnce(rest({ base_url: api.origin }, {}, { auth: { key: "K" } }), {
    env: { K: "canary\n" },
  });
  assert.equal(isError, true);
  assert.doesNotMatch(text, /canary/);
  assert.equal(api.requests.length, 0);
});

test("auth: a variable that no header can carry is not sent and not shown", async () => {
  await using api = await RawApi.start();
  const definition = rest({ base_url: api.origin, headers: { "X-Other": "{env.OTHER}" } });
  const { isError, text } = await tryOnce(definition, { env: { OTHER: "canary\r\nX-Admin: 1" } });
  assert.equal(isError, true);
  assert.doesNotMatch(text, /canary/);
  assert.equal(api.requests.length, 0);
});

test("auth: an API that repeats the request cannot make an error show the keys", async () => {
  await using api = await RawApi.start(({ line, headers, body }) => ({
    status: 400,
    body: `${line} ${headers.get("authorization")} ${headers.get("x-other")} ${body}`,
  }));
  const config = {
    base_url: api.origin,
    headers: { "X-Other": "{env.OTHER}" },
    method: "POST",
    body: { s: "{env.OTHER}" },
  };
  const other = "o/t h=er";
  for (const auth of [
    { key: "API_KEY" },
    { type: "basic", key: "PAIR" },
    { type: "api_key", key: "API_KEY", param: "key" },
  ]) {
    const { isError, text } = await tryOnce(rest(config, {}, { auth }), { env: { ...env, OTHER: other } });
    assert.equal(isError, true);
    assert.match(text, /\[redacted\]/);
    for (const secret of [env.API_KEY, btoa(env.PAIR), env.PAIR, other]) assert.ok(!text.includes(secret), text);
  }
});

test("auth: a connection that fails does not show the address with the key in it", async () => {
  const api = await RawApi.start();
  await api[Symbol.asyncDispose]();
  const auth = { type: "api_key", key: "API_KEY", param: "key" };
  const { isError, text } = await tryOnce(rest({ base_url: api.origin }, {}, { auth }), { env });
  assert.equal(isError, true);
  assert.match(text, new RegExp(`^Cannot reach "127\\.0\\.0\\.1:${api.port}": `));
  assert.doesNotMatch(text, /canary/);
});
