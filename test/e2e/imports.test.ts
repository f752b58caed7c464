/** Capabilities made of what describes an API, from the command or the request to the call of a client. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { buildSchema, graphqlSync } from "graphql";
import { RawApi } from "../capabilities/raw-api.ts";
import { binaryPath, endedWithTests, environmentIn, type GatewayProcess, startGateway } from "./harness.ts";

const token = "t0ken-of-tests";
const schema = buildSchema(`
  type Query { "A city by its name" city(name: String!, tags: [Tag!]): City }
  enum Tag { BIG OLD }
  type City { name: String! size: Int tags: [Tag!] }
`);
const rootValue = { city: (args: { name: string; tags: string[] }) => ({ ...args, size: 3 }) };
const openapi = {
  openapi: "3.0.0",
  servers: [{ url: "/v1" }],
  paths: {
    "/towns": {
      get: {
        operationId: "listTowns",
        summary: "All towns there are",
        parameters: [{ name: "limit", in: "query", schema: { type: "integer" } }],
      },
    },
  },
};
let api: RawApi;
let gateway: GatewayProcess;

before(async () => {
  api = await RawApi.start(({ line, body, headers }) => {
    if (line.startsWith("POST /graphql ")) {
      const { query, variables } = JSON.parse(body);
      return { body: JSON.stringify(graphqlSync({ schema, source: query, variableValues: variables, rootValue })) };
    }
    if (line.startsWith("GET /openapi.json ")) return { body: JSON.stringify(openapi) };
    if (line.includes(" /v1/") || line.includes(" /pets"))
      return { body: JSON.stringify({ line, key: headers.get("x-key") }) };
    return { status: 404 };
  });
  gateway = await startGateway(
    {
      auth: { enabled: true, bearer_token: token },
      capabilities: { directories: ["capabilities"] },
      security: { ssrf_protection: false },
    },
    { env: { PETS_X_KEY: "k3y-canary", PETS_HOST: api.origin } },
  );
});

after(async () => {
  await gateway.stop();
  await api[Symbol.asyncDispose]();
});

async function run(...args: string[]) {
  const child = endedWithTests(
    spawn(binaryPath, args, {
      cwd: gateway.folder,
      env: environmentIn(gateway.folder),
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { out, err, code: code as number };
}

const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };

async function invoke(tool: string, args: object = {}): Promise<string> {
  const response = await fetch(`${gateway.url}/ui/api/tools/call`, {
    method: "POST",
    headers,
    body: JSON.stringify({ server: "gateway", tool, arguments: args }),
  });
  return response.text();
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`It did not come true: ${holds}\n${gateway.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("cap import-url: a GraphQL API becomes tools of the running gateway", async () => {
  const made = await run("cap", "import-url", `${api.origin}/graphql`, "-p", "geo");
  assert.deepEqual([made.code, made.out], [0, "Created capabilities/geo_city.yaml\n"]);
  const args = { name: "Oulu", tags: ["BIG"] };
  await eventually(async () => (await invoke("geo_city", args)).includes("Oulu"));
  const sent = JSON.parse(api.last.body);
  assert.deepEqual(sent, {
    query:
      "query city($name: String!, $tags: [Tag!]) {\n  city(name: $name, tags: $tags) {\n    name\n    size\n    tags\n  }\n}\n",
    variables: args,
  });
  const checked = await Promise.all([
    run("cap", "validate", "capabilities/geo_city.yaml"),
    run("cap", "lint", "capabilities"),
  ]);
  assert.deepEqual(
    checked.map(({ code }) => code),
    [0, 0],
  );
});

test("/ui/api/import/openapi: preview, write, and the tool is there", async () => {
  const post = (path: string, body: object) =>
    fetch(`${gateway.url}/ui/api/import/openapi${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const body = { url: `${api.origin}/openapi.json`, prefix: "shop" };
  const preview = (await (await post("/preview", body)).json()) as { capabilities: { name: string }[] };
  assert.deepEqual(
    preview.capabilities.map(({ name }) => name),
    ["shop_list_towns"],
  );
  assert.equal(existsSync(join(gateway.folder, "capabilities/shop_list_towns.yaml")), false);
  assert.equal((await post("", body)).status, 201);
  assert.equal((await post("", body)).status, 409);
  await eventually(async () => (await invoke("shop_list_towns", { limit: 2 })).includes("/v1/towns"));
  assert.equal(api.last.line, "GET /v1/towns?limit=2 HTTP/1.1");
  const anonymous = await fetch(`${gateway.url}/ui/api/import/openapi`, { method: "POST", body: "{}" });
  assert.equal(anonymous.status, 401);
});

test("import apply: a Postman collection as drafts, which are tools when they are moved", async () => {
  const collection = {
    info: { name: "Pets", schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
    item: [
      { name: "list pets", request: { url: "{{host}}/pets?limit=5", header: [{ key: "X-Key", value: "sk-canary" }] } },
    ],
  };
  writeFileSync(join(gateway.folder, "pets.json"), JSON.stringify(collection));
  const preview = await run("import", "preview", "--kind", "postman", "pets.json");
  assert.match(preview.out, /^NAME .+\nlist_pets /);
  const applied = await run("import", "apply", "--kind", "postman", "pets.json");
  assert.deepEqual(
    [applied.code, readdirSync(join(gateway.folder, "capability-drafts/pets"))],
    [0, ["list_pets.yaml", "manifest.json"]],
  );
  assert.doesNotMatch(applied.out + applied.err, /canary/);
  assert.doesNotMatch((await run("tool", "list")).out, /list_pets/);
  const inside = await run("import", "apply", "--kind", "postman", "pets.json", "-o", "capabilities");
  assert.match(inside.err, /whose files are tools at once/);
  const [from, to] = ["capability-drafts/pets", "capabilities"].map((path) =>
    join(gateway.folder, path, "list_pets.yaml"),
  );
  renameSync(from as string, to as string);
  await eventually(async () => (await invoke("list_pets")).includes("/pets?limit=5"));
  assert.deepEqual([api.last.line, api.last.headers.get("x-key")], ["GET /pets?limit=5 HTTP/1.1", "k3y-canary"]);
});
