import assert from "node:assert/strict";
import { test } from "node:test";
import { identifier } from "../../src/capabilities/import/capability-names.ts";
import { capabilityTexts } from "../../src/capabilities/import/capability-texts.ts";
import { type ImportResult, maxCapabilities } from "../../src/capabilities/import/imported.ts";
import { importOpenApi } from "../../src/capabilities/import/openapi.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { yamlText } from "../../src/lib/yaml-document.ts";
import { call, Folder, KeptLog, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

const options = {
  prefix: undefined,
  authKey: undefined,
  documentUrl: undefined,
  sourceName: "test",
  maxCount: maxCapabilities,
};

function one({ capabilities }: ImportResult, name: string): JsonObject {
  const found = capabilities.find((each) => each.name === name);
  assert.ok(found, `${name} is not among ${capabilities.map((each) => each.name)}`);
  return found.definition;
}

/** Calls what was imported, as the gateway would after it was written. */
async function send(definition: JsonObject, args: JsonObject, env: Record<string, string> = {}): Promise<void> {
  await using folder = await Folder.with({ "tool.yaml": await yamlText(definition) });
  const log = new KeptLog();
  await using upstream = upstreamOver([folder.path], { env, log });
  const { text, isError } = await call(upstream, definition["name"] as string, args);
  assert.equal(isError, false, text + log.lines.join("\n"));
}

const pets = (server: string): JsonObject => ({
  openapi: "3.0.3",
  info: { title: "Pet Store" },
  servers: [{ url: `${server}/{version}/`, variables: { version: { default: "v2" } } }],
  security: [{ key: [] }],
  paths: {
    "/pets/{pet-id}": {
      parameters: [{ $ref: "#/components/parameters/PetId" }],
      get: {
        operationId: "getPetByID",
        summary: "<b>One</b>\n pet",
        tags: ["Pets"],
        parameters: [
          { name: "X-Trace", in: "header", schema: { type: "string" } },
          { name: "Accept", in: "header", schema: { type: "string" } },
        ],
      },
      patch: {
        requestBody: {
          required: true,
          content: { "application/json": { schema: { $ref: "#/components/schemas/Pet" } } },
        },
      },
    },
    "/pets": {
      get: {
        operationId: "list pets!",
        description: "d".repeat(600),
        security: [{}, { key: [] }],
        parameters: [
          { name: "filter[name]", in: "query", schema: { type: "string" } },
          { name: "tag", in: "query", schema: { type: "array", items: { type: "string" } } },
        ],
      },
      post: { operationId: "upload", requestBody: { content: { "multipart/form-data": {} } } },
      put: {
        operationId: "replaceAll",
        requestBody: { content: { "application/json": { schema: { type: "array", items: {} } } } },
      },
    },
  },
  components: {
    parameters: {
      PetId: { name: "pet-id", in: "path", required: true, description: "Id of the pet", schema: { type: "integer" } },
    },
    schemas: {
      Pet: {
        allOf: [
          {
            type: "object",
            required: ["name"],
            properties: { id: { type: "integer", readOnly: true }, name: { type: "string" } },
          },
          {
            type: "object",
            properties: {
              pet_id: { type: "string" },
              mother: { $ref: "#/components/schemas/Pet" },
              far: { $ref: "http://evil.example/x" },
            },
          },
        ],
      },
    },
    securitySchemes: { key: { type: "apiKey", in: "header", name: "X-Key" } },
  },
});

test("OpenAPI 3: an operation becomes a capability that sends what the document says", async () => {
  await using api = await RawApi.start();
  const result = importOpenApi(pets(api.origin), options);
  const get = one(result, "get_pet_by_id");
  assert.equal(get["description"], "One pet");
  assert.deepEqual(get["metadata"], { category: "api", tags: ["openapi", "generated", "pets"], read_only: true });
  assert.deepEqual((get["schema"] as { input: JsonObject }).input["required"], ["pet_id"]);
  await send(get, { pet_id: 7, X_Trace: "t" }, { KEY_TOKEN: "k3y-canary" });
  assert.equal(api.last.line, "GET /v2/pets/7 HTTP/1.1");
  assert.deepEqual([api.last.headers.get("x-trace"), api.last.headers.get("x-key")], ["t", "k3y-canary"]);

  const list = one(result, "list_pets");
  assert.equal(String(list["description"]).length, 480);
  assert.deepEqual(list["auth"], { required: false, type: "api_key", key: "env:KEY_TOKEN", header: "X-Key" });
  await send(list, { filter_name: "a b", tag: ["x", "y"] });
  assert.equal(api.last.line, "GET /v2/pets?filter%5Bname%5D=a%20b&tag=x&tag=y HTTP/1.1");

  // The body has a member of the name of the argument in the path: both arrive where they belong.
  const patch = one(result, "patch_pets_pet_id");
  await send(patch, { pet_id: 7, name: "Rex", body_pet_id: "p" }, { KEY_TOKEN: "k" });
  assert.deepEqual(
    [api.last.line, JSON.parse(api.last.body)],
    ["PATCH /v2/pets/7 HTTP/1.1", { name: "Rex", pet_id: "p" }],
  );
  await send(one(result, "replace_all"), { body: [1, 2] }, { KEY_TOKEN: "k" });
  assert.equal(api.last.body, "[1,2]");
});

test("OpenAPI 3: what cannot be made is named, what contains itself is cut, nothing outside is followed", () => {
  const result = importOpenApi(pets("https://api.example"), options);
  assert.deepEqual(result.warnings, [
    "POST /pets is left out: its body is multipart/form-data, which cannot be sent",
    '"http://evil.example/x" leads out of the document or to nothing, and is not followed',
  ]);
  const properties = (one(result, "patch_pets_pet_id")["schema"] as { input: { properties: JsonObject } }).input
    .properties;
  assert.equal(properties["id"], undefined);
  assert.match(JSON.stringify(properties["mother"]), /Nested as above/);
  assert.equal(JSON.stringify(result.capabilities).includes("$ref"), false);
});

test("Swagger 2: host, basePath, body, forms and basic authentication", async () => {
  await using api = await RawApi.start();
  const result = importOpenApi(
    {
      swagger: "2.0",
      host: `127.0.0.1:${api.port}`,
      basePath: "/base",
      schemes: ["http"],
      consumes: ["application/json"],
      securityDefinitions: { login: { type: "basic" } },
      security: [{ login: [] }],
      paths: {
        "/a/{id}": {
          post: {
            operationId: "make",
            parameters: [
              { name: "id", in: "path", type: "string", required: true },
              { name: "body", in: "body", schema: { type: "object", properties: { n: { type: "integer" } } } },
            ],
          },
        },
        "/form": {
          post: {
            operationId: "form",
            consumes: ["application/x-www-form-urlencoded"],
            parameters: [{ name: "a", in: "formData", type: "string" }],
          },
        },
      },
    },
    { ...options, prefix: "old", authKey: "env:PAIR" },
  );
  await send(one(result, "old_make"), { id: "x", n: 5 }, { PAIR: "me:pa55" });
  assert.deepEqual(
    [api.last.line, api.last.body, api.last.headers.get("authorization")],
    ["POST /base/a/x HTTP/1.1", '{"n":5}', `Basic ${btoa("me:pa55")}`],
  );
  await send(one(result, "old_form"), { a: "1&2" }, { PAIR: "me:pa55" });
  assert.deepEqual(
    [api.last.body, api.last.headers.get("content-type")],
    ["a=1%262", "application/x-www-form-urlencoded"],
  );
});

test("OpenAPI: the best of several securities is taken, logins renew themselves", () => {
  const schemes = {
    basic: { type: "http", scheme: "basic" },
    token: { type: "http", scheme: "bearer" },
    cookie: { type: "apiKey", in: "cookie", name: "c" },
    login: {
      type: "oauth2",
      flows: { clientCredentials: { tokenUrl: "https://id.example/token", scopes: { read: "" } } },
    },
  };
  const authFor = (security: JsonObject[]) =>
    importOpenApi(
      {
        openapi: "3.1.0",
        info: { title: "My API" },
        servers: [{ url: "https://a.example" }],
        components: { securitySchemes: schemes },
        paths: { "/x": { get: { security } } },
      },
      options,
    ).capabilities[0]?.definition["auth"];
  assert.deepEqual(authFor([{ basic: [] }, { token: [] }]), { required: true, type: "bearer", key: "env:TOKEN_TOKEN" });
  assert.deepEqual(authFor([{ cookie: [] }]), { required: false, type: "none" });
  assert.deepEqual(authFor([{ login: [] }]), {
    required: true,
    type: "oauth",
    key: "oauth:my_api",
    token_endpoint: "https://id.example/token",
    scopes: ["read"],
  });
  assert.deepEqual(authFor([]), { required: false, type: "none" });
});

test("OpenAPI: servers may be relative to the document; without any there is a clear reason", () => {
  const document = { openapi: "3.0.0", servers: [{ url: "/api" }], paths: { "/x": { get: {} } } };
  const documentUrl = new URL("https://docs.example/v1/openapi.json");
  const [found] = importOpenApi(document, { ...options, documentUrl }).capabilities;
  assert.match(JSON.stringify(found?.definition), /"base_url":"https:\/\/docs\.example\/api"/);
  assert.match(
    importOpenApi(document, options).warnings[0] ?? "",
    /^GET \/x is left out: it says nowhere to send requests/,
  );
  assert.throws(() => importOpenApi({ info: {} }, options), /This is no OpenAPI 3 or Swagger 2 document/);
});

test("T15: schemas that refer to each other without end stay small", () => {
  const properties = Object.fromEntries(
    Array.from({ length: 30 }, (_, at) => [`p${at}`, { $ref: `#/components/schemas/S${at}` }]),
  );
  const schemas = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`S${at}`, { type: "object", properties }]));
  const schema = { $ref: "#/components/schemas/S0" };
  const result = importOpenApi(
    {
      openapi: "3.0.0",
      servers: [{ url: "https://a.example" }],
      components: { schemas },
      paths: { "/x": { post: { requestBody: { content: { "application/json": { schema } } } } } },
    },
    options,
  );
  assert.ok(JSON.stringify(result.capabilities).length < 1_000_000);
});

test("OpenAPI: a schema of thousands of values is cut from below, and stays one that can be used", async () => {
  const leaf = {
    type: "object",
    required: ["a"],
    properties: { a: { type: "string", enum: ["x", "y"] }, b: { type: "integer" } },
  };
  const level = (name: string) => ({
    type: "object",
    properties: Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => [
        `${name}${at}`,
        { $ref: `#/components/schemas/${name}`, description: "d" },
      ]),
    ),
  });
  const { capabilities } = importOpenApi(
    {
      openapi: "3.0.0",
      servers: [{ url: "https://a.example" }],
      components: { schemas: { Top: level("Mid"), Mid: level("Low"), Low: level("Leaf"), Leaf: leaf } },
      paths: {
        "/x": {
          post: { requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Top" } } } } },
        },
      },
    } as unknown as JsonObject,
    options,
  );
  const { files, warnings } = await capabilityTexts(capabilities);
  assert.deepEqual([files.length, warnings], [1, []]);
  const definition = one({ capabilities, warnings: [] }, "post_x");
  const { properties } = (definition["schema"] as { input: { properties: Record<string, JsonObject> } }).input;
  const all = Object.values(properties).map((property) => JSON.stringify(property));
  assert.equal(all.length, 12);
  assert.equal(
    new Set(all.map((text) => text.replaceAll(/\d+/g, ""))).size,
    1,
    "the last is cut no more than the first",
  );
  assert.match(all[11] as string, /"Low11":\{"type":"object"/);
});

test("identifier: any operationId becomes a plain name", () => {
  assert.deepEqual(["getUserByID", "list pets!", "/a/{b}/c", "HTTPServer", "ünï"].map(identifier), [
    "get_user_by_id",
    "list_pets",
    "a_b_c",
    "httpserver",
    "n",
  ]);
});
