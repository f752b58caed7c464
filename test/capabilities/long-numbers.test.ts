import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExact } from "../../src/lib/exact-json.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { call, Folder, rest, tryOnce, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

const long = "12345678901234567891";

function exact(text: string): JsonObject {
  return parseExact(text) as JsonObject;
}

test("long numbers of an API reach the caller with all their digits", async () => {
  await using api = await RawApi.start(() => ({ body: `{"id":${long},"items":[{"id":-${long}}]}` }));
  const output = { type: "object", properties: { id: { type: "integer" } } };
  const definition = rest({ base_url: api.origin }, {}, { schema: { output } });
  await using folder = await Folder.with({ "tool.yaml": JSON.stringify({ description: "A tool", ...definition }) });
  await using upstream = upstreamOver([folder.path]);
  await upstream.start(AbortSignal.timeout(10_000));
  const { text, value } = await call(upstream, "tool");
  assert.equal(text.replace(/\s/g, ""), `{"id":${long},"items":[{"id":-${long}}]}`);
  assert.equal(JSON.stringify(value["structuredContent"]), `{"id":${long},"items":[{"id":-${long}}]}`);
});

test("long numbers in arguments go as they are into path, query and body", async () => {
  await using api = await RawApi.start();
  const types = { id: "integer", about: "number", name: "string", text: "integer" };
  const config = { base_url: api.origin, path: "/things/{id}", method: "POST", params: { about: "{about}" } };
  const args = exact(`{"id":${long},"about":-${long},"name":${long},"text":"${long}"}`);
  await tryOnce(rest(config, types), { args });
  assert.equal(api.last.line, `POST /things/${long}?about=-${long} HTTP/1.1`);
  assert.equal(api.last.body, `{"name":"${long}","text":${long}}`);
});

const refused: readonly (readonly [JsonObject, RegExp])[] = [
  [{ type: "integer", maximum: 99 }, /"id" must be at most 99, not 12345678901234567891/],
  [{ type: "object" }, /"id" must be an object, not 12345678901234567891/],
  [{ enum: [1, 2] }, /"id" must be one of 1, 2, not 12345678901234567891/],
];
for (const [id, message] of refused)
  test(`a long number is checked like any other: ${JSON.stringify(id)}`, async () => {
    await using api = await RawApi.start();
    const schema = { input: { type: "object", properties: { id } } };
    const definition = { schema, providers: { primary: { config: { base_url: api.origin } } } };
    const { isError, text } = await tryOnce(definition, { args: exact(`{"id":${long}}`) });
    assert.equal(isError, true);
    assert.match(text, message);
  });

test("a program gets a negative long number as one argument, which is no option", async () => {
  const config = { command: "echo", args: ["{id}"] };
  const schema = { input: { type: "object", properties: { id: { type: "integer" } } } };
  const definition = { schema, providers: { primary: { service: "cli", config } } };
  const { text } = await tryOnce(definition, { args: exact(`{"id":-${long}}`), env: { PATH: process.env["PATH"] } });
  assert.match(text, new RegExp(`-${long}`));
});

test("a cursor that is a long number leads to the next page", async () => {
  await using api = await RawApi.start(({ line }) => ({
    body: line.includes(long) ? '{"items":[2]}' : `{"items":[1],"next":${long}}`,
  }));
  const pagination = { style: "cursor", param: "since", next: "next", items: "items" };
  const { value } = await tryOnce(rest({ base_url: api.origin, path: "/a", pagination, response_path: "items" }));
  const [{ text }] = value["content"] as unknown as [{ text: string }];
  assert.deepEqual(JSON.parse(text) as Json, [1, 2]);
  assert.equal(api.last.line, `GET /a?since=${long} HTTP/1.1`);
});
