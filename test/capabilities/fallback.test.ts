/** What happens when an API does not answer: again, elsewhere, or not at all, so that nothing is ever done twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { tryOnce } from "./fixture.ts";
import { type RawAnswer, RawApi } from "./raw-api.ts";

const readOnly = { metadata: { read_only: true } };

async function deadOrigin(): Promise<string> {
  const api = await RawApi.start();
  await api[Symbol.asyncDispose]();
  return api.origin;
}

function providers(primary: JsonObject, fallback: JsonObject, more: JsonObject = {}): JsonObject {
  const once = (config: JsonObject) => ({ max_attempts: 1, config });
  return { providers: { primary: once(primary), fallback: [once(fallback)] }, ...more };
}

test("fallback: a reading capability goes on with the next provider, and says which one it was", async () => {
  await using second = await RawApi.start(() => ({ body: '{"from":2}' }));
  for (const status of [500, 503, 429, 401, 408]) {
    await using first = await RawApi.start(() => ({ status }));
    const { value } = await tryOnce(providers({ base_url: first.origin }, { base_url: second.origin }, readOnly));
    assert.deepEqual(value["_meta"], { "mcp-gateway/provider": "fallback.0" }, String(status));
    assert.equal(first.requests.length, 1);
  }
  const { text } = await tryOnce(providers({ base_url: await deadOrigin() }, { base_url: second.origin }, readOnly));
  assert.deepEqual(JSON.parse(text), { from: 2 });
});

test("fallback: what the API refuses is refused, and what both cannot do names both", async () => {
  await using first = await RawApi.start(() => ({ status: 404, body: "no such thing" }));
  await using second = await RawApi.start(() => ({ status: 500, body: "broken" }));
  const refused = await tryOnce(providers({ base_url: first.origin }, { base_url: second.origin }, readOnly));
  assert.equal(refused.text, "The API answered HTTP 404\nno such thing");
  assert.equal(second.requests.length, 0);
  const failed = await tryOnce(providers({ base_url: second.origin }, { base_url: second.origin }, readOnly));
  assert.equal(failed.text, "The API answered HTTP 500\nbroken\nBefore it failed:\nprimary: The API answered HTTP 500");
});

test("fallback: a writing capability goes on only when the first API did nothing", async () => {
  await using second = await RawApi.start();
  const write = (base_url: string) =>
    tryOnce(providers({ base_url, method: "POST" }, { base_url: second.origin, method: "POST" }));
  await using broken = await RawApi.start(() => ({ status: 500 }));
  assert.equal((await write(broken.origin)).isError, true);
  assert.equal(second.requests.length, 0);
  await using busy = await RawApi.start(() => ({ status: 429 }));
  assert.equal((await write(busy.origin)).isError, false);
  assert.equal((await write(await deadOrigin())).isError, false);
  assert.equal(second.requests.length, 2);
});

test("fallback: the key of the file goes to its own API alone", async () => {
  await using first = await RawApi.start(() => ({ status: 500 }));
  await using second = await RawApi.start();
  const auth = { auth: { type: "bearer", key: "env:KEY" }, ...readOnly };
  const options = { env: { KEY: "k3y-canary", OTHER: "other-key" } };
  await tryOnce(providers({ base_url: first.origin }, { base_url: second.origin }, auth), options);
  assert.equal(first.last.headers.get("authorization"), "Bearer k3y-canary");
  assert.equal(second.last.headers.get("authorization"), undefined);
  const same = providers({ base_url: first.origin }, { base_url: first.origin, path: "/v2" }, auth);
  await tryOnce(same, options);
  assert.equal(first.last.line, "GET /v2 HTTP/1.1");
  assert.equal(first.last.headers.get("authorization"), "Bearer k3y-canary");
  const own = {
    providers: {
      primary: { max_attempts: 1, config: { base_url: first.origin } },
      fallback: { config: { base_url: second.origin }, auth: { type: "api_key", key: "OTHER", header: "X-Key" } },
    },
    ...auth,
  };
  await tryOnce(own, options);
  assert.equal(second.last.headers.get("x-key"), "other-key");
});

test("fallback: a key that is missing for the first API lets the next one answer", async () => {
  await using api = await RawApi.start();
  const auth = { auth: { required: true, type: "bearer", key: "env:ABSENT" } };
  const { isError } = await tryOnce(providers({ base_url: "http://127.0.0.2" }, { base_url: api.origin }, auth));
  assert.equal(isError, false);
});

async function attempts(answers: readonly RawAnswer[], method: string, more: JsonObject = {}): Promise<number> {
  let at = 0;
  await using api = await RawApi.start(() => answers[Math.min(at++, answers.length - 1)] as RawAnswer);
  await tryOnce({ providers: { primary: { max_attempts: 3, config: { base_url: api.origin, method } } }, ...more });
  return api.requests.length;
}

test("retry: what may pass is asked for again, unless that could do something twice", async () => {
  const soon = { "retry-after": "0" };
  assert.equal(await attempts([{ status: 503, headers: soon }, {}], "GET"), 2);
  assert.equal(await attempts([{ status: 503, headers: soon }], "GET"), 3);
  assert.equal(await attempts([{ status: 503, headers: soon }, {}], "POST"), 1);
  assert.equal(await attempts([{ status: 503, headers: soon }, {}], "POST", readOnly), 2);
  assert.equal(await attempts([{ status: 429, headers: soon }, {}], "POST"), 2);
  assert.equal(await attempts([{ status: 429, headers: { "retry-after": "60" } }, {}], "GET"), 1);
  assert.equal(await attempts([{ status: 500 }, {}], "GET"), 1);
  assert.equal(await attempts([{ status: 404 }, {}], "GET"), 1);
});
