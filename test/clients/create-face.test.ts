import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFace } from "../../src/clients/create-face.ts";
import type { FaceContext } from "../../src/clients/face.ts";
import { Answer } from "../../src/core/answer.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { CancelledError, DeniedError, GatewayError, UpstreamRpcError } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { contextOf, fakeHost, type Lists, request } from "./fake-host.ts";

const lists: Lists = {
  files: {
    tools: [
      { name: "read_file", annotations: { readOnlyHint: true }, vendorKey: { deep: [1] } },
      { name: "search", description: "in files" },
    ],
    resources: [{ uri: "file:///a" }, { uri: "shared://one" }],
    templates: [{ uriTemplate: "file:///{path}" }],
    prompts: [{ name: "explain" }],
  },
  web: {
    tools: [{ name: "search", description: "in the web" }],
    resources: [{ uri: "shared://one" }],
    prompts: [{ name: "explain" }, { name: "summarise" }],
  },
};
const ok = async () => Answer.ofText('{"content":[],"x-vendor":1}');

async function ask(host: ReturnType<typeof fakeHost>, method: string, params?: JsonObject, change = {}) {
  const context = contextOf(change);
  const text = await createFace(host).handle(request(method, params), context);
  const response = JSON.parse(text as string) as { result: JsonObject; error: { code: number; message: string } };
  return { ...response, text, emitted: context.emitted };
}

test("face: who watches answers is told what failed, also where the result says so to the model", async () => {
  const host = fakeHost(lists, () => Promise.reject(new DeniedError("POLICY_DENIED", "No")));
  const told: unknown[] = [];
  Object.assign(host, {
    onAnswer: (_message: unknown, { caller }: FaceContext, _result: unknown, _tookMs: number, failure: unknown) =>
      told.push([caller.name, failure instanceof GatewayError ? failure.code : failure]),
  });
  await ask(host, "tools/call", { name: "search" }, { backend: "files" });
  await ask(host, "tools/call", { name: "gateway_invoke", arguments: {} });
  await ask(host, "no/such/method");
  await ask(host, "ping");
  assert.deepEqual(told, [
    ["anonymous", "POLICY_DENIED"],
    ["anonymous", "INVALID_PARAMS"],
    ["anonymous", "METHOD_NOT_FOUND"],
    ["anonymous", undefined],
  ]);
});

describe("face on /mcp/{backend}", () => {
  const onFiles = { backend: "files" };

  test("lists a backend's tools exactly as the backend sent them", async () => {
    const { result } = await ask(fakeHost(lists, ok), "tools/list", {}, onFiles);
    assert.deepEqual(result, { tools: lists["files"]?.tools });
  });

  test("hides tools the caller may not call", async () => {
    const caller: Caller = { ...anonymousCaller, deniedTools: ["files:search"] };
    const { result } = await ask(fakeHost(lists, ok), "tools/list", {}, { ...onFiles, caller });
    assert.deepEqual(
      (result["tools"] as JsonObject[]).map((tool) => tool["name"]),
      ["read_file"],
    );
  });

  test("relays a tool result byte for byte and unknown params with it", async () => {
    const host = fakeHost(lists, ok);
    const params = {
      name: "read_file",
      arguments: { path: "a" },
      task: { ttl: 1 },
      _meta: { "vendor/key": 1, progressToken: 7 },
    };
    const { text } = await ask(host, "tools/call", params, onFiles);
    assert.equal(text, '{"jsonrpc":"2.0","id":1,"result":{"content":[],"x-vendor":1}}');
    assert.deepEqual(host.calls[0]?.params, {
      name: "read_file",
      arguments: { path: "a" },
      task: { ttl: 1 },
      _meta: { "vendor/key": 1 },
    });
    assert.equal(host.calls[0]?.safe, true);
  });

  test("a call has the idempotency key and the _meta it came with, by whichever way", async () => {
    const host = fakeHost(lists, ok);
    const own = { "mcp-gateway/idempotency_key": "k1", prompt_cache_key: "p" };
    const key = () => host.calls.at(-1)?.idempotencyKey;
    await ask(host, "tools/call", { name: "read_file", _meta: own }, onFiles);
    assert.equal(key(), "k1");
    const _meta = { prompt_cache_key: "p", progressToken: 7 };
    const args = { server: "files", tool: "read_file", idempotency_key: "k2", _meta };
    await ask(host, "tools/call", { name: "gateway_invoke", arguments: args, _meta: { ...own, "vendor/key": 1 } });
    assert.equal(key(), "k2");
    assert.deepEqual(host.calls.at(-1)?.params?.["_meta"], { ...own, "vendor/key": 1 });
    await ask(host, "tools/call", { name: "read_file" }, onFiles);
    assert.equal(key(), undefined);
    const wrong = { name: "read_file", _meta: { "mcp-gateway/idempotency_key": 5 } };
    assert.match((await ask(host, "tools/call", wrong, onFiles)).text ?? "", /must be a string/);
    assert.equal(host.calls.length, 3);
  });

  test("gives progress the client's own token, on the stream of its request", async () => {
    const host = fakeHost(lists, async (call) => {
      call.onProgress?.({ progress: 1, total: 2 });
      return ok();
    });
    const { emitted } = await ask(host, "tools/call", { name: "search", _meta: { progressToken: "mine" } }, onFiles);
    assert.deepEqual(
      emitted.map((text) => JSON.parse(text)),
      [{ jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1, total: 2, progressToken: "mine" } }],
    );
  });

  test("relays a JSON-RPC error of the backend verbatim", async () => {
    const host = fakeHost(lists, async () => {
      throw new UpstreamRpcError({ code: -32042, message: "Go there", data: { url: "https://x.test" } }, "files");
    });
    const { error } = await ask(host, "tools/call", { name: "search" }, onFiles);
    assert.deepEqual(error, { code: -32042, message: "Go there", data: { url: "https://x.test" } });
  });

  test("answers a refusal of a policy as a result with isError", async () => {
    const host = fakeHost(lists, async () => {
      throw new DeniedError("RATE_LIMITED", "Too many calls", { data: { server: "files", retry_after_ms: 1500 } });
    });
    const { result } = await ask(host, "tools/call", { name: "search" }, onFiles);
    assert.equal(result["isError"], true);
    assert.match(JSON.stringify(result), /RATE_LIMITED/);
    assert.match(JSON.stringify(result), /1500/);
  });

  test("notifications/cancelled aborts exactly the request it names", async () => {
    const host = fakeHost(
      lists,
      (call) => new Promise((_, reject) => call.signal.addEventListener("abort", () => reject(call.signal.reason))),
    );
    const face = createFace(host);
    const { session } = await face.initialize({ protocolVersion: "2025-06-18" }, contextOf(onFiles));
    const context = contextOf({ ...onFiles, session });
    const first = face.handle(request("tools/call", { name: "search" }, 1), context);
    const second = face.handle(request("tools/call", { name: "search" }, "1"), context);
    await face.handle({ kind: "notification", method: "notifications/cancelled", params: { requestId: "1" } }, context);
    assert.equal(await second, undefined);
    assert.equal(host.calls[0]?.signal.aborted, false);
    assert.ok(host.calls[1]?.signal.reason instanceof CancelledError);
    await face.handle({ kind: "notification", method: "notifications/cancelled", params: { requestId: 1 } }, context);
    assert.equal(await first, undefined);
    assert.equal(session.running.size, 0);
  });
});

describe("face on /mcp/{backend} that is switched off", () => {
  test("opens no session, and an open one does not say that there is nothing", async () => {
    const host = fakeHost(lists, ok);
    const face = createFace(host);
    const onFiles = { backend: "files" };
    const { session } = await face.initialize({ protocolVersion: "2025-06-18" }, contextOf(onFiles));
    const servers = host.servers();
    host.servers = () => servers.map((server) => ({ ...server, enabled: server.name !== "files" }));
    await assert.rejects(face.initialize({ protocolVersion: "2025-06-18" }, contextOf(onFiles)), {
      code: "SERVER_DISABLED",
    });
    const answer = await face.handle(request("tools/list"), contextOf({ ...onFiles, session }));
    assert.match(answer as string, /"SERVER_DISABLED"/);
  });
});

describe("face on /mcp", () => {
  test("arguments that are null count as absent", async () => {
    const { result } = await ask(fakeHost(lists, ok), "tools/call", { name: "gateway_list_servers", arguments: null });
    assert.equal(result["isError"], undefined);
  });

  test("lists the four meta-tools, and pinned tools with their own schema", async () => {
    const host = fakeHost(lists, ok);
    host.meta = {
      ...host.meta,
      surfaced_tools: [
        { server: "files", tool: "read_file" },
        { server: "gone", tool: "x" },
      ],
    };
    const { result } = await ask(host, "tools/list");
    const tools = result["tools"] as JsonObject[];
    assert.deepEqual(
      tools.map((tool) => tool["name"]),
      ["gateway_search_tools", "gateway_invoke", "gateway_list_tools", "gateway_list_servers", "read_file"],
    );
    assert.deepEqual(tools[4], lists["files"]?.tools?.[0]);
  });

  test("pinned tools of a backend that was never listed are in the first list, and can be called at once", async () => {
    const learned = { ...lists, fresh: undefined as never };
    const host = fakeHost(learned, ok);
    host.meta = { ...host.meta, surfaced_tools: [{ server: "fresh", tool: "late" }] };
    host.listedSoon = async () => {
      learned.fresh = { tools: [{ name: "late" }] } as never;
    };
    const { result } = await ask(host, "tools/list");
    assert.deepEqual((result["tools"] as JsonObject[]).at(-1), { name: "late" });
    learned.fresh = undefined as never;
    await ask(host, "tools/call", { name: "late" });
    assert.equal(host.calls[0]?.upstream, "fresh");
  });

  test("tools that were called most are listed beside the pinned ones, as many as wanted, each once", async () => {
    const host = fakeHost(lists, ok);
    const pinned = { server: "files", tool: "read_file" };
    const most = [pinned, { server: "web", tool: "gone" }, { server: "web", tool: "search" }];
    host.usage = { ...host.usage, most: () => most };
    host.meta = { ...host.meta, surfaced_tools: [pinned], promote_often_used: 2 };
    const listed = async () => {
      const { result } = await ask(host, "tools/list");
      return (result["tools"] as JsonObject[]).slice(4).map(({ name }) => name);
    };
    assert.deepEqual(await listed(), ["read_file", "search"]);
    host.meta = { ...host.meta, surfaced_tools: [], promote_often_used: 1 };
    assert.deepEqual(await listed(), ["read_file"]);
    host.meta = { ...host.meta, promote_often_used: 0 };
    assert.deepEqual(await listed(), []);
  });

  test("gateway_invoke gives the backend's result untouched", async () => {
    const host = fakeHost(lists, ok);
    const args = { server: "web", tool: "search", arguments: { q: "x" } };
    const { text } = await ask(host, "tools/call", { name: "gateway_invoke", arguments: args });
    assert.equal(text, '{"jsonrpc":"2.0","id":1,"result":{"content":[],"x-vendor":1}}');
    assert.deepEqual(host.calls[0]?.params, { name: "search", arguments: { q: "x" } });
    assert.equal(host.calls[0]?.upstream, "web");
  });

  test("gateway_invoke explains a JSON-RPC error of the backend to the model", async () => {
    const host = fakeHost(lists, async () => {
      throw new UpstreamRpcError({ code: -32602, message: "q must be a string" }, "web");
    });
    const { result } = await ask(host, "tools/call", {
      name: "gateway_invoke",
      arguments: { server: "web", tool: "search" },
    });
    assert.equal(result["isError"], true);
    assert.match(JSON.stringify(result), /q must be a string/);
  });

  test("direct mode shows every tool and prefixes only names that collide", async () => {
    const host = fakeHost(lists, ok);
    host.meta = { ...host.meta, enabled: false };
    const { result } = await ask(host, "tools/list");
    assert.deepEqual(
      (result["tools"] as JsonObject[]).map((tool) => tool["name"]),
      ["read_file", "files_search", "web_search"],
    );
    await ask(host, "tools/call", { name: "web_search", arguments: {} });
    assert.equal(host.calls[0]?.upstream, "web");
    assert.equal(host.calls[0]?.params?.["name"], "search");
  });

  test("a tool is called by its own name where one backend alone has it, as interfaces of MCP Apps do", async () => {
    const host = fakeHost(lists, ok);
    await ask(host, "tools/call", { name: "read_file", arguments: {} });
    assert.equal(host.calls[0]?.upstream, "files");
    const { error } = await ask(host, "tools/call", { name: "search", arguments: {} });
    assert.match(error.message, /Unknown tool: search/, "two have it");
  });

  test("an unknown tool is a JSON-RPC error with the nearest name", async () => {
    const { error } = await ask(fakeHost(lists, ok), "tools/call", { name: "gateway_invok" });
    assert.equal(error.code, -32602);
    assert.match(error.message, /Unknown tool: gateway_invok\. Did you mean: .*gateway_/);
  });

  test("resources keep their URI unless two backends list the same one, and reads find the owner", async () => {
    const host = fakeHost(lists, async () => Answer.of({ contents: [{ uri: "shared://one", text: "hi" }] }));
    const { result } = await ask(host, "resources/list");
    assert.deepEqual(
      (result["resources"] as JsonObject[]).map((resource) => resource["uri"]),
      ["file:///a", "gw+files:shared://one", "gw+web:shared://one"],
    );
    const read = await ask(host, "resources/read", { uri: "gw+web:shared://one" });
    assert.deepEqual(read.result["contents"], [{ uri: "gw+web:shared://one", text: "hi" }]);
    assert.equal(host.calls[0]?.upstream, "web");
    await ask(host, "resources/read", { uri: "file:///unlisted" });
    assert.equal(host.calls[1]?.upstream, "files");
  });

  test("prompts are prefixed where names collide and routed back", async () => {
    const host = fakeHost(lists, async () => Answer.of({ messages: [] }));
    const { result } = await ask(host, "prompts/list");
    assert.deepEqual(
      (result["prompts"] as JsonObject[]).map((prompt) => prompt["name"]),
      ["files_explain", "web_explain", "summarise"],
    );
    await ask(host, "prompts/get", { name: "web_explain" });
    assert.equal(host.calls[0]?.params?.["name"], "explain");
  });

  test("initialize echoes a known revision, answers the newest otherwise, and binds the session to the caller", async () => {
    const face = createFace(fakeHost(lists, ok));
    const known = await face.initialize({ protocolVersion: "2025-03-26" }, contextOf());
    assert.equal(JSON.parse(known.resultText).protocolVersion, "2025-03-26");
    const unknown = await face.initialize({ protocolVersion: "2030-01-01" }, contextOf());
    assert.equal(JSON.parse(unknown.resultText).protocolVersion, "2025-11-25");
    assert.equal(known.session.principal, "anonymous");
    await assert.rejects(face.initialize({}, contextOf()), /needs "protocolVersion"/);
    await assert.rejects(
      face.initialize({ protocolVersion: "2025-11-25" }, contextOf({ backend: "none" })),
      /no backend "none"/,
    );
  });

  test("while draining, calls are refused as retryable results", async () => {
    const host = fakeHost(lists, ok);
    host.draining = true;
    const { result } = await ask(host, "tools/call", {
      name: "gateway_invoke",
      arguments: { server: "web", tool: "search" },
    });
    assert.match(JSON.stringify(result), /SHUTTING_DOWN/);
    assert.equal(host.calls.length, 0);
  });
});

test("a chain tells its own progress, because that of each of its calls would begin anew", async () => {
  const host = fakeHost(lists, async (call) => {
    call.onProgress?.({ progress: 99 });
    return ok();
  });
  const chain = [{ tool: "files:read_file" }, { tool: "web:search" }];
  const params = { name: "gateway_execute", arguments: { chain }, _meta: { progressToken: "mine" } };
  const { emitted } = await ask(host, "tools/call", params);
  assert.deepEqual(
    emitted.map((text) => (JSON.parse(text) as { params: JsonObject }).params),
    [
      { progressToken: "mine", progress: 1, total: 2, message: "files:read_file" },
      { progressToken: "mine", progress: 2, total: 2, message: "web:search" },
    ],
  );
});
