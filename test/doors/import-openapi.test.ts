import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RawApi } from "../capabilities/raw-api.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { errorOf, testApp } from "./http-client.ts";

const spec = {
  openapi: "3.0.0",
  servers: [{ url: "https://pets.example" }],
  paths: {
    "/pets": { get: { operationId: "listPets", summary: "All pets", parameters: [{ name: "limit", in: "query" }] } },
    "/pets/{id}": { delete: { operationId: "../remove", summary: "Takes a pet away" } },
  },
};

function office(
  t: TestContext,
  sections: { auth?: boolean; ssrf?: boolean; directories?: string[]; enabled?: boolean },
) {
  const folder = mkdtempSync(join(tmpdir(), "gateway-import-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const gateway = fakeGateway(sections.auth === false ? {} : { auth: { enabled: true, bearer_token: "admin-token" } });
  const capabilities = {
    enabled: sections.enabled ?? true,
    directories: sections.directories ?? [join(folder, "caps")],
  };
  gateway.config = {
    ...gateway.config,
    capabilities,
    security: { ssrf_protection: sections.ssrf ?? true },
  } as unknown as typeof gateway.config;
  const { ask } = testApp(gateway);
  const headers = { "content-type": "application/json", authorization: "Bearer admin-token" };
  const post = (path: string, body: unknown) => ask(`/ui/api/import/openapi${path}`, { method: "POST", headers, body });
  return { folder, post };
}

test("import: what would be written is shown, then written, and nothing is replaced", async (t) => {
  const { folder, post } = office(t, {});
  const body = { spec, prefix: "shop", auth_key: "env:SHOP" };
  const preview = (await (await post("/preview", body)).json()) as { capabilities: { name: string; yaml: string }[] };
  assert.deepEqual(
    preview.capabilities.map(({ name }) => name),
    ["shop_list_pets", "shop_remove"],
  );
  assert.equal(existsSync(join(folder, "caps")), false);
  const made = await post("", { ...body, spec: JSON.stringify(spec) });
  assert.equal(made.status, 201);
  assert.deepEqual(readdirSync(join(folder, "caps")).sort(), ["shop_list_pets.yaml", "shop_remove.yaml"]);
  assert.equal(readFileSync(join(folder, "caps/shop_remove.yaml"), "utf8"), preview.capabilities[1]?.yaml);
  rmSync(join(folder, "caps/shop_list_pets.yaml"));
  const again = await post("", body);
  assert.deepEqual([again.status, (await errorOf(again)).message], [409, 'There is a file "shop_remove.yaml" already']);
  assert.deepEqual(readdirSync(join(folder, "caps")), ["shop_remove.yaml"]);
});

test("import: two at once are one after the other", async (t) => {
  const { folder, post } = office(t, {});
  const answers = await Promise.all([post("", { spec }), post("", { spec })]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409]);
  assert.equal(readdirSync(join(folder, "caps")).length, 2);
});

test("import: a document by its address, with the guard against private ones", async (t) => {
  await using api = await RawApi.start(() => ({ body: JSON.stringify({ ...spec, servers: [{ url: "/v1" }] }) }));
  const url = `${api.origin}/openapi.json`;
  const refused = await office(t, {}).post("/preview", { url });
  assert.equal(refused.status, 422);
  assert.match((await errorOf(refused)).message, /private or reserved address/);
  assert.equal(api.requests.length, 0);
  const open = (await (await office(t, { ssrf: false }).post("/preview", { url })).json()) as {
    capabilities: { yaml: string }[];
  };
  assert.match(open.capabilities[0]?.yaml ?? "", new RegExp(`base_url: ${api.origin}/v1\n`));
});

test("import: without authentication nothing is written, whatever is wrong is one clear answer", async (t) => {
  const anonymous = office(t, { auth: false });
  assert.equal((await anonymous.post("/preview", { spec })).status, 200);
  const refused = await anonymous.post("", { spec });
  assert.deepEqual([refused.status, existsSync(join(anonymous.folder, "caps"))], [403, false]);
  assert.match((await errorOf(refused)).message, /only where auth\.enabled is true/);

  const { folder, post } = office(t, {});
  const wrong: [unknown, RegExp][] = [
    [{}, /either "spec", the document, or "url"/],
    [{ spec, url: "https://a.example" }, /either "spec"/],
    [{ spec: 7 }, /"spec" must be a text or an object/],
    [{ spec: "a: [" }, /spec:1:\d+ /],
    [{ spec: "openapi: 3.0.0\n__proto__: {}" }, /"__proto__" is not allowed/],
    [{ spec: { openapi: "2.0" } }, /This is no OpenAPI 3/],
    [{ spec: { openapi: "3.0.0", paths: {} } }, /No operation could be made into a capability/],
    [{ spec, auth_key: "sk-canary" }, /must be given as where it is/],
    [{ spec, folder: "/etc" }, /"folder" is not one of spec, url, prefix, auth_key/],
    [{ url: "file:///etc/passwd" }, /http or https address/],
    [{ spec, prefix: ["x"] }, /"prefix" must be a text/],
  ];
  for (const [body, message] of wrong) {
    const response = await post("", body);
    const error = await errorOf(response);
    assert.deepEqual([response.status, message.test(error.message)], [422, true], error.message);
    assert.doesNotMatch(error.message, /canary/);
  }
  assert.deepEqual(readdirSync(folder), []);
  assert.equal((await office(t, { enabled: false }).post("", { spec })).status, 503);
  assert.equal((await office(t, { directories: [] }).post("", { spec })).status, 503);
});

test("import: a folder that cannot be written is said so", async (t) => {
  const { folder, post } = office(t, {});
  writeFileSync(join(folder, "caps"), "a file where the folder should be");
  const response = await post("", { spec });
  assert.equal(response.status, 503);
  assert.deepEqual(readdirSync(folder), ["caps"]);
});
