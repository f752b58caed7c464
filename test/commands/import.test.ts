import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildSchema, graphqlSync } from "graphql";
import { RawApi } from "../capabilities/raw-api.ts";
import { house } from "./run-main.ts";

const open = "security: {ssrf_protection: false}\n";
const document = {
  openapi: "3.0.0",
  servers: [{ url: "/api" }],
  paths: {
    "/cities/{city}": {
      get: {
        operationId: "getCity",
        summary: "Facts of a city, such as its size",
        parameters: [{ name: "city", in: "path", required: true, schema: { type: "string" }, description: "Its name" }],
      },
    },
    "/cities": { post: { operationId: "addCity", summary: "Adds a city to those that are known" } },
  },
};
const petShop = {
  info: { name: "Pets", schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
  item: [
    {
      name: "list pets",
      event: [{}],
      request: { url: "{{host}}/pets?limit=5", header: [{ key: "X-Token", value: "sk-canary" }] },
    },
  ],
};
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

test("cap import-url: finds the document, says what was asked, and makes files that can be called", async (t) => {
  await using api = await RawApi.start(({ line }) => {
    if (line.startsWith("GET /docs "))
      return { headers: { "content-type": "text/html" }, body: '<redoc spec-url="/spec.json">' };
    if (line.startsWith("GET /spec.json")) return { body: JSON.stringify(document) };
    return line.includes("/api/") ? { body: '{"size":1}' } : { status: 404 };
  });
  const { folder, run } = house(t);
  const refused = await run("cap", "import-url", `${api.origin}/docs`);
  assert.deepEqual([refused.code, refused.out, api.requests.length], [1, "", 0]);
  assert.match(refused.err, /private or reserved address\nThe operator .+ security\.ssrf_protection: false\n$/);

  writeFileSync(join(folder, "gateway.yaml"), open);
  const dry = await run(
    "cap",
    "import-url",
    `${api.origin}/docs`,
    "-p",
    "geo",
    "--max-endpoints",
    "1",
    "--dry-run",
    "--cost-per-call",
    "0.01",
  );
  assert.equal(
    dry.out,
    `Would create capabilities/geo_get_city.yaml

For gateway.yaml, so that these costs are counted:
cost_governance:
  enabled: true
  tool_costs:
    gateway:geo_get_city: 0.01
`,
  );
  assert.equal(
    dry.err,
    `GET ${api.origin}/docs: leads to 1 more
GET ${api.origin}/spec.json: found an OpenAPI document
1 more operations are left out: 1 are the most
`,
  );
  assert.equal(existsSync(join(folder, "capabilities")), false);
  const made = await run("cap", "import-url", `${api.origin}/docs`, "-p", "geo", "--auth", "env:KEY");
  assert.deepEqual(made.out, "Created capabilities/geo_get_city.yaml\nCreated capabilities/geo_add_city.yaml\n");
  const called = await run("tool", "invoke", "geo_get_city", "city=Oulu");
  assert.deepEqual([JSON.parse(called.out), api.last.line], [{ size: 1 }, "GET /api/cities/Oulu HTTP/1.1"]);
  const valid = await run("cap", "validate", "capabilities/geo_get_city.yaml", "capabilities/geo_add_city.yaml");
  assert.deepEqual([valid.code, valid.err], [0, ""]);
  const again = await run("cap", "import-url", `${api.origin}/docs`, "-p", "geo");
  assert.deepEqual([again.code, again.out], [1, ""]);
  assert.match(again.err, /"capabilities\/geo_get_city\.yaml" already exists: use --force/);
});

test("cap import-url: GraphQL by introspection, from its address alone", async (t) => {
  const schema = buildSchema(
    `type Query { "A city by its name" city(name: String!): City } type City { name: String size: Int }`,
  );
  const rootValue = { city: ({ name }: { name: string }) => ({ name, size: 3 }) };
  await using api = await RawApi.start(({ line, body }) => {
    if (!line.startsWith("POST /graphql ")) return { status: 404 };
    const { query, variables } = JSON.parse(body);
    return { body: JSON.stringify(graphqlSync({ schema, source: query, variableValues: variables, rootValue })) };
  });
  const { folder, run } = house(t);
  writeFileSync(join(folder, "gateway.yaml"), open);
  const made = await run("cap", "import-url", `${api.origin}/graphql`);
  assert.deepEqual(
    [made.out, made.err],
    ["Created capabilities/city.yaml\n", `POST ${api.origin}/graphql: found a GraphQL schema\n`],
  );
  const called = await run("tool", "invoke", "city", "name=Oulu");
  assert.deepEqual(JSON.parse(called.out), { data: { city: { name: "Oulu", size: 3 } } });
});

test("cap import-url: nothing found, and what is no address or number, are said", async (t) => {
  await using api = await RawApi.start(() => ({ status: 404 }));
  const { folder, run } = house(t);
  writeFileSync(join(folder, "gateway.yaml"), open);
  const nothing = await run("cap", "import-url", api.origin);
  assert.deepEqual([nothing.code, nothing.out], [1, ""]);
  assert.match(
    nothing.err,
    /\nPOST .+\/graphql: The API answered HTTP 404\n[\s\S]+\nNothing at ".+" describes an API: /,
  );
  const [file, endpoints, cost, key] = await Promise.all([
    run("cap", "import-url", "file:///etc/passwd"),
    run("cap", "import-url", api.origin, "--max-endpoints", "0"),
    run("cap", "import-url", api.origin, "--cost-per-call", "cheap"),
    run("cap", "import", "gateway.yaml", "--auth-key", "sk-canary"),
  ]);
  assert.deepEqual([file.code, endpoints.code, cost.code, key.code], [2, 2, 2, 1]);
  assert.match(file.err, /^URL must be an http or https address/);
  assert.match(endpoints.err, /^--max-endpoints must be a number of at least 1, not "0"/);
  assert.match(cost.err, /^--cost-per-call must be a number of at least 0, not "cheap"/);
  assert.match(key.err, /The key must be given as where it is, e\.g\. env:API_KEY/);
  assert.doesNotMatch(key.err, /canary/);
});

test("cap import: a Postman collection and an introspection are told by what they are", async (t) => {
  const { folder, run } = house(t);
  writeFileSync(join(folder, "pets.json"), JSON.stringify(petShop));
  const made = await run("cap", "import", "pets.json", "-p", "shop");
  assert.equal(made.out, "Created capabilities/shop_list_pets.yaml\n");
  assert.match(made.err, /^Scripts \(1\) .+\nSecrets of the collection are not carried over: set PETS_X_TOKEN\n/);
  assert.match(
    readFileSync(join(folder, "capabilities/shop_list_pets.yaml"), "utf8"),
    /base_url: "\{env\.PETS_HOST\}"/,
  );
  const schema = buildSchema("type Query { count: Int }");
  const introspected = graphqlSync({
    schema,
    source: "{__schema{queryType{name} types{kind name fields{name args{name} type{kind name}}}}}",
  });
  writeFileSync(join(folder, "towns.json"), JSON.stringify(introspected));
  assert.equal((await run("cap", "import", "towns.json")).code, 0);
  assert.match(readFileSync(join(folder, "capabilities/count.yaml"), "utf8"), /endpoint: "\{env\.TOWNS_URL\}"/);
});

test("import preview, import apply: drafts that no gateway loads, with a manifest of where they came from", async (t) => {
  const { folder, run } = house(t);
  const text = `\ufeff${JSON.stringify(petShop)}`;
  writeFileSync(join(folder, "My Pets.json"), text);
  const table = await run("import", "preview", "--kind", "postman", "My Pets.json");
  assert.match(table.out, /^NAME +SHA-256 +DESCRIPTION\nlist_pets +[0-9a-f]{12} +list pets \(Pets\)\n$/);
  assert.equal(existsSync(join(folder, "capability-drafts")), false);

  const applied = await run("import", "apply", "--kind", "postman", "My Pets.json");
  assert.equal(
    applied.out,
    `Created capability-drafts/My-Pets/list_pets.yaml
Created capability-drafts/My-Pets/manifest.json
Drafts are off: read them, then move them into a folder of capabilities.directories
`,
  );
  const at = (name: string) => join(folder, "capability-drafts/My-Pets", name);
  const { created_at, ...manifest } = JSON.parse(readFileSync(at("manifest.json"), "utf8"));
  assert.ok(Date.now() - Date.parse(created_at) < 60_000);
  const draft = readFileSync(at("list_pets.yaml"), "utf8");
  assert.deepEqual(manifest, {
    version: 1,
    source: { name: "My-Pets", kind: "postman", file: "My Pets.json", sha256: sha256(text) },
    drafts: [{ name: "list_pets", file: "list_pets.yaml", sha256: sha256(draft) }],
    notes: ["Scripts (1) are not carried over", "Secrets of the collection are not carried over: set PETS_X_TOKEN"],
  });
  assert.doesNotMatch(draft, /canary/);
  const preview = JSON.parse((await run("import", "preview", "--kind", "postman", "My Pets.json", "-f", "json")).out);
  assert.deepEqual(preview.drafts, [{ name: "list_pets", sha256: sha256(draft), yaml: draft }]);
  assert.doesNotMatch((await run("tool", "list")).out, /list_pets/);

  writeFileSync(at("list_pets.yaml"), "mine");
  const again = await run("import", "apply", "--kind", "postman", "My Pets.json");
  assert.deepEqual([again.code, readFileSync(at("list_pets.yaml"), "utf8")], [1, "mine"]);
  assert.match(again.err, /already exists: use --force/);
  const forced = await run("import", "apply", "--kind", "postman", "My Pets.json", "--force", "-f", "json");
  assert.deepEqual([JSON.parse(forced.out).drafts.length, readFileSync(at("list_pets.yaml"), "utf8")], [1, draft]);
});

test("import apply: refuses a folder whose files are tools, names that are no folders, and kinds it does not know", async (t) => {
  const { folder, run } = house(t);
  writeFileSync(join(folder, "pets.json"), JSON.stringify(petShop));
  mkdirSync(join(folder, "capabilities"));
  symlinkSync(join(folder, "capabilities"), join(folder, "elsewhere"));
  const apply = (...more: string[]) => run("import", "apply", "--kind", "postman", "pets.json", ...more);
  const [inside, linked, climbing, hidden] = await Promise.all([
    apply("-o", "capabilities/drafts"),
    apply("-o", "elsewhere"),
    apply("--source-name", "../up"),
    apply("--source-name", ".git"),
  ]);
  assert.match(inside.err, /^"capabilities\/drafts\/pets" lies in "capabilities", whose files are tools at once/);
  assert.match(linked.err, /^"elsewhere\/pets" lies in "capabilities"/);
  assert.match(climbing.err, /^--source-name must be letters/);
  assert.match(hidden.err, /^--source-name must be letters/);
  assert.deepEqual([inside.code, linked.code, climbing.code, hidden.code], [1, 1, 2, 2]);
  const [missing, package_, other, unknown] = await Promise.all([
    run("import", "preview", "pets.json"),
    run("import", "preview", "--kind", "oci-mcp-package", "pets.json"),
    run("import", "preview", "--kind", "openapi", "pets.json"),
    apply("--context-integrity-profile", "x"),
  ]);
  assert.match(missing.err, /^--kind is missing: openapi, graphql or postman/);
  assert.match(package_.err, /^--kind must be one of openapi, graphql, postman, not "oci-mcp-package"/);
  assert.match(other.err, /^"pets\.json" cannot be imported: This is no OpenAPI 3 or Swagger 2 document/);
  assert.match(unknown.err, /^Unknown option "--context-integrity-profile"/);
  assert.deepEqual(
    readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .sort(),
    ["capabilities", "elsewhere", "pets.json"],
  );
  assert.deepEqual(readdirSync(join(folder, "capabilities")), []);
});

test("cap discover: is setup discover", async (t) => {
  const { folder, run } = house(t);
  writeFileSync(
    join(folder, ".claude.json"),
    JSON.stringify({ mcpServers: { mem: { command: "npx", args: ["-y", "mem"] } } }),
  );
  const [ours, theirs] = await Promise.all(
    ["cap", "setup"].map((group) => run(group, "discover", "--no-processes", "-f", "json")),
  );
  assert.equal(JSON.parse(ours?.out ?? "")[0].name, "mem");
  assert.deepEqual(ours, theirs);
});
