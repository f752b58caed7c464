/** Drafts of the protocol that `meta_mcp.spec_preview` turns on, through both faces. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createCatalog } from "../../src/catalog/create-catalog.ts";
import { createFace } from "../../src/clients/create-face.ts";
import { createModernFace } from "../../src/clients/modern/modern-face.ts";
import { Answer } from "../../src/core/answer.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { createStateSeal } from "../../src/gateway/state-seal.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { contextOf, fakeHost, type Lists, request } from "./fake-host.ts";

const readIssue = {
  name: "read_issue",
  description: "Read one issue of a repository",
  inputSchema: { type: "object", properties: { id: { type: "integer" } } },
  annotations: { title: "Read", readOnlyHint: true },
};
const deleteIssue = { name: "delete_issue", description: "Delete an issue of a repository" };
const lists: Lists = {
  tracker: { tools: [readIssue, deleteIssue, { name: "search", description: "Search issues" }] },
  web: {
    tools: [
      { name: "search", description: "Search the web", annotations: { destructiveHint: false }, vendor: [1] },
      { name: "app_only", description: "Search for the app", _meta: { ui: { visibility: ["app"] } } },
      { name: "gateway_invoke", description: "Of another gateway" },
    ],
  },
};

function setUp(preview = true, given: Lists = lists) {
  const catalog = createCatalog({ now: () => 0 });
  catalog.setServers(Object.keys(given).map((name) => ({ name, description: "", key: name })));
  for (const [name, { tools }] of Object.entries(given)) if (tools) catalog.update(name, "tools", tools);
  const host = fakeHost(given, async () => Answer.of({ content: [] }));
  Object.assign(host, { catalog });
  host.usage = { ...host.usage, ready: async () => {}, successes: () => 0 };
  host.meta = { ...host.meta, spec_preview: preview };
  const face = createFace(host);
  const ask = async (
    method: string,
    params?: JsonObject,
    change: Partial<{ caller: Caller; backend: string }> = {},
  ) => {
    const text = await face.handle(request(method, params), contextOf(change));
    return JSON.parse(text as string) as {
      result: JsonObject & { tools: JsonObject[]; tool: JsonObject; nextCursor: string };
      error: { code: number; message: string };
    };
  };
  const names = async (params: JsonObject, caller = anonymousCaller) =>
    (await ask("tools/list", params, { caller })).result.tools.map(({ name }) => name);
  return { host, face, ask, names };
}

const tokenOf = (rights: Partial<Caller>): Caller => ({
  ...anonymousCaller,
  principal: "key:t",
  admin: false,
  ...rights,
});
const preflightOf = (tool: JsonObject) => (tool["_meta"] as JsonObject)["mcp-gateway/preflight"];

describe("tools/list with a filter", () => {
  test("off: the filter is ignored, as unknown params are, and nothing is announced", async () => {
    const { names, face } = setUp(false);
    assert.equal((await names({ query: "issue", limit: "what" }))[0], "gateway_search_tools");
    const { resultText } = await face.initialize({ protocolVersion: "2025-11-25" }, contextOf());
    assert.doesNotMatch(resultText, /experimental/);
  });

  test("on: announced, and without a filter the meta-tools are listed as ever", async () => {
    const { names, face } = setUp();
    assert.deepEqual(await names({}), [
      "gateway_search_tools",
      "gateway_invoke",
      "gateway_list_tools",
      "gateway_list_servers",
    ]);
    const { resultText } = await face.initialize({ protocolVersion: "2025-11-25" }, contextOf());
    const { capabilities } = JSON.parse(resultText) as { capabilities: { experimental: JsonObject } };
    assert.deepEqual(Object.keys(capabilities.experimental), ["mcp-gateway/spec-preview"]);
  });

  test("gives whole tools by rank, under names that can be called, none that is for apps alone", async () => {
    const { ask, names, host } = setUp();
    const { result } = await ask("tools/list", { query: "search the web" });
    const [first] = result.tools;
    assert.deepEqual(first, { ...(lists["web"]?.tools?.[0] as JsonObject), name: "web_search" });
    assert.ok(!JSON.stringify(result).includes("app_only"));
    assert.deepEqual(await names({ server: "web" }), ["web_search", "web_gateway_invoke"]);
    await ask("tools/call", { name: "web_search", arguments: {} });
    await ask("tools/call", { name: "web_gateway_invoke", arguments: {} });
    assert.deepEqual(
      host.calls.map(({ upstream, params }) => [upstream, params?.["name"]]),
      [
        ["web", "search"],
        ["web", "gateway_invoke"],
      ],
    );
  });

  test("without meta-tools too, under the names that the whole list has", async () => {
    const { names, host } = setUp();
    host.meta = { ...host.meta, enabled: false };
    const all = await names({});
    assert.ok(all.includes("gateway_invoke") && all.includes("web_search"));
    assert.deepEqual(await names({ server: "web", limit: 2 }), ["web_search", "gateway_invoke"]);
  });

  test("annotations are compared with what the protocol takes for granted where a tool is silent", async () => {
    const { names } = setUp();
    assert.deepEqual(await names({ annotations: { readOnlyHint: true } }), ["read_issue"]);
    assert.deepEqual(await names({ annotations: { destructiveHint: false } }), ["read_issue", "web_search"]);
    assert.deepEqual(await names({ annotations: { destructiveHint: true }, server: "tracker", query: "issue" }), [
      "delete_issue",
      "tracker_search",
    ]);
  });

  test("what a caller may not use is not there, whatever the filter", async () => {
    const { names, ask } = setUp();
    const caller = tokenOf({ deniedTools: ["delete_*"], backends: ["tracker"] });
    assert.deepEqual(await names({ query: "delete an issue" }, caller).then((found) => found.toSorted()), [
      "read_issue",
      "search",
    ]);
    assert.deepEqual(await names({ limit: 10 }, caller), ["read_issue", "search"]);
    const { error } = await ask("tools/list", { server: "web" }, { caller });
    const unknown = await ask("tools/list", { server: "nowhere" }, { caller });
    assert.equal(error.message.replace("web", "nowhere"), unknown.error.message);
  });

  test("pages carry the filter: the cursor alone goes on, and no tool is left out or told twice", async () => {
    const tools = Array.from({ length: 120 }, (_, at) => ({
      name: `tool_${at}`,
      annotations: { readOnlyHint: at % 2 === 0 },
    }));
    const { ask } = setUp(true, { many: { tools } });
    const seen: unknown[] = [];
    let params: JsonObject = { server: "many", annotations: { readOnlyHint: true }, limit: 25 };
    for (let page = 0; page < 3; page++) {
      const { result } = await ask("tools/list", params);
      seen.push(...result.tools.map(({ name }) => name));
      assert.equal(result.nextCursor === undefined, page === 2);
      params = { cursor: result.nextCursor };
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 60 }, (_, at) => `tool_${2 * at}`),
    );
    assert.equal((await ask("tools/list", { limit: 1_000 })).result.tools.length, 50);
  });

  test("a wrong filter, and a cursor that is none, are refused with what is wrong", async () => {
    const { ask } = setUp();
    const messageOf = async (params: JsonObject) => (await ask("tools/list", params)).error.message;
    assert.match(await messageOf({ query: 5 }), /"query" must be a string/);
    assert.match(await messageOf({ query: "x".repeat(1_001) }), /longer than 1000/);
    assert.match(await messageOf({ limit: 0 }), /"limit" must be a whole number/);
    assert.match(await messageOf({ annotations: { safe: true } }), /no "safe"/);
    assert.match(await messageOf({ annotations: { readOnlyHint: "yes" } }), /must be true or false/);
    for (const cursor of ["x", 5, "5", "[]", "null"])
      assert.match(await messageOf({ cursor, query: "x" }), /not issued by this gateway/);
    assert.match(await messageOf({ cursor: "x" }), /not issued by this gateway/);
    assert.match(await messageOf({ cursor: '{"offset":-1}' }), /"offset" must be/);
  });
});

describe("tools/resolve", () => {
  test("is not there while it is off, and never on /mcp/{backend}", async () => {
    assert.equal((await setUp(false).ask("tools/resolve", { name: "read_issue" })).error.code, -32_601);
    const { error } = await setUp().ask("tools/resolve", { name: "read_issue" }, { backend: "tracker" });
    assert.equal(error.code, -32_601);
  });

  test("gives the whole definition by any of its names, hints filled in, and calls nothing", async () => {
    const { ask, host } = setUp();
    const { tool } = (await ask("tools/resolve", { name: "tracker:read_issue", arguments: { id: 1 } })).result;
    assert.deepEqual(tool, {
      ...readIssue,
      annotations: {
        title: "Read",
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: true,
      },
      _meta: { "mcp-gateway/preflight": { server: "tracker", tool: "read_issue", callable: true, obstacles: [] } },
    });
    assert.equal((await ask("tools/resolve", { name: "read_issue" })).result.tool["name"], "read_issue");
    const shown = (await ask("tools/resolve", { name: "web_search" })).result.tool;
    assert.deepEqual([shown["name"], shown["vendor"]], ["web_search", [1]]);
    assert.equal(host.calls.length, 0);
  });

  test("gateway_invoke has the hints of the tool that its arguments name", async () => {
    const { ask } = setUp();
    const resolve = async (args: JsonObject) =>
      (await ask("tools/resolve", { name: "gateway_invoke", arguments: args })).result.tool;
    const reading = await resolve({ server: "tracker", tool: "read_issue", arguments: { id: 1 } });
    assert.equal(reading["name"], "gateway_invoke");
    assert.equal((reading["annotations"] as JsonObject)["readOnlyHint"], true);
    const deleting = await resolve({ tool: "tracker:delete_issue" });
    assert.equal((deleting["annotations"] as JsonObject)["destructiveHint"], true);
    assert.equal((await resolve({}))["_meta"], undefined);
  });

  test("says what the gateway would refuse, and why", async () => {
    const { ask, host } = setUp();
    const servers = host.servers();
    host.servers = () => servers.map((server) => ({ ...server, killed: server.name === "web" }));
    host.objections = async (server, tool) => (`${server}:${tool}` === "tracker:delete_issue" ? ["is denied"] : []);
    const preflight = async (name: string) => preflightOf((await ask("tools/resolve", { name })).result.tool);
    assert.deepEqual(await preflight("delete_issue"), {
      server: "tracker",
      tool: "delete_issue",
      callable: false,
      obstacles: ["is denied"],
    });
    assert.deepEqual((await preflight("web_search")) as JsonObject, {
      server: "web",
      tool: "search",
      callable: false,
      obstacles: ["switched off"],
    });
  });

  test("what a caller may not use is as unknown as what does not exist", async () => {
    const { ask } = setUp();
    const caller = tokenOf({ deniedTools: ["delete_*"], backends: ["tracker"] });
    const messageOf = async (params: JsonObject) => (await ask("tools/resolve", params, { caller })).error.message;
    for (const [hidden, unknown] of [
      ["delete_issue", "no_issue"],
      ["tracker:delete_issue", "tracker:no_issue"],
      ["web:search", "nowhere:search"],
      ["web_search", "web_nothing"],
    ] as const) {
      const words = (await messageOf({ name: unknown })).replaceAll(unknown, hidden);
      const [named, replaced] = [await messageOf({ name: hidden }), words];
      const own = (text: string) => text.replace(/"(?:web|nowhere|delete_issue|no_issue)"/g, '"…"');
      assert.equal(own(named), own(replaced));
      const through = { name: "gateway_invoke", arguments: { tool: hidden } };
      assert.equal(own(await messageOf(through)), own(named));
    }
  });

  test("params that are none are refused", async () => {
    const { ask } = setUp();
    assert.equal((await ask("tools/resolve", {})).error.code, -32_602);
    assert.equal((await ask("tools/resolve", { name: "read_issue", arguments: [1] })).error.code, -32_602);
  });
});

test("both are there in 2026-07-28, under the rules for its headers", async () => {
  const { host } = setUp();
  const face = createModernFace(host, { seal: createStateSeal(undefined, () => {}), randomId: () => "id" });
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const ask = async (method: string, params: JsonObject, headers: Record<string, string> = {}) => {
    const sent: Record<string, string> = { "mcp-protocol-version": "2026-07-28", "mcp-method": method, ...headers };
    const context = { ...contextOf(), header: (name: string) => sent[name.toLowerCase()] ?? null };
    const { status, text } = await face.handle(request(method, { ...params, _meta }), context);
    const { result, error } = JSON.parse(text) as { result: JsonObject; error: { code: number } };
    return { status, result, error };
  };
  const { result: discovered } = await ask("server/discover", {});
  assert.ok((discovered["capabilities"] as JsonObject)["experimental"]);
  const { result: listed } = await ask("tools/list", { query: "read one issue", limit: 1 });
  assert.deepEqual([listed["resultType"], (listed["tools"] as JsonObject[]).length], ["complete", 1]);
  const { result: resolved } = await ask("tools/resolve", { name: "read_issue" });
  assert.equal((resolved["tool"] as JsonObject)["name"], "read_issue");
  assert.equal((await ask("tools/resolve", { name: "read_issue" }, { "mcp-method": "tools/list" })).status, 400);
  host.meta = { ...host.meta, spec_preview: false };
  const off = await ask("tools/resolve", { name: "read_issue" });
  assert.deepEqual([off.status, off.error.code], [404, -32_601]);
});
