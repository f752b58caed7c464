/** The capabilities that travel with the program. */
import assert from "node:assert/strict";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { embedPlugin } from "../../deploy/embed-plugin.ts";
import { readDocument } from "../../src/capabilities/load.ts";
import { isJsonObject, type JsonObject } from "../../src/lib/json.ts";
import { embeddedFiles } from "../../src/runtime/embedded.ts";
import { httpExpectations, keyHeaders, ownHeaders, programExpectations } from "./builtin-expectations.ts";
import { call, Folder, KeptLog, listTools, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

test("built-in: all load without a warning, and say when to use them and with what", async () => {
  const log = new KeptLog();
  await using upstream = upstreamOver([], { builtin: true, log });
  const tools = await listTools(upstream);
  assert.deepEqual(log.lines, []);
  const names = tools.map(({ name }) => name as string);
  assert.deepEqual(names, Object.keys({ ...httpExpectations, ...programExpectations }).sort());
  for (const { name, description, inputSchema, _meta } of tools) {
    const { properties, additionalProperties } = inputSchema as JsonObject;
    assert.ok(String(description).length > 40 && String(description).length < 400, String(name));
    assert.equal(additionalProperties, false, String(name));
    for (const [argument, schema] of Object.entries(properties as JsonObject))
      assert.ok(isJsonObject(schema) && schema["description"], `${name}.${argument}`);
    assert.ok(Array.isArray((_meta as JsonObject)["mcp-gateway/keywords"]), String(name));
  }
});

test("built-in: what reads is marked so, and what changes something says how much", async () => {
  await using upstream = upstreamOver([], { builtin: true });
  const changing = (await listTools(upstream)).filter(
    ({ annotations }) => !(annotations as JsonObject)["readOnlyHint"],
  );
  assert.deepEqual(
    changing
      .map(({ name }) => name)
      .filter(
        (name) => !/create|add|send|post|append|write|insert|reply|forward|comment|save|attach/.test(String(name)),
      ),
    ["cloudflare_purge_cache", "gmail_batch_modify", "gmail_modify", "linear_update_issue"],
  );
  for (const { name, annotations } of changing) {
    const { destructiveHint } = annotations as JsonObject;
    assert.equal(destructiveHint, /purge|modify|update/.test(String(name)), String(name));
  }
});

test("built-in: each lies in the folder of its category, under its own name", async () => {
  for (const [path, text] of await embeddedFiles("capabilities")) {
    const { value } = await readDocument(path, text);
    const { name, metadata } = value as { name: string; metadata: { category: string } };
    assert.equal(path, `${metadata.category}/${name}.yaml`);
  }
});

/** Every variable any of them names, so that a wrong name shows as a missing key. */
async function allVariables(): Promise<Record<string, string>> {
  const texts = [...(await embeddedFiles("capabilities")).values()].join("\n");
  const names = [...texts.matchAll(/env[:.]([A-Z][A-Z0-9_]*)/g)].map(([, name]) => name as string);
  return Object.fromEntries(names.filter((name) => !name.startsWith("G")).map((name) => [name, `${name}-value`]));
}

function expectedKey(url: string): readonly [string, string] | undefined {
  const found = Object.keys(keyHeaders).find((prefix) => url.startsWith(`https://${prefix}`));
  return found === undefined ? undefined : keyHeaders[found];
}

test("built-in: each asks its API as that documents it, byte by byte", async (context) => {
  await using api = await RawApi.start(({ line }) =>
    line.includes("/oauth2.googleapis.com/token") ? { body: '{"access_token":"google-token","expires_in":3600}' } : {},
  );
  // Requests go to a server of the test; where they were meant to go is the beginning of the path there.
  const real = globalThis.fetch;
  context.mock.method(globalThis, "fetch", (url: URL, init: RequestInit) => {
    const host = new Headers(init.headers).get("host") ?? url.host;
    return real(`${api.origin}/${url.protocol}//${host}${url.pathname}${url.search}`, init);
  });
  const env = {
    ...(await allVariables()),
    GITHUB_TOKEN: "GITHUB_TOKEN-value",
    GOOGLE_API_KEY: "GOOGLE_API_KEY-value",
    GEMINI_API_KEY: "GEMINI_API_KEY-value",
    GOOGLE_CLIENT_ID: "id",
    GOOGLE_CLIENT_SECRET: "secret",
    GOOGLE_REFRESH_TOKEN: "refresh",
  };
  await using upstream = upstreamOver([], {
    builtin: true,
    env,
    ssrfProtection: true,
    resolveHost: async () => ["93.184.216.34"],
  });
  for (const [name, [args, request, body]] of Object.entries(httpExpectations)) {
    const before = api.requests.length;
    const { text } = await call(upstream, name, args);
    assert.ok(api.requests.length > before, `${name} sent nothing: ${text}`);
    const sent = api.last;
    const [method = "", path = ""] = sent.line.split(" ");
    const url = path.replace(/^\/https:\/\//, "https://");
    assert.equal(
      `${method} ${url}`,
      request.replace(/https:\/\/[^/]+/, (host) => host.toLowerCase()),
      name,
    );
    const [header, value] = expectedKey(request.split(" ")[1] as string) ?? ["authorization", undefined];
    assert.equal(sent.headers.get(header), value, `${name}: ${header}`);
    for (const [own, wanted] of Object.entries(ownHeaders[name] ?? {}))
      assert.equal(sent.headers.get(own), wanted, name);
    if (body === undefined || typeof body === "string") assert.equal(sent.body, body ?? "", name);
    else {
      const { query, id, ...rest } = JSON.parse(sent.body) as JsonObject;
      const isDocument = "variables" in body || "variables" in rest;
      assert.deepEqual(isDocument ? { variables: {}, ...rest } : JSON.parse(sent.body, dropRpcId), body, name);
      if (isDocument) checkDocument(name, String(query), Object.keys((rest["variables"] ?? {}) as JsonObject));
      else if (body["jsonrpc"] !== undefined) assert.match(String(id), /^[0-9a-f-]{36}$/);
      if (!ownHeaders[name]) assert.equal(sent.headers.get("content-type"), "application/json", name);
    }
  }
});

function dropRpcId(this: unknown, key: string, value: unknown): unknown {
  return key === "id" && isJsonObject(this) && "jsonrpc" in this ? undefined : value;
}

/** Every variable that is sent is declared, every declared one is used, and braces are balanced. */
function checkDocument(name: string, query: string, sent: readonly string[]): void {
  const declared = [...(/^\s*(?:query|mutation)\s*\(([^)]*)\)/.exec(query)?.[1] ?? "").matchAll(/\$(\w+):/g)].map(
    ([, each]) => each as string,
  );
  for (const variable of sent) assert.ok(declared.includes(variable), `${name}: $${variable} is not declared`);
  const inside = query.slice(query.indexOf("{"));
  for (const variable of declared) assert.ok(inside.includes(`$${variable}`), `${name}: $${variable} is not used`);
  assert.equal(query.split("{").length, query.split("}").length, name);
}

test("built-in: each program gets the arguments it documents", async (t) => {
  if (process.platform === "win32") return t.skip("the stand-in is a shell script");
  await using folder = await Folder.with({ gws: '#!/bin/sh\nfor each in "$@"; do printf "%s\\n" "$each"; done\n' });
  await chmod(join(folder.path, "gws"), 0o755);
  const before = process.env["PATH"];
  const PATH = `${folder.path}:${before}`;
  process.env["PATH"] = PATH;
  try {
    await using upstream = upstreamOver([], { builtin: true, env: { PATH } });
    const unavailable = (await listTools(upstream)).filter(
      ({ _meta }) => isJsonObject(_meta) && _meta["mcp-gateway/unavailable"],
    );
    for (const [name, [args, argv]] of Object.entries(programExpectations)) {
      assert.equal(
        unavailable.some((tool) => tool["name"] === name),
        false,
        name,
      );
      const { text } = await call(upstream, name, args);
      assert.deepEqual(JSON.parse(text).answer.trimEnd().split("\n"), argv, name);
    }
  } finally {
    process.env["PATH"] = before;
  }
});

test("embedPlugin: puts ui/ and capabilities/ into the bundle, the latter checked and taken apart", async () => {
  type OnLoad = () => Promise<{ contents: string; loader: string }>;
  const loads: [RegExp, OnLoad][] = [];
  const builder = { onLoad: ({ filter }: { filter: RegExp }, run: OnLoad) => void loads.push([filter, run]) };
  const plugin = embedPlugin(fileURLToPath(new URL("../..", import.meta.url)), "mcp-gateway-linux-x64");
  await plugin.setup(builder as never);
  const exported = async (file: string) => {
    const load = loads.find(([filter]) => filter.test(`/src/runtime/${file}`))?.[1] as OnLoad;
    return JSON.parse(/^export const \w+ = (.*);$/.exec((await load()).contents)?.[1] ?? "");
  };
  const bundle = await exported("embedded-bundle.ts");
  assert.deepEqual(bundle.ui, Object.fromEntries(await embeddedFiles("ui")));
  assert.equal(bundle.releaseFile, "mcp-gateway-linux-x64");
  const files = Object.fromEntries(await embeddedFiles("capabilities"));
  assert.deepEqual(bundle.capabilities, files);
  const { index, definitions } = await exported("embedded-capabilities.ts");
  const entries = JSON.parse(index);
  assert.equal(entries.length, Object.keys(files).length);
  for (const { path, listed } of entries) assert.equal(JSON.parse(definitions[path]).name, listed.name);
  assert.match(bundle.ui["index.html"], /<title>MCP Gateway<\/title>/);
});

test("ui: the page keeps to a policy without inline scripts and styles", async () => {
  const page = (await embeddedFiles("ui")).get("index.html") ?? "";
  assert.doesNotMatch(page, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
});
