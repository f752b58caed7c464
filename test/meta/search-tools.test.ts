import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { metaTools } from "../../src/meta/index.ts";
import type { MetaContext, MetaTool } from "../../src/meta/meta-tool.ts";
import { callerWith, fakeContext, tool } from "./fake-context.ts";

const github = {
  name: "github",
  description: "Issues and pull requests",
  tools: [
    tool("create_issue", "Open a new issue in a repository", { title: { type: "string" }, body: { type: "string" } }, [
      "title",
    ]),
    tool("list_pull_requests", "Pull requests of a repository"),
  ],
};
const files = { name: "files", tools: [tool("read_text_file", "Read a file", { path: { type: "string" } }, ["path"])] };

async function search(
  args: JsonObject,
  context: MetaContext,
  searchTool: MetaTool = metaTools.get("gateway_search_tools") as MetaTool,
) {
  const { content, structuredContent } = (await searchTool.run(args, context)).value as {
    content: { text: string }[];
    structuredContent: JsonObject;
  };
  assert.deepEqual(JSON.parse(content[0]?.text as string), structuredContent);
  return structuredContent as JsonObject & { matches: JsonObject[] };
}

test("gateway_search_tools gives matches with what is needed to call them", async () => {
  const result = await search({ query: "create issue" }, fakeContext([files, github]));
  const [first] = result.matches;
  assert.equal(first?.["server"], "github");
  assert.equal(first?.["tool"], "create_issue");
  assert.equal(first?.["parameters"], "title: string, body?: string");
  assert.equal(first?.["input_schema"], undefined);
  assert.equal(result["total"], result.matches.length);
  assert.equal(result["total_available"], 3);
});

test("gateway_search_tools gives schemas when asked", async () => {
  const result = await search({ query: "create issue", include_schema: "true", limit: "1" }, fakeContext([github]));
  assert.deepEqual(
    result.matches.map((match) => match["input_schema"]),
    [github.tools[0]?.["inputSchema"]],
  );
});

test("gateway_search_tools prefers what is called often among tools that fit as well, and no other", async () => {
  const twins = ["alpha", "beta"].map((name) => ({
    name,
    tools: [tool("read_page", "Reads a page"), tool("list_pages")],
  }));
  const usedBy = (counts: Record<string, number>) =>
    fakeContext(twins, {
      usage: { ready: async () => {}, successes: (server, name) => counts[`${server}:${name}`] ?? 0, most: () => [] },
    });
  const ranked = async (counts: Record<string, number>) =>
    (await search({ query: "reads a page" }, usedBy(counts))).matches.map(
      (match) => `${match["server"]}:${match["tool"]}`,
    );
  assert.equal((await ranked({}))[0], "alpha:read_page");
  assert.equal((await ranked({ "beta:read_page": 5 }))[0], "beta:read_page");
  assert.equal((await ranked({ "beta:list_pages": 1_000_000 }))[0], "alpha:read_page");
});

test("gateway_search_tools keeps to one server and to the limit", async () => {
  const context = fakeContext([files, github]);
  const inFiles = await search({ query: "file issue", server: "files" }, context);
  assert.deepEqual([...new Set(inFiles.matches.map((match) => match["server"]))], ["files"]);
  assert.equal((await search({ query: "file issue repository", limit: 1 }, context)).matches.length, 1);
});

test("gateway_search_tools names the argument that is wrong", async () => {
  const context = fakeContext([github]);
  await assert.rejects(search({}, context), { code: "INVALID_PARAMS", message: 'Argument "query" is missing' });
  await assert.rejects(search({ query: "x", limit: 0 }, context), /"limit" must be a whole number from 1 to 25/);
  await assert.rejects(
    search({ query: "x", include_schema: "maybe" }, context),
    /"include_schema" must be true or false/,
  );
  await assert.rejects(search({ query: "x", server: "gihub" }, context), {
    code: "SERVER_NOT_FOUND",
    hint: "Did you mean: github?",
  });
});

test("gateway_search_tools explains a miss: nearest names, servers that are down or off, and how much is hidden", async () => {
  const context = fakeContext(
    [
      github,
      { name: "mail", state: { is: "backoff", error: "spawn ENOENT", retryAtMs: 5 } },
      { name: "off", enabled: false, tools: [tool("zzz_tool")] },
      { name: "secret", tools: [tool("canary_tool"), tool("canary_other")] },
    ],
    { caller: callerWith({ backends: ["github", "mail", "off"], deniedTools: ["list_*"] }) },
  );
  const result = await search({ query: "creatissue" }, context);
  assert.equal(result["total"], 0);
  assert.deepEqual(result["nearest"], ["github:create_issue"]);
  assert.equal(result["hint"], "Did you mean: github:create_issue?");
  assert.deepEqual(result["not_searched"], [
    { server: "mail", reason: "down: spawn ENOENT" },
    { server: "off", reason: "disabled by the operator" },
  ]);
  assert.deepEqual(result["hidden_from_caller"], { servers: 1, tools: 3 });
});

test("gateway_search_tools says which matches cannot be called now", async () => {
  const result = await search({ query: "create issue" }, fakeContext([{ ...github, circuit: "open" }]));
  assert.equal(result.matches[0]?.["unavailable"], "circuit open");
});

test("gateway_search_tools says which servers it could not look through", async () => {
  const result = await search({ query: "create issue" }, fakeContext([github, { name: "new" }]));
  assert.equal(result.matches[0]?.["tool"], "create_issue");
  assert.match(JSON.stringify(result["not_searched"]), /"new".*not listed yet/);
});

test("gateway_search_tools searches what servers never listed before have by then", async () => {
  const learning = fakeContext([{ name: "files" }, { name: "off", enabled: false }], {
    async toolsSoon(server) {
      assert.equal(server, "files");
      learning.catalog.update(server, "tools", files.tools);
    },
  });
  assert.equal((await search({ query: "read file" }, learning)).matches.length, 1);
});

test("gateway_search_tools takes several queries at once, each with its best hit among the first", async () => {
  const noise = { name: "noise", tools: [tool("file_issue_reader", "Read an issue about a file, create or open it")] };
  const result = await search({ queries: ["create issue", "read text file"] }, fakeContext([noise, files, github]));
  assert.equal(result["query"], "create issue; read text file");
  assert.deepEqual(
    result.matches.slice(0, 2).map((match) => match["tool"]),
    ["create_issue", "read_text_file"],
  );
  const twice = await search({ queries: ["create issue", "create issue"] }, fakeContext([github]));
  assert.deepEqual(twice.matches, (await search({ query: ["create issue"] }, fakeContext([github]))).matches);
  const many = Array.from({ length: 9 }, (_, at) => `query ${at}`);
  await assert.rejects(search({ queries: many }, fakeContext([github])), /more than 8 queries/);
});

test("gateway_search_tools says which servers to narrow to when more fits than it shows", async () => {
  const crowd = (name: string, count: number) => ({
    name,
    tools: Array.from({ length: count }, (_, at) => tool(`ping_${at}`)),
  });
  const context = fakeContext([crowd("a", 3), crowd("b", 20), crowd("hidden", 5)], {
    caller: callerWith({ backends: ["a", "b"] }),
  });
  assert.deepEqual((await search({ query: "ping" }, context))["narrow_by_server"], { b: 20, a: 3 });
  assert.equal((await search({ query: "ping", server: "a" }, context))["narrow_by_server"], undefined);
});

test("gateway_search_tools says what a capability still needs, and takes no other server's word for it", async () => {
  const needy = { ...tool("send_message", "Send a message"), _meta: { "mcp-gateway/unavailable": "needs TOKEN" } };
  const found = async (kind: "capability" | "stdio") =>
    (await search({ query: "send message" }, fakeContext([{ name: "apis", kind, tools: [needy] }]))).matches[0];
  assert.equal((await found("capability"))?.["unavailable"], "needs TOKEN");
  assert.equal((await found("stdio"))?.["unavailable"], undefined);
});
