import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import { CancelledError, UpstreamError, UpstreamRpcError } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { findMetaTool, listedMetaTools } from "../../src/meta/index.ts";
import type { MetaContext, MetaTool } from "../../src/meta/meta-tool.ts";
import { metaToolNames } from "../../src/meta/meta-tool-names.ts";
import { callerWith, codeModeOff, type FakeContext, fakeContext, tool } from "./fake-context.ts";

const servers = [
  { name: "github", tools: [tool("list_issues", "Issues of a repository"), tool("create_issue"), tool("close_issue")] },
  { name: "chat", tools: [tool("send", "Send a message"), tool("send_file")] },
];

/** A context whose tools answer by `answers`, in the order they are called. */
function answering(...answers: (JsonObject | Error)[]): FakeContext {
  const context = fakeContext(servers, {
    async callTool(server, name, args) {
      context.calls.push({ server, tool: name, args });
      const answer = answers.shift() as JsonObject | Error;
      if (answer instanceof Error) throw answer;
      return Answer.of(answer);
    },
  });
  return context;
}

async function execute(args: JsonObject, context: MetaContext) {
  const execution = (await findMetaTool("gateway_execute")) as MetaTool;
  const { value } = await execution.run(args, context);
  const [first, ...blocks] = value["content"] as JsonObject[];
  return { isError: value["isError"], result: JSON.parse(String(first?.["text"])) as JsonObject, blocks };
}

const text = (value: unknown): JsonObject => ({ content: [{ type: "text", text: JSON.stringify(value) }] });

test("gateway_execute runs one tool as gateway_invoke does", async () => {
  const context = answering({ content: [{ type: "text", text: "sent" }], _meta: { x: 1 } });
  const execution = (await findMetaTool("gateway_execute")) as MetaTool;
  const { value } = await execution.run({ tool: "chat:send", arguments: { to: "ada" } }, context);
  assert.deepEqual(value, { content: [{ type: "text", text: "sent" }], _meta: { x: 1 } });
  assert.deepEqual(context.calls, [{ server: "chat", tool: "send", args: { to: "ada" } }]);
});

test("gateway_execute passes results from step to step", async () => {
  const context = answering(
    { content: [], structuredContent: { issues: [{ id: 7, labels: ["a"] }, { id: 9 }] } },
    text({ "odd key": { url: "u" } }),
    { content: [{ type: "text", text: "done" }] },
  );
  const { result, isError } = await execute(
    {
      chain: [
        { id: "open", tool: "github:list_issues" },
        {
          tool: "github:close_issue",
          arguments: { ids: { $from: "open.issues[*].id" }, last: { $from: "open.issues[-1]" } },
        },
        {
          tool: "chat:send",
          arguments: {
            to: [{ $from: 'step2["odd key"].url' }],
            label: { $from: "open.issues[1].labels[0]", default: "none" },
          },
        },
      ],
    },
    context,
  );
  assert.equal(isError, undefined);
  assert.deepEqual(
    context.calls.map(({ args }) => args),
    [{}, { ids: [7, 9], last: { id: 9 } }, { to: ["u"], label: "none" }],
  );
  assert.equal(result["steps"], 3);
  assert.deepEqual(context.reports, [
    [1, 3, "github:list_issues"],
    [2, 3, "github:close_issue"],
    [3, 3, "chat:send"],
  ]);
  assert.deepEqual((result["results"] as JsonObject[]).at(-1), { step: "step3", tool: "chat:send", result: "done" });
});

test("gateway_execute returns what output asks for, and no result besides", async () => {
  const context = answering(text({ issues: [{ title: "a" }, { title: "b" }] }));
  const chain = [{ tool: "github:list_issues" }];
  const { result } = await execute({ chain, output: { titles: { $from: "step1.issues[*].title" } } }, context);
  assert.deepEqual(result, { steps: 1, output: { titles: ["a", "b"] } });
});

test("gateway_execute keeps the digits of long numbers", async () => {
  const long = '{"id":12345678901234567890}';
  const context = answering({ content: [{ type: "text", text: long }] }, { content: [] });
  await execute(
    { chain: [{ tool: "github:list_issues" }, { tool: "chat:send", arguments: { $from: "step1" } }] },
    context,
  );
  assert.equal(JSON.stringify(context.calls[1]?.args), long);
});

test("gateway_execute hands images of the steps on as they are", async () => {
  const image = { type: "image", data: "aGk=", mimeType: "image/png" };
  const { blocks } = await execute({ chain: [{ tool: "chat:send" }] }, answering({ content: [image] }));
  assert.deepEqual(blocks, [image]);
});

test("gateway_execute stops at the first error and says what was done", async () => {
  const failures: [JsonObject | Error, RegExp][] = [
    [{ content: [{ type: "text", text: "no such issue" }], isError: true }, /^no such issue$/],
    [{ resultType: "input_required", inputRequests: {} }, /^The tool asks the user for something first/],
    [{ resultType: "task", taskId: "t" }, /^The tool went on in the background/],
    [new UpstreamError("UPSTREAM_CLOSED", "The server exited"), /^UPSTREAM_CLOSED: The server exited$/],
    [new UpstreamRpcError({ code: -32602, message: "bad" }, "github"), /^UPSTREAM_ERROR: bad$/],
  ];
  for (const [failure, error] of failures) {
    const context = answering(text("first"), failure);
    const chain = [{ tool: "chat:send" }, { id: "close", tool: "github:close_issue" }, { tool: "chat:send_file" }];
    const { result, isError } = await execute({ chain }, context);
    assert.equal(isError, true);
    assert.equal(context.calls.length, 2);
    assert.deepEqual(result["results"], [{ step: "step1", tool: "chat:send", result: "first" }]);
    const failed = result["failed"] as JsonObject;
    assert.deepEqual([failed["step"], failed["tool"]], ["close", "github:close_issue"]);
    assert.match(String(failed["error"]), error);
  }
});

test("gateway_execute names the step and the place a reference leads nowhere", async () => {
  const chain = [
    { tool: "github:list_issues" },
    { tool: "chat:send", arguments: { to: { $from: "step1.user.name" } } },
  ];
  const { result, isError } = await execute({ chain }, answering(text({ users: [] })));
  assert.equal(isError, true);
  assert.match(
    String((result["failed"] as JsonObject)["error"]),
    /Step "step2" refers to "step1.user.name", but "step1" has no "user", it has users/,
  );
});

test("gateway_execute calls nothing of a chain that cannot be right", async () => {
  const send = { tool: "chat:send" };
  const wrong: [JsonObject, RegExp][] = [
    [{ chain: [send, { tool: "chat:sned" }] }, /Step "step2": Server "chat" has no tool named "sned"/],
    [
      { chain: [send, { tool: "chat:send", arguments: { a: { $from: "step2.x" } } }] },
      /"step2" is no earlier step: these are step1/,
    ],
    [{ chain: [send, { id: "step1", tool: "chat:send" }] }, /has the id of an earlier step/],
    [{ chain: [send, { tool: "chat:send", arguments: { a: { $from: "step1..x" } } }] }, /not of the form/],
    [{ chain: [send], output: { $from: "result" } }, /"output" refers to "result"/],
    [{ chain: [send, 3] }, /Step "step2" must be an object/],
    [{ chain: [] }, /1 to 50 steps/],
    [{ chain: [send], tool: "chat:send" }, /exclude each other/],
    [{}, /Neither/],
  ];
  for (const [args, message] of wrong) {
    const context = answering();
    await assert.rejects(execute(args, context), message);
    assert.deepEqual(context.calls, []);
  }
});

test("gateway_execute ends with the request, and lets the host show an address first", async () => {
  const chain = [{ tool: "chat:send" }, { tool: "chat:send" }];
  await assert.rejects(execute({ chain }, answering(text(1), new CancelledError())), CancelledError);
  const elicitation = new UpstreamRpcError({ code: -32042, message: "log in" }, "chat");
  await assert.rejects(execute({ chain }, answering(elicitation)), elicitation);
});

test("gateway_execute reaches nothing that the caller may not use", async () => {
  const context = fakeContext(servers, { caller: callerWith({ deniedTools: ["chat:send_file"] }) });
  await assert.rejects(execute({ chain: [{ tool: "chat:send_file" }] }, context), { code: "TOOL_NOT_FOUND" });
});

test("gateway_search names tools as gateway_execute takes them, with schema, by words or pattern", async () => {
  const search = (await findMetaTool("gateway_search")) as MetaTool;
  const found = async (args: JsonObject) => {
    const { value } = await search.run(args, fakeContext(servers));
    return JSON.parse(String((value["content"] as JsonObject[])[0]?.["text"])) as JsonObject & {
      matches: JsonObject[];
    };
  };
  const [first] = (await found({ query: "issues of a repository" })).matches;
  assert.equal(first?.["tool"], "github:list_issues");
  assert.deepEqual(first?.["input_schema"], servers[0]?.tools[0]?.["inputSchema"]);
  const names = async (query: string) => (await found({ query })).matches.map((match) => match["tool"]);
  assert.deepEqual(await names("*_issue"), ["github:create_issue", "github:close_issue"]);
  assert.deepEqual(await names("chat:*"), ["chat:send", "chat:send_file"]);
  assert.deepEqual(await names("*:sen?"), ["chat:send"]);
  const limited = await found({ query: "github:*", limit: 1, include_schema: false });
  assert.deepEqual([limited.matches.length, limited["total"]], [1, 3]);
  assert.equal(limited.matches[0]?.["input_schema"], undefined);
});

test("metaToolNames are those of the tools there are", async () => {
  for (const name of metaToolNames) assert.equal((await findMetaTool(name))?.name, name);
  assert.equal(await findMetaTool("gateway_nothing"), undefined);
  const { moreTools } = await import("../../src/meta/more-tools.ts");
  for (const name of moreTools.keys()) assert.ok(metaToolNames.has(name), name);
});

test("listedMetaTools shows operator tools by configuration and rights", async () => {
  const listed = async (
    operatorTools: Parameters<typeof listedMetaTools>[1],
    context: MetaContext = fakeContext(servers),
    codeMode = false,
  ) =>
    (await listedMetaTools(context, operatorTools, codeMode)).map(({ name }) => name.replace("gateway_", "")).slice(4);
  const everyone = ["get_stats", "webhook_status", "list_disabled_capabilities", "get_profile", "list_profiles"];
  const admin = [
    ["get_stats", "cost_report", "webhook_status", "kill_server", "revive_server", "list_disabled_capabilities"],
    ["set_profile", "get_profile", "list_profiles", "set_state", "reload_config", "reload_capabilities"],
  ].flat();
  const user = fakeContext(servers, { caller: callerWith({}) });
  assert.deepEqual(await listed("none"), []);
  assert.deepEqual(await listed("admin"), admin);
  assert.deepEqual(await listed("admin", user), []);
  assert.deepEqual(await listed("all", user), everyone);
  assert.deepEqual(await listed(["get_stats", "gateway_reload_config"], user), ["get_stats"]);
  const withPlaybooks = fakeContext(servers, {
    settings: { codeMode: codeModeOff, playbooks: { enabled: true, directories: [] }, maxResultSize: undefined },
  });
  assert.deepEqual(await listed("none", withPlaybooks), ["run_playbook", "list_playbooks"]);
  assert.deepEqual(
    (await listedMetaTools(fakeContext(servers), "all", true)).map(({ name }) => name),
    ["gateway_search", "gateway_execute"],
  );
});

test("gateway_reload_config is for admins, listed or not", async () => {
  const reload = (await findMetaTool("gateway_reload_config")) as MetaTool;
  await assert.rejects(reload.run({}, fakeContext(servers, { caller: callerWith({}) })), { code: "FORBIDDEN" });
  const actions = { ...fakeContext([]).actions, reloadConfig: async () => ({ changes: "no changes detected" }) };
  const { value } = await reload.run({}, fakeContext(servers, { actions }));
  assert.match(JSON.stringify(value), /no changes detected/);
});
