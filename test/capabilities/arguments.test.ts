import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { call, Folder, tryOnce, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

const schema = {
  input: {
    type: "object",
    properties: {
      city: { type: "string", description: "Name of the place" },
      days: { type: "integer", minimum: 1, maximum: 16, default: 7 },
      unit: { type: "string", enum: ["celsius", "fahrenheit"] },
      exact: { type: "boolean" },
      note: { type: ["string", "null"] },
      area: {
        type: "object",
        properties: { lat: { type: "number", minimum: -90 }, tags: { type: "array", items: { type: "integer" } } },
        required: ["lat"],
      },
    },
    required: ["city"],
    additionalProperties: false,
  },
};

async function send(args: JsonObject): Promise<{ body?: JsonObject; text: string }> {
  await using api = await RawApi.start();
  const definition = { schema, providers: { primary: { config: { base_url: api.origin, method: "POST" } } } };
  const { isError, text } = await tryOnce(definition, { args });
  assert.equal(api.requests.length, isError ? 0 : 1);
  return isError ? { text } : { body: JSON.parse(api.last.body), text };
}

test("arguments: what is only written differently is repaired", async () => {
  const { body } = await send({
    city: 90210,
    days: " 5 ",
    unit: null,
    exact: "true",
    note: null,
    area: '{"lat":"-3.5","tags":["1",2]}',
  });
  assert.deepEqual(body, { city: "90210", days: 5, exact: true, note: null, area: { lat: -3.5, tags: [1, 2] } });
});

test("arguments: an absent one gets the default of the schema", async () => {
  assert.deepEqual((await send({ city: "Oulu" })).body, { city: "Oulu", days: 7 });
});

const violations: readonly (readonly [JsonObject, string])[] = [
  [{}, '"city" is missing (string, Name of the place)'],
  [{ city: null }, '"city" must be a string, not null'],
  [{ city: ["Oulu"] }, '"city" must be a string, not ["Oulu"]'],
  [{ city: "x", days: "many" }, '"days" must be an integer, not "many"'],
  [{ city: "x", days: 2.5 }, '"days" must be an integer, not 2.5'],
  [{ city: "x", days: "" }, '"days" must be an integer, not ""'],
  [{ city: "x", days: "0x10" }, '"days" must be an integer, not "0x10"'],
  [{ city: "x", days: 0 }, '"days" must be at least 1, not 0'],
  [{ city: "x", days: "17" }, '"days" must be at most 16, not 17'],
  [{ city: "x", unit: "kelvin" }, '"unit" must be one of "celsius", "fahrenheit", not "kelvin"'],
  [{ city: "x", exact: "yes" }, '"exact" must be a boolean, not "yes"'],
  [{ city: "x", note: [] }, '"note" must be a string or null, not []'],
  [{ city: "x", area: { lat: -91 } }, '"area.lat" must be at least -90, not -91'],
  [{ city: "x", area: {} }, '"area.lat" is missing (number)'],
  [{ city: "x", area: { lat: 1, tags: [1, "b"] } }, '"area.tags[1]" must be an integer, not "b"'],
  [{ city: "x", town: "y" }, '"town" is not an argument: use "city", "days", "unit", "exact", "note", "area"'],
  [{ city: { a: "x".repeat(80) } }, `"city" must be a string, not {"a":"${"x".repeat(54)}…`],
];

for (const [args, problem] of violations) {
  test(`arguments: ${JSON.stringify(args).slice(0, 60)} is refused, naming path and fix`, async () => {
    assert.equal((await send(args)).text, `The arguments of "tool" cannot be used:\n${problem}`);
  });
}

test("arguments: all violations are told at once", async () => {
  const { text } = await send({ days: 99, exact: 1 });
  assert.equal(text.split("\n").length, 4);
});

test("arguments: what a caller sent wrongly does not become the last error", async () => {
  await using folder = await Folder.with({
    "tool.yaml": JSON.stringify({
      description: "d",
      schema,
      providers: { primary: { config: { base_url: "http://x" } } },
    }),
  });
  await using upstream = upstreamOver([folder.path]);
  await call(upstream, "tool", { city: "x", days: "canary" });
  assert.equal(upstream.status().lastError, undefined);
  assert.equal(upstream.status().requestCount, 1);
});
