import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import { CancelledError, ConfigError, UpstreamError } from "../../src/core/errors.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { findMetaTool } from "../../src/meta/index.ts";
import type { MetaContext, MetaTool } from "../../src/meta/meta-tool.ts";
import { holds, parseCondition } from "../../src/meta/playbooks/condition.ts";
import { type PlaybookSource, readPlaybook } from "../../src/meta/playbooks/playbook.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";
import { callerWith, codeModeOff, fakeContext, tool } from "./fake-context.ts";

const servers = [
  { name: "github", tools: [tool("list_issues"), tool("close_issue")] },
  { name: "chat", tools: [tool("send")] },
];

function contextWith(playbook: JsonObject, answers: (JsonObject | Error)[], more: Partial<MetaContext> = {}) {
  const source = {
    value: { name: "p", ...playbook },
    placeOf: (at: readonly PropertyKey[]) => `p.yaml:${at.join(".")}`,
  };
  const context = fakeContext(servers, {
    settings: { codeMode: codeModeOff, playbooks: { enabled: true, directories: [] }, maxResultSize: undefined },
    actions: { ...fakeContext([]).actions, readPlaybooks: async () => new Map([["p.yaml", source]]) },
    async callTool(server, name, args, { signal } = {}) {
      context.calls.push({ server, tool: name, args });
      const answer = answers.shift();
      if (answer === undefined)
        return new Promise<Answer>((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason));
        });
      if (answer instanceof Error) throw answer;
      return Answer.of(answer);
    },
    ...more,
  });
  return context;
}

async function run(context: MetaContext, args: JsonObject = {}) {
  const runner = (await findMetaTool("gateway_run_playbook")) as MetaTool;
  const { value } = await runner.run({ name: "p", arguments: args }, context);
  const result = JSON.parse(String((value["content"] as JsonObject[])[0]?.["text"])) as JsonObject;
  return { ...result, isError: value["isError"] === true };
}

const gives = (structuredContent: JsonObject): JsonObject => ({ content: [], structuredContent });
const fails = (text: string): JsonObject => ({ content: [{ type: "text", text }], isError: true });
const listIssues = { name: "issues", server: "github", tool: "list_issues" };

test("gateway_run_playbook hands inputs and results on, skips by condition and picks its output", async () => {
  const context = contextWith(
    {
      inputs: { repo: { type: "string", required: true }, channel: { default: "#dev" }, quiet: {} },
      steps: [
        { ...listIssues, arguments: { repo: "$inputs.repo", price: "$$5", all: ["$inputs.quiet"] } },
        { name: "never", tool: "chat:send", condition: "$issues.items | length > 2" },
        {
          name: "tell",
          tool: "chat:send",
          // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how playbooks write it
          args: { to: "$inputs.channel", text: "${issues.total} open: ${issues.items[].title}", last: "$prev.total" },
          condition: "$issues.items | length >= 2 and not $inputs.quiet",
        },
      ],
      output: {
        type: "object",
        properties: {
          titles: { path: "$issues.items[].title" },
          sent: { path: "$never.id", fallback: "nothing" },
          gone: { path: "$issues.nothing" },
        },
      },
    },
    [gives({ total: 2, items: [{ title: "a" }, { title: "b" }] }), gives({ ok: true })],
  );
  const result = await run(context, { repo: "r" });
  assert.deepEqual(
    context.calls.map(({ args }) => args),
    [
      { repo: "r", price: "$5", all: [null] },
      { to: "#dev", text: '2 open: ["a","b"]', last: 2 },
    ],
  );
  assert.deepEqual(result, {
    output: { titles: ["a", "b"], sent: "nothing", gone: null },
    steps_completed: 2,
    steps_skipped: 1,
    steps_failed: 0,
    duration_ms: 0,
    isError: false,
    ...("duration_ms" in result && { duration_ms: result.duration_ms }),
  });
});

test("gateway_run_playbook ends at a failure, a tool that says isError included, and says what was done", async () => {
  const steps = [listIssues, { name: "close", tool: "github:close_issue" }, { name: "tell", tool: "chat:send" }];
  for (const failure of [fails("locked"), new UpstreamError("UPSTREAM_CLOSED", "locked")]) {
    const context = contextWith({ steps }, [gives({ n: 1 }), failure]);
    const result = await run(context);
    assert.equal(result.isError, true);
    assert.equal(context.calls.length, 2);
    assert.match(JSON.stringify(result), /"output":\{"issues":\{"n":1\}\}.*"failures":\[\{"step":"close".*locked/);
  }
});

test("gateway_run_playbook goes on where on_error says so", async () => {
  const steps = [
    { ...listIssues, on_error: "continue" },
    { name: "tell", tool: "chat:send", condition: "$issues == null" },
  ];
  const result = await run(contextWith({ steps }, [fails("down"), gives({ ok: 1 })]));
  assert.equal(result.isError, false);
  assert.match(
    JSON.stringify(result),
    /"output":\{"tell":\{"ok":1\}\},"steps_completed":1,"steps_skipped":0,"steps_failed":1/,
  );
});

test("gateway_run_playbook retries as often as it may", async () => {
  const clock = new FakeClock();
  const playbook = { steps: [listIssues], on_error: "retry", max_retries: 2 };
  for (const [answers, calls, isError] of [
    [[fails("1"), new UpstreamError("UPSTREAM_CLOSED", "2"), gives({})], 3, false],
    [[fails("1"), fails("2"), fails("3"), gives({})], 3, true],
  ] as const) {
    const context = contextWith(playbook, [...answers], { clock });
    const running = run(context);
    for (let at = 0; at < 4; at++) {
      await settle();
      await clock.advance(11_000);
    }
    assert.equal((await running).isError, isError);
    assert.equal(context.calls.length, calls);
  }
});

test("gateway_run_playbook ends with its time, the running call included, and with its request", async () => {
  const clock = new FakeClock();
  const context = contextWith({ steps: [listIssues], timeout: "2s", on_error: "retry" }, [], { clock });
  const running = run(context);
  await settle();
  await clock.advance(2_000);
  const result = await running;
  assert.equal(result.isError, true);
  assert.match(JSON.stringify(result), /TIMEOUT: Playbook \\"p\\" took longer than 2000 ms/);
  assert.equal(clock.pending, 0);

  const request = new Cancellation();
  const cancelled = run(contextWith({ steps: [listIssues] }, [], { clock, signal: request }));
  await settle();
  request.abort(new CancelledError());
  await assert.rejects(cancelled, CancelledError);
});

test("gateway_run_playbook checks the name and the arguments before any step", async () => {
  const context = contextWith({ inputs: { repo: { required: true } }, steps: [listIssues] }, []);
  await assert.rejects(run(context), { message: 'The playbook needs the argument "repo"' });
  await assert.rejects(run(context, { repo: "r", rpo: 1 }), /no argument "rpo"/);
  const runner = (await findMetaTool("gateway_run_playbook")) as MetaTool;
  await assert.rejects(runner.run({ name: "pp" }, context), { hint: "Did you mean: p?" });
  await assert.rejects(runner.run({ name: "p" }, fakeContext(servers)), { message: "Playbooks are switched off" });
  assert.deepEqual(context.calls, []);
});

test("gateway_list_playbooks names what there is, and to admins what is wrong", async () => {
  const lister = (await findMetaTool("gateway_list_playbooks")) as MetaTool;
  const good = { value: { name: "p", description: "d", steps: [listIssues] }, placeOf: () => "a.yaml:1:1" };
  const actions = {
    ...fakeContext([]).actions,
    readPlaybooks: async () =>
      new Map<string, PlaybookSource | ConfigError>([
        ["a", good],
        ["b", good],
        ["c", new ConfigError("c.yaml:1:1  broken")],
      ]),
  };
  const settings = { codeMode: codeModeOff, playbooks: { enabled: true, directories: [] }, maxResultSize: undefined };
  const { value } = await lister.run({}, fakeContext(servers, { actions, settings }));
  const listed = JSON.parse(String((value["content"] as JsonObject[])[0]?.["text"])) as JsonObject;
  const inputs = { type: "object", properties: {} };
  assert.deepEqual(listed["playbooks"], [{ name: "p", description: "d", inputs, steps: 1 }]);
  assert.deepEqual(listed["problems"], ['b  Another file has a playbook named "p" too', "c.yaml:1:1  broken"]);
  const forUser = await lister.run({}, fakeContext(servers, { actions, settings, caller: callerWith({}) }));
  assert.doesNotMatch(JSON.stringify(forUser.value), /broken/);
});

test("readPlaybook says everything that is wrong, with its place", () => {
  const problemsOf = (value: unknown): string[] => {
    try {
      readPlaybook({ value, placeOf: (at) => at.join(".") });
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.message.split("\n");
    }
  };
  assert.deepEqual(
    problemsOf({
      playbook: "2.0",
      steps: [
        { name: "a", tool: "t", arguments: { x: "$b.y" }, condition: "$a.b >" },
        { name: "a", on_error: "stop", retries: 2 },
      ],
      output: { properties: { z: { path: "$c.d" } } },
      timeout: "soon",
    }),
    [
      'name  "name" is missing',
      'playbook  Version "2.0" of playbooks is not known, "1.0" is',
      'timeout  "timeout" must be a duration such as 60 or "60s"',
      'steps.0.arguments  "$b.y" names no earlier step: there is inputs',
      'steps.0.condition  The condition has no value after ">"',
      'steps.1.retries  "retries" is no setting here',
      'steps.1.name  "a" must be a new name of letters, digits, "_" and "-"',
      'steps.1  A step needs "tool"',
      'steps.1.on_error  "on_error" must be abort, continue or retry',
      'output.properties.z.path  "$c.d" names no earlier step: there are inputs, a, prev',
    ],
  );
  assert.deepEqual(problemsOf([]), ["  A playbook must be a mapping"]);
  const { steps, timeoutMs } = readPlaybook({ value: { name: "n", steps: [{ tool: "weather" }] }, placeOf: () => "" });
  assert.deepEqual([steps[0]?.server, steps[0]?.name, timeoutMs], ["capabilities", "step1", 60_000]);
});

test("holds compares as written, and a path that leads nowhere is null", () => {
  const values = new Map<string, Json>([["a", { n: 3, s: "x", list: [1, 2], empty: [], long: "2024-05" }]]);
  const truths: Record<string, boolean> = {
    "$a.n > 2": true,
    "$a.n >= 3": true,
    "$a.n <= 2": false,
    "$a.n < 10": true,
    "$a.s == 'x'": true,
    '$a.s != "x"': false,
    "$a.list | length == 2": true,
    "$a.nothing | length > 0": false,
    "$a.nothing": false,
    "$a.nothing == null": true,
    "$a.empty": false,
    "not $a.empty": true,
    "!$a.list": false,
    "$a.nothing or $a.n == 3 and $a.s": true,
    "$a.nothing && $a.n || $a.empty": false,
    "$a.n > 'x'": false,
    "$a.list[-1] == 2": true,
    "$a['s'] == 'x'": true,
    "$a.long > '2024-04'": true,
    true: true,
  };
  for (const [text, expected] of Object.entries(truths)) {
    const condition = parseCondition(text);
    assert.notEqual(typeof condition, "string", `${text}: ${String(condition)}`);
    assert.equal(holds(condition as Exclude<typeof condition, string>, values), expected, text);
  }
  for (const text of ["", "$a.n >", "$a.n ~ 3", "$a.n | size", "a.n", "$a.n 3", "$a..n"])
    assert.equal(typeof parseCondition(text), "string", text);
});
