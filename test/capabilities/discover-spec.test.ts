import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSchema, introspectionFromSchema } from "graphql";
import { discoverSpec, type FoundSpec } from "../../src/capabilities/import/discover-spec.ts";
import { Refusal } from "../../src/capabilities/refusal.ts";
import { targetCheck } from "../../src/capabilities/ssrf.ts";
import { type RawAnswer, RawApi } from "./raw-api.ts";

const openapi = JSON.stringify({ openapi: "3.1.0", paths: {} });
const html = { "content-type": "text/html" };
const schema = { data: introspectionFromSchema(buildSchema("type Query { a: Int }")) };

interface Outcome {
  readonly found: FoundSpec | undefined;
  readonly lines: readonly string[];
  /** `GET /path`, in order. */
  readonly asked: readonly string[];
}

/** @param site answers by `GET /path`; everything else is 404 */
async function discover(path: string, site: Readonly<Record<string, RawAnswer>>): Promise<Outcome> {
  await using api = await RawApi.start(
    ({ line }) => site[line.replace(" HTTP/1.1", "")] ?? { status: 404, body: "no" },
  );
  const lines: string[] = [];
  const found = await discoverSpec(new URL(path, api.origin), {
    checkTarget: targetCheck(true),
    tell: (line) => lines.push(line.replaceAll(api.origin, "")),
  });
  return { found, lines, asked: api.requests.map(({ line }) => line.replace(" HTTP/1.1", "")) };
}

test("discoverSpec: the address itself, JSON or YAML", async () => {
  const { found, lines, asked } = await discover("/v1/spec", { "GET /v1/spec": { body: openapi } });
  assert.deepEqual([found?.kind, found?.url.pathname, found?.isEndpoint], ["openapi", "/v1/spec", false]);
  assert.deepEqual([lines, asked], [["GET /v1/spec: found an OpenAPI document"], ["GET /v1/spec"]]);
  const yaml = { headers: { "content-type": "text/plain" }, body: 'swagger: "2.0"\npaths: {}\n' };
  assert.equal((await discover("/s", { "GET /s": yaml })).found?.document["swagger"], "2.0");
});

test("discoverSpec: what a page, a header, a catalog or a configuration says", async () => {
  const pages: Record<string, RawAnswer> = {
    link: { headers: html, body: '<html><link href="../real" rel="alternate service-desc"><a href="x">y</a>' },
    header: { headers: { ...html, link: '<a>; rel="next", </real>; rel="service-desc"' }, body: "<html>" },
    redoc: { headers: html, body: "<redoc spec-url='/real' lazy></redoc>" },
    scalar: { headers: html, body: '<script id="api-reference" data-url="/real"></script>' },
    inline: { headers: html, body: '<script>SwaggerUIBundle({ "url" : "/real", dom_id: "#x" })</script>' },
    fastapi: { headers: html, body: "<script>const ui = SwaggerUIBundle({url: '/real',layout: 'x'})</script>" },
    anchor: { headers: html, body: '<a class=x href="/files/openapi-v3.yaml?raw=1">spec</a>' },
    initializer: { headers: html, body: '<script src="./swagger-initializer.js" charset="UTF-8"> </script>' },
    springdoc: { headers: html, body: '<script>ui({ configUrl: "/v3/api-docs/swagger-config" })</script>' },
  };
  const site = {
    "GET /real": { body: openapi },
    "GET /files/openapi-v3.yaml?raw=1": { body: openapi },
    "GET /ui/swagger-initializer.js": {
      headers: { "content-type": "text/javascript" },
      body: 'window.ui({urls: [{url: "/real", name: "a"}]})',
    },
    "GET /v3/api-docs/swagger-config": { body: '{"urls":[{"name":"x","url":"/real"}]}' },
  };
  for (const [name, page] of Object.entries(pages)) {
    const { found, asked } = await discover("/ui/", { ...site, "GET /ui/": page });
    assert.deepEqual([found?.kind, asked.length <= 3], ["openapi", true], `${name}: ${asked}`);
  }
  const linkset = {
    linkset: [{ anchor: "https://x.example", "service-desc": [{ href: "/real", type: "application/json" }] }],
  };
  const catalog = await discover("/", { ...site, "GET /.well-known/api-catalog": { body: JSON.stringify(linkset) } });
  assert.deepEqual(catalog.lines.slice(1), [
    "GET /.well-known/api-catalog: leads to 1 more",
    "GET /real: found an OpenAPI document",
  ]);
});

test("discoverSpec: the usual places below the address and at the root, then GraphQL; all of it is told, and bounded", async () => {
  const below = await discover("/shop", { "GET /shop/v3/api-docs": { body: openapi } });
  assert.equal(below.found?.url.pathname, "/shop/v3/api-docs");
  const root = await discover("/shop/page.html", { "GET /swagger.json": { body: openapi } });
  assert.equal(root.found?.url.pathname, "/swagger.json");

  const graphql = await discover("/shop", { "POST /graphql": { body: JSON.stringify(schema) } });
  assert.deepEqual(
    [graphql.found?.kind, graphql.found?.isEndpoint, graphql.found?.url.pathname],
    ["graphql", true, "/graphql"],
  );
  const endpoint = await discover("/api/graphql", { "POST /api/graphql": { body: JSON.stringify(schema) } });
  assert.deepEqual(endpoint.asked, ["POST /api/graphql"]);
  const saved = await discover("/saved.json", { "GET /saved.json": { body: JSON.stringify(schema) } });
  assert.deepEqual([saved.found?.kind, saved.found?.isEndpoint], ["graphql", false]);

  const links = Array.from({ length: 200 }, (_, at) => `<a href="/p${at}/openapi.json">x</a>`).join("");
  const pages = Object.fromEntries(
    Array.from({ length: 200 }, (_, at) => [`GET /p${at}/openapi.json`, { headers: html, body: links }]),
  );
  const nothing = await discover("/docs/", { "GET /docs/": { headers: html, body: links }, ...pages });
  assert.equal(nothing.found, undefined);
  assert.ok(nothing.asked.length <= 40, String(nothing.asked.length));
  assert.equal(new Set(nothing.asked).size, nothing.asked.length, "nothing is asked twice");
  assert.equal(nothing.lines.length, nothing.asked.length);
  assert.ok(nothing.asked.includes("POST /graphql"), "GraphQL is asked for, however many links there are");
});

test("discoverSpec: a dead host is left alone, private addresses are not asked, nor by a link or a redirect", async () => {
  const api = await RawApi.start();
  const { origin } = api;
  await api[Symbol.asyncDispose]();
  const lines: string[] = [];
  const tell = (line: string) => void lines.push(line);
  assert.equal(await discoverSpec(new URL(origin), { checkTarget: targetCheck(true), tell }), undefined);
  assert.equal(lines.length, 3);

  await assert.rejects(discoverSpec(new URL("http://127.0.0.1/x"), { checkTarget: targetCheck(false), tell }), Refusal);
  const inside = await RawApi.start(() => ({ body: openapi }));
  await using outside = await RawApi.start(({ line }) =>
    line.startsWith("GET /away")
      ? { status: 302, headers: { location: `${inside.origin}/openapi.json` } }
      : { headers: html, body: `<redoc spec-url="${inside.origin}/openapi.json"></redoc><redoc spec-url="/away">` },
  );
  // As the guard sees it, one of the two hosts is public.
  const checkTarget = async (url: URL) => {
    if (url.origin === inside.origin) throw new Refusal("It is a private or reserved address");
    return undefined;
  };
  lines.length = 0;
  assert.equal(await discoverSpec(new URL(outside.origin), { checkTarget, tell }), undefined);
  assert.equal(inside.requests.length, 0);
  assert.match(lines[1] as string, /: It is a private or reserved address$/);
  assert.match(
    lines[2] as string,
    /\/away: "127\.0\.0\.1:\d+" redirects to "http:\/\/127\.0\.0\.1:\d+", which is not followed$/,
  );
  await inside[Symbol.asyncDispose]();
});
