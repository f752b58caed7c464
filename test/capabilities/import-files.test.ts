import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { capabilityTexts } from "../../src/capabilities/import/capability-texts.ts";
import { importDocument, kindOf } from "../../src/capabilities/import/import-document.ts";
import { type ImportOptions, maxCapabilities } from "../../src/capabilities/import/imported.ts";
import { parseDocument } from "../../src/capabilities/import/parse-document.ts";
import { writeTexts } from "../../src/capabilities/import/write-texts.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { Folder } from "./fixture.ts";

const options: ImportOptions = {
  prefix: undefined,
  authKey: undefined,
  documentUrl: undefined,
  sourceName: "test",
  maxCount: maxCapabilities,
};

test("writeTexts: a failure takes back what was written before it", async () => {
  await using folder = await Folder.with({ "old.yaml": "before", "file/x": "" });
  const at = (name: string) => join(folder.path, name);
  const files = ["new.yaml", "old.yaml", "file/x/impossible.yaml"].map((name) => ({ path: at(name), text: "after" }));
  await assert.rejects(writeTexts(files));
  assert.deepEqual((await readdir(folder.path)).sort(), ["file", "old.yaml"]);
  assert.equal(await readFile(at("old.yaml"), "utf8"), "before");
  await writeTexts(files.slice(0, 2));
  assert.equal(await readFile(at("old.yaml"), "utf8"), "after");
});

test("parseDocument, importDocument: what is no document, and what is none of these, is one clear error", async () => {
  const deep = `${'{"a":'.repeat(70)}1${"}".repeat(70)}`;
  await assert.rejects(parseDocument("x", deep), /nested deeper than 64 levels/);
  await assert.rejects(parseDocument("x", "[".repeat(100_000)), /x:1:1 {2}Values are nested deeper/);
  await assert.rejects(parseDocument("x", "- 1"), /"x" is no JSON object and no YAML mapping/);
  await assert.rejects(parseDocument("x", "# s\ntype Query implements A {\n  a: Int\n}"), /GraphQL's own language/);
  await assert.rejects(
    parseDocument("x", `a: ${"b".repeat(1_100_000)}`),
    /YAML is read up to 1048576 bytes: give it as JSON/,
  );
  const document = await parseDocument("x", "{}");
  assert.equal(kindOf(document), undefined);
  assert.throws(() => importDocument(document, options), /no OpenAPI 3 or Swagger 2 document, no GraphQL/);
  assert.throws(
    () => importDocument(document, { ...options, authKey: "sk-x" }, "openapi"),
    /where it is, e\.g\. env:API_KEY/,
  );
});

test("T15: a document of references becomes no file without end", async () => {
  const text = "long ".repeat(100_000);
  const properties = Object.fromEntries(
    Array.from({ length: 900 }, (_, at) => [`p${at}`, { $ref: "#/components/schemas/S" }]),
  );
  const big: JsonObject = {
    openapi: "3.0.0",
    servers: [{ url: "https://a.example" }],
    components: { schemas: { S: { type: "string", description: text, pattern: text } } },
    paths: Object.fromEntries(
      Array.from({ length: 2_000 }, (_, at) => [
        `/x${at}`,
        at < 3
          ? { post: { requestBody: { content: { "application/json": { schema: { type: "object", properties } } } } } }
          : { get: { operationId: `get${at}` } },
      ]),
    ),
  };
  const result = importDocument(big, { ...options, maxCount: 5 });
  assert.equal(result.capabilities.length, 5);
  assert.deepEqual(result.warnings, ["1995 more operations are left out: 5 are the most"]);
  const { files, warnings } = await capabilityTexts(result.capabilities);
  assert.deepEqual(
    [files.map(({ name }) => name), warnings],
    [
      ["get3", "get4"],
      ["post_x0", "post_x1", "post_x2"].map((name) => `"${name}" is left out: It would be larger than 1048576 bytes`),
    ],
  );
});

test("OpenAPI: an argument of no type gets one, a name of no letters another, what is hard to use is said", async () => {
  const parameters = Array.from({ length: 25 }, (_, at) => ({
    name: `p${at}`,
    in: "query",
    schema: at === 0 ? { type: "uuid" } : {},
  }));
  const { capabilities } = importDocument(
    {
      openapi: "3.0.0",
      servers: [{ url: "https://a.example" }],
      paths: { "/städte": { get: { operationId: "日本", summary: "All towns there are in the land", parameters } } },
    } as unknown as JsonObject,
    options,
  );
  const { files, warnings } = await capabilityTexts(capabilities);
  assert.deepEqual(
    files.map(({ name }) => name),
    ["get_st_dte"],
  );
  assert.deepEqual(warnings, [
    '"get_st_dte" is hard to use [AX-004]: There are 25 arguments: leave out what is never set, or give it a fixed value',
  ]);
});
