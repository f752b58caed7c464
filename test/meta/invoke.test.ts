import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import { UpstreamRpcError } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { metaTools } from "../../src/meta/index.ts";
import type { MetaContext, MetaTool } from "../../src/meta/meta-tool.ts";
import { callerWith, fakeContext, tool } from "./fake-context.ts";

const invoke = (args: JsonObject, context: MetaContext) =>
  (metaTools.get("gateway_invoke") as MetaTool).run(args, context);

const servers = [
  { name: "files", tools: [tool("read_file"), tool("search")] },
  { name: "web", tools: [tool("search"), tool("ns:fetch")] },
];

test("gateway_invoke hands the upstream's answer on as it is", async () => {
  const answer = Answer.ofText('{"content":[],"vendor":{"b":1,"a":2}}');
  const context = fakeContext(servers, { callTool: async () => answer });
  assert.equal(await invoke({ server: "files", tool: "read_file", arguments: {} }, context), answer);
});

test("gateway_invoke finds the tool however it is addressed", async () => {
  const context = fakeContext(servers);
  await invoke({ server: "files", tool: "read_file", arguments: { path: "a" } }, context);
  await invoke({ backend: "files", tool: "read_file", args: { path: "b" } }, context);
  await invoke({ tool: "files:read_file", arguments: '{"path":"c"}' }, context);
  await invoke({ server: "files", tool: "files:read_file" }, context);
  await invoke({ tool: "read_file" }, context);
  await invoke({ tool: "ns:fetch" }, context);
  await invoke({ server: "web", tool: "ns:fetch" }, context);
  assert.deepEqual(
    context.calls.map(({ server, tool: name, args }) => [server, name, args]),
    [
      ["files", "read_file", { path: "a" }],
      ["files", "read_file", { path: "b" }],
      ["files", "read_file", { path: "c" }],
      ["files", "read_file", {}],
      ["files", "read_file", {}],
      ["web", "ns:fetch", {}],
      ["web", "ns:fetch", {}],
    ],
  );
  assert.deepEqual(context.asked, []);
});

test("gateway_invoke says which arguments a tool takes when its server did not take those there were", async () => {
  const schema = { type: "object", properties: { q: { type: "string" }, n: { type: "integer" } }, required: ["q"] };
  const failing = (code: number) =>
    fakeContext([{ name: "web", tools: [{ ...tool("search"), inputSchema: schema }] }], {
      callTool: async () => {
        throw new UpstreamRpcError({ code, message: "No" }, "web");
      },
    });
  const call = { server: "web", tool: "search", arguments: {} };
  await assert.rejects(invoke(call, failing(-32_602)), {
    hint: "Its arguments: q: string, n?: integer",
    message: "No",
  });
  await assert.rejects(invoke(call, failing(-32_603)), { hint: undefined });
});

test("gateway_invoke suggests names for unknown servers and tools", async () => {
  const context = fakeContext(servers);
  await assert.rejects(invoke({ server: "flies", tool: "read_file" }, context), {
    code: "SERVER_NOT_FOUND",
    hint: "Did you mean: files?",
  });
  await assert.rejects(invoke({ server: "files", tool: "readFile" }, context), {
    code: "TOOL_NOT_FOUND",
    message: 'Server "files" has no tool named "readFile"',
    hint: "Did you mean: read_file?",
  });
  await assert.rejects(invoke({ server: "web", tool: "read_file" }, context), {
    code: "TOOL_NOT_FOUND",
    hint: "Did you mean: files:read_file?",
  });
  await assert.rejects(invoke({ tool: "raed_file" }, context), {
    code: "TOOL_NOT_FOUND",
    hint: "Did you mean: files:read_file?",
  });
  await assert.rejects(invoke({ tool: "search" }, context), /exists on 2 servers: files, web/);
  assert.deepEqual(context.calls, []);
});

test("gateway_invoke asks for the list again before it refuses a tool", async () => {
  const context = fakeContext(servers, {
    async ensureTools(server, again) {
      assert.equal(again, true);
      context.catalog.update(server, "tools", [tool("brand_new")]);
    },
  });
  await invoke({ server: "web", tool: "brand_new" }, context);
  assert.deepEqual(context.calls, [{ server: "web", tool: "brand_new", args: {} }]);
});

test("gateway_invoke calls a server whose list cannot be had, so that its own failure is told", async () => {
  const context = fakeContext([{ name: "down" }], {
    ensureTools: async () => {
      throw new Error("cannot start");
    },
  });
  await invoke({ server: "down", tool: "anything" }, context);
  assert.equal(context.calls.length, 1);
});

test("gateway_invoke says how to fix its arguments", async () => {
  const context = fakeContext(servers);
  const failing = (args: JsonObject) => invoke({ server: "files", tool: "read_file", ...args }, context);
  await assert.rejects(failing({ arguments: "{path:1}" }), { hint: 'Pass "arguments" as a JSON object' });
  await assert.rejects(failing({ arguments: "[1]" }), /JSON text of an object, not of an array/);
  await assert.rejects(failing({ arguments: 5 }), /must be an object, not a number/);
  await assert.rejects(failing({ path: "/a" }), { code: "INVALID_PARAMS", hint: /Put the tool's own arguments into/ });
  await assert.rejects(invoke({ server: "files" }, context), /Argument "tool" is missing/);
});

test("gateway_invoke treats a hidden tool like one that does not exist", async () => {
  const hidden = fakeContext(servers, { caller: callerWith({ deniedTools: ["read_file"] }) });
  const absent = fakeContext([{ name: "files", tools: [tool("search")] }]);
  const errorOf = (context: MetaContext) =>
    invoke({ server: "files", tool: "read_file" }, context).catch(({ code, message, hint }) => ({
      code,
      message,
      hint,
    }));
  assert.deepEqual(await errorOf(hidden), await errorOf(absent));
  assert.deepEqual(hidden.calls, []);
});

test("gateway_invoke gives the older form where configured, failures marked", async () => {
  const result = { content: [{ type: "text", text: "no" }], isError: true };
  const context = fakeContext(servers, { resultFormat: "wrapped", callTool: async () => Answer.of(result) });
  const { value } = await invoke({ tool: "read_file" }, context);
  assert.equal(value["isError"], true);
  assert.deepEqual(JSON.parse((value["content"] as { text: string }[])[0]?.text as string), result);
});

test("gateway_invoke takes a claim out of the arguments, unless the tool has a parameter of that name", async () => {
  const own = { name: "own", inputSchema: { type: "object", properties: { _claim: {} } } };
  const seen: unknown[] = [];
  const context = fakeContext([{ name: "files", tools: [tool("read_file"), own] }], {
    async callTool(_server, name, args, options) {
      seen.push([name, args, options?.claim]);
      return Answer.of({ content: [] });
    },
  });
  const ask = (name: string, args: JsonObject | string) =>
    invoke({ server: "files", tool: name, arguments: args }, context);
  await ask("read_file", { a: 1, _claim: "to look" });
  await ask("read_file", '{"a":1,"_claim":{"why":["to look"]}}');
  await ask("read_file", { a: 1, _claim: null });
  await ask("read_file", { a: 1 });
  await ask("own", { _claim: "mine" });
  assert.deepEqual(seen, [
    ["read_file", { a: 1 }, "to look"],
    ["read_file", { a: 1 }, { why: ["to look"] }],
    ["read_file", { a: 1 }, null],
    ["read_file", { a: 1 }, undefined],
    ["own", { _claim: "mine" }, undefined],
  ]);
});
