import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import type { JsonObject } from "../../src/lib/json.ts";
import { findMetaTool, metaTools } from "../../src/meta/index.ts";
import { instructions } from "../../src/meta/instructions.ts";
import type { MetaContext, MetaTool } from "../../src/meta/meta-tool.ts";
import { callerWith, type FakeServer, fakeContext, tool } from "./fake-context.ts";

const three: FakeServer[] = [
  { name: "memory", description: "A knowledge graph", tools: [tool("create_entities")] },
  { name: "files", tools: [tool("read_file", "Read a file"), tool("write_file")], state: { is: "dormant" } },
  { name: "off", enabled: false },
];
const crowd = (name: (at: number) => string): FakeServer[] =>
  Array.from({ length: 50 }, (_, at) => ({
    name: name(at),
    description: `${"A long description of everything this server can do. ".repeat(20)}${at}`,
    tools: Array.from({ length: 40 }, (_, index) => tool(`tool_${index}`)),
  }));

async function run(name: string, args: JsonObject, context: MetaContext): Promise<JsonObject> {
  const { value } = await (metaTools.get(name) as MetaTool).run(args, context);
  const [block] = value["content"] as [{ text: string }];
  return JSON.parse(block.text);
}

test("metaTools cost at most 400 tokens, whatever is behind them", () => {
  const surfaces = {
    none: fakeContext([]),
    three: fakeContext(three),
    words: fakeContext(crowd((at) => `enterprise-knowledge-management-server-${at}`)),
    fragments: fakeContext(crowd((at) => `xQ7z${at}kJ9w`)),
    chinese: fakeContext(crowd((at) => `企业知识库管理服务器${at}`)),
    emoji: fakeContext(crowd((at) => `🦑🧬${at}`)),
  };
  for (const [label, context] of Object.entries(surfaces)) {
    const tools = [...metaTools.values()].map((metaTool) => {
      const { name, description, inputSchema } = metaTool.describe(context);
      return { name, description, inputSchema };
    });
    const tokens = encode(JSON.stringify(tools)).length;
    assert.ok(tokens <= 400, `${label}: ${tokens} tokens`);
  }
});

test("metaTools say what is behind them and what they do to it", () => {
  const context = fakeContext(three);
  const described = Object.fromEntries([...metaTools].map(([name, metaTool]) => [name, metaTool.describe(context)]));
  assert.match(
    String(described["gateway_search_tools"]?.["description"]),
    /3 tools of: memory, files\..*one action at a time/,
  );
  assert.match(String(described["gateway_list_servers"]?.["description"]), /the 3 servers/);
  for (const [name, description] of Object.entries(described)) {
    const annotations = description["annotations"] as JsonObject;
    const runs = name === "gateway_invoke";
    assert.equal(typeof annotations["title"], "string");
    assert.deepEqual(
      [
        annotations["readOnlyHint"],
        annotations["destructiveHint"],
        annotations["idempotentHint"],
        annotations["openWorldHint"],
      ],
      runs ? [false, true, false, true] : [true, false, true, false],
    );
  }
});

test("a number of tools is told only as far as it is known: a model believes a zero", () => {
  const told = (servers: FakeServer[]) => {
    const context = fakeContext(servers);
    const texts = [...metaTools.values()].map((metaTool) => String(metaTool.describe(context)["description"]));
    return [...texts, instructions(context)].join("\n");
  };
  const unknown = told([{ name: "fresh" }]);
  assert.match(unknown, /among the tools of: fresh.*or all by name.*are the tools of: fresh/s);
  assert.doesNotMatch(unknown, /\b0\b/);
  assert.match(told([]), /the tools of: no server yet\. /);
  assert.match(told([...three, { name: "fresh" }]), /among 3\+ tools of.*or all 3\+ by name.*are 3\+ tools of/s);
  assert.match(told(three), /among 3 tools of.*or all 3 by name.*are 3 tools of/s);
});

test("instructions stay below 2 KB and their first 512 characters stand alone", () => {
  for (const context of [
    fakeContext(three),
    fakeContext(crowd((at) => `企业知识库管理服务器${at}`)),
    fakeContext(crowd((at) => `enterprise-server-${at}`)),
  ]) {
    const text = instructions(context);
    assert.ok(new TextEncoder().encode(text).length <= 2_048);
    const [first] = text.split("\n\n") as [string];
    assert.ok(first.length <= 512, `${first.length} characters`);
    assert.match(first, /gateway_search_tools.*verb \+ object.*gateway_invoke/);
  }
  assert.match(instructions(fakeContext(three)), /- memory: A knowledge graph/);
});

test("gateway_list_servers shows the state of every server", async () => {
  const context = fakeContext([
    ...three,
    { name: "down", state: { is: "backoff", error: "exit 1", retryAtMs: 0 }, circuit: "open" },
  ]);
  const { servers } = await run("gateway_list_servers", {}, context);
  assert.deepEqual((servers as JsonObject[])[1], {
    name: "files",
    description: "",
    running: false,
    lifecycle: "not_started",
    transport: "stdio",
    tools_count: 2,
    circuit_breaker: "closed",
    status: "active",
    restart_count: 0,
  });
  assert.equal((servers as JsonObject[])[2]?.["status"], "disabled");
  const down = (servers as JsonObject[])[3];
  assert.deepEqual([down?.["tools_known"], down?.["last_error"], down?.["circuit_breaker"]], [false, "exit 1", "open"]);
});

test("gateway_list_tools gives one server's tools whole, waking it when they are unknown", async () => {
  const read = { ...tool("read_file", "Read a file"), _meta: { "vendor/x": [1] }, icons: [{ src: "data:," }] };
  const context = fakeContext([{ name: "files" }], {
    async ensureTools(server) {
      context.catalog.update(server, "tools", [read]);
    },
  });
  assert.deepEqual(await run("gateway_list_tools", { server: "files" }, context), {
    server: "files",
    status: "active",
    tools: [read],
    total: 1,
  });
});

test("gateway_list_tools gives all tools by name, and says which servers are missing", async () => {
  const result = await run("gateway_list_tools", {}, fakeContext(three));
  assert.deepEqual(result, {
    tools: [
      { server: "memory", name: "create_entities", description: "" },
      { server: "files", name: "read_file", description: "Read a file" },
      { server: "files", name: "write_file", description: "" },
    ],
    total: 3,
    not_listed: [{ server: "off", reason: "disabled by the operator" }],
  });
});

test("gateway_list_tools pages what is too much for one answer", async () => {
  const tools = Array.from({ length: 2_000 }, (_, at) => tool(`tool_${at}`, "d".repeat(150)));
  const context = fakeContext([{ name: "big", tools }]);
  const names: unknown[] = [];
  let offset: unknown = 0;
  for (let pages = 0; offset !== undefined && pages < 20; pages++) {
    const page: JsonObject = await run("gateway_list_tools", { offset: offset as number }, context);
    assert.ok(JSON.stringify(page).length < 110_000);
    names.push(...(page["tools"] as JsonObject[]).map(({ name }) => name));
    offset = page["next_offset"];
  }
  assert.deepEqual(
    names,
    tools.map(({ name }) => name),
  );
});

test("metaTools never show a caller what is hidden from it", async () => {
  const context = fakeContext(
    [
      { name: "open", tools: [tool("read_file", "Read"), tool("canary_delete", "Canary deletes a file")] },
      { name: "canary-server", description: "canary", tools: [tool("read_file", "canary")] },
      { name: "canary-down", state: { is: "backoff", error: "canary", retryAtMs: 0 } },
    ],
    { caller: callerWith({ backends: ["open"], deniedTools: ["canary_*"] }) },
  );
  const outputs: unknown[] = [instructions(context)];
  for (const metaTool of metaTools.values()) outputs.push(metaTool.describe(context));
  const attempts: [string, JsonObject][] = [
    ["gateway_list_servers", {}],
    ["gateway_list_tools", {}],
    ["gateway_list_tools", { server: "open" }],
    ["gateway_list_tools", { server: "kanary-server" }],
    ["gateway_search_tools", { query: "read delete file" }],
    ["gateway_search_tools", { query: "kanary_delete" }],
    ["gateway_search_tools", { query: "xyzzy" }],
    ["gateway_search_tools", { query: "read", server: "kanary-server" }],
    ["gateway_invoke", { tool: "kanary_delete" }],
    ["gateway_invoke", { server: "open", tool: "kanary_delete" }],
    ["gateway_invoke", { server: "kanary-server", tool: "read_file" }],
  ];
  for (const [name, args] of attempts) {
    const outcome = await run(name, args, context).catch(({ code, message, hint, data }) => ({
      code,
      text: `${message.replaceAll(/"kanary[^"]*"/g, "")} ${hint}`,
      data,
    }));
    outputs.push({ ...outcome, query: undefined });
  }
  for (const output of outputs) assert.doesNotMatch(JSON.stringify(output), /canary/);
  assert.match(JSON.stringify(outputs[0]), /1 tools of: open/);
  assert.deepEqual(context.calls, []);
});

test("gateway_webhook_status tells of the webhooks of capabilities that the caller may use", async () => {
  const status = (await findMetaTool("gateway_webhook_status")) as MetaTool;
  const webhook = (capability: string, received: number) => ({
    server: "gateway",
    path: `/webhooks/${capability}`,
    method: "POST",
    capability,
    webhook_name: "push",
    signature_required: true,
    notify: true,
    stats: {
      received,
      delivered: received - 1,
      repeated: 1,
      signature_failures: 0,
      transform_failures: 0,
      last_received_at: "2026-01-01T00:00:00.000Z",
    },
  });
  const actions = { ...fakeContext([]).actions, webhooks: async () => [webhook("mine", 3), webhook("other", 5)] };
  const caller = { ...callerWith({}), deniedTools: ["gateway:other"] };
  const { server: _server, ...mine } = webhook("mine", 3);
  const text = ((await status.run({}, fakeContext([], { actions, caller }))).value["content"] as { text: string }[])[0];
  assert.deepEqual(JSON.parse(text!.text), {
    endpoints: [mine],
    total_endpoints: 1,
    total_received: 3,
    total_delivered: 2,
  });
});

test("gateway_get_stats tells of what the caller may use, and what lists would cost", async () => {
  const stats = (await findMetaTool("gateway_get_stats")) as MetaTool;
  const calls = [
    { server: "files", tool: "read_file", count: 5, failed: 1, cached: 2 },
    { server: "memory", tool: "create_entities", count: 2, failed: 0, cached: 0 },
  ];
  const actions = { ...fakeContext([]).actions, calls: () => calls };
  const of = async (context: MetaContext) => {
    const { value } = await stats.run({}, context);
    return JSON.parse((value["content"] as [{ text: string }])[0].text) as JsonObject;
  };
  const all = await of(fakeContext(three, { actions }));
  const shown = calls.map(({ server, tool, count, failed }) => ({ server, tool, count, failed }));
  assert.deepEqual([all["invocations"], all["top_tools"], all["tools_discovered"]], [7, shown, 3]);
  assert.deepEqual([all["cache_hits"], all["cache_hit_rate"]], [2, "28.6%"]);
  const { direct, gateway, saved } = all["list_tokens_estimated"] as Record<string, number>;
  assert.equal(saved, Math.max(0, (direct as number) - (gateway as number)));
  const mine = await of(fakeContext(three, { actions, caller: callerWith({ backends: ["memory"] }) }));
  assert.deepEqual([mine["invocations"], (mine["servers"] as unknown[]).length], [2, 1]);
});

test("instructions name the tools that are listed", () => {
  const settings = fakeContext([]).settings;
  const text = (enabled: boolean) =>
    instructions(fakeContext(three, { settings: { ...settings, codeMode: { ...settings.codeMode, enabled } } }));
  assert.match(text(false), /gateway_search_tools first.*gateway_invoke \{/s);
  assert.match(text(true), /gateway_search first.*gateway_execute \{/s);
  for (const one of [text(false), text(true)]) assert.ok(one.split("\n\n")[0]!.length <= 512);
});

test("tools that only the interface of an MCP App is to call are not shown to models", async () => {
  const hidden = { ...tool("move_piece", "Moves a piece"), _meta: { ui: { visibility: ["app"] } } };
  const shown = { ...tool("show_board", "Shows the board"), _meta: { ui: { visibility: ["model", "app"] } } };
  const context = fakeContext([{ name: "chess", tools: [hidden, shown, tool("resign")] }]);
  const { tools } = await run("gateway_list_tools", { server: "chess" }, context);
  assert.deepEqual(
    (tools as JsonObject[]).map(({ name }) => name),
    ["show_board", "resign"],
  );
  const { matches } = await run("gateway_search_tools", { query: "piece board" }, context);
  assert.ok(!JSON.stringify(matches).includes("move_piece"));
});
