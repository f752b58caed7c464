import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as v from "valibot";
import { Answer } from "../../src/core/answer.ts";
import type { RpcRequest } from "../../src/core/call.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { neverCancelled } from "../../src/lib/cancellation.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { backendTransformSchema } from "../../src/upstreams/transform/schema.ts";
import { transformConnect } from "../../src/upstreams/transform/transform-connect.ts";

const tool = (name: string, more: object = {}) => ({
  name,
  description: `${name} of the server`,
  inputSchema: { type: "object", properties: { owner: {}, repo: {} }, required: ["owner", "repo"] },
  outputSchema: { type: "object" },
  ...more,
});
const tools = [tool("search_code"), tool("delete_repo"), tool("get_me", { annotations: { title: "Me" } })];

async function connected(settings: object, result: JsonObject = { content: [] }) {
  const seen: JsonObject[] = [];
  const connection = {
    description: { protocolVersion: "2025-11-25", serverInfo: {}, capabilities: {}, instructions: undefined },
    pid: 7,
    closed: new Promise<string>(() => {}),
    async request({ method, params }: RpcRequest) {
      if (method === "tools/list") return Answer.of({ tools, nextCursor: "2" });
      seen.push({ method, params });
      return Answer.of(result);
    },
    notify() {},
    close: async () => {},
  } satisfies Connection;
  const connect = transformConnect(async () => connection, "github", v.parse(backendTransformSchema, settings));
  const outer = await connect(neverCancelled, { onNotification() {} });
  const ask = (method: string, params: JsonObject = {}) => outer.request({ method, params, signal: neverCancelled });
  return {
    outer,
    seen,
    ask,
    list: async () => (await ask("tools/list")).value as { tools: JsonObject[]; nextCursor: string },
    call: (name: string, args?: JsonObject) => ask("tools/call", { name, ...(args && { arguments: args }) }),
  };
}

describe("transformConnect", () => {
  test("tools are hidden, renamed and put into a namespace, and called by what they are shown as", async () => {
    const { list, call, seen, outer } = await connected({
      namespace: "gh_",
      hide: ["delete_*"],
      rename: { get_me: "whoami" },
    });
    const { tools: shown, nextCursor } = await list();
    assert.deepEqual(
      shown.map(({ name }) => name),
      ["gh_search_code", "gh_whoami"],
    );
    assert.equal(nextCursor, "2");
    assert.deepEqual(shown[0], { ...tools[0], name: "gh_search_code" });
    await call("gh_whoami", { a: 1 });
    assert.deepEqual(seen, [{ method: "tools/call", params: { name: "get_me", arguments: { a: 1 } } }]);
    for (const name of ["whoami", "get_me", "gh_get_me", "gh_delete_repo", "delete_repo", ""])
      await assert.rejects(call(name), { rpc: { code: -32_602, message: `Unknown tool: ${name}` } });
    assert.equal(seen.length, 1);
    assert.equal(outer.pid, 7);
  });

  test("only some are shown", async () => {
    const { list, ask, seen } = await connected({ show: ["search_*", "delete_repo"], hide: ["delete_repo"] });
    assert.deepEqual(
      (await list()).tools.map(({ name }) => name),
      ["search_code"],
    );
    await ask("resources/read", { uri: "a:b" });
    assert.deepEqual(seen, [{ method: "resources/read", params: { uri: "a:b" } }]);
  });

  test("definitions are changed, and arguments set whatever the caller sends", async () => {
    const { list, call, seen } = await connected({
      tools: {
        search_code: { description: "Finds code of ours", arguments: { owner: "acme" } },
        "*": { annotations: { readOnlyHint: true } },
      },
    });
    const [search, , me] = (await list()).tools;
    assert.equal(search?.["description"], "Finds code of ours");
    assert.deepEqual(search?.["inputSchema"], { type: "object", properties: { repo: {} }, required: ["repo"] });
    assert.equal(search?.["annotations"], undefined, "the first that fits");
    assert.deepEqual(me?.["annotations"], { title: "Me", readOnlyHint: true });
    await call("search_code", { owner: "somebody else", repo: "r" });
    await call("search_code");
    await call("get_me", { x: 1 });
    assert.deepEqual(
      seen.map(({ params }) => (params as JsonObject)["arguments"]),
      [{ owner: "acme", repo: "r" }, { owner: "acme" }, { x: 1 }],
    );
  });

  test("results are changed, by the tool's own rules or those for all, and promise no schema then", async () => {
    const result = { content: [{ type: "text", text: '{"id":1,"noise":2}' }], structuredContent: { id: 1, noise: 2 } };
    const { list, call } = await connected(
      {
        tools: { get_me: { response: { redact: [{ pattern: "noise" }] } } },
        response: { project: ["id"] },
      },
      result,
    );
    const [search, , me] = (await list()).tools;
    assert.deepEqual([search?.["outputSchema"], me?.["outputSchema"]], [undefined, { type: "object" }]);
    assert.deepEqual((await call("search_code")).value["structuredContent"], { id: 1 });
    assert.deepEqual((await call("get_me")).value["structuredContent"], { id: 1, noise: 2 });
  });
});
