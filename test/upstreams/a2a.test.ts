/** A2A agents as servers of tools, in both versions and both ways an agent can answer; the agent is a hand-written one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RpcRequest } from "../../src/core/call.ts";
import { GatewayError, UpstreamError, UpstreamRpcError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { a2aConnect } from "../../src/upstreams/a2a/connect-a2a.ts";
import { type AgentOptions, type AgentServer, agentServer, pixel } from "../fixtures/agent-server.ts";
import { until } from "../fixtures/processes.ts";

const never = new Cancellation();
const defaults = {
  name: "sky",
  cardPath: undefined,
  headers: {},
  maxResultBytes: 200_000,
  clock: systemClock,
  log: silentLogger,
  redact: (text: string) => text.replaceAll("agent-secret-1", "***"),
};

// biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
type Loose = any;

interface Setting {
  readonly agent: AgentServer;
  readonly connection: Connection;
  readonly notifications: string[];
  readonly progress: JsonObject[];
  /** Of the tool `send_message`. */
  call(message: string, args?: JsonObject, more?: Partial<RpcRequest>): Promise<Loose>;
}

async function connected(options: AgentOptions, run: (setting: Setting) => Promise<void>, more: object = {}) {
  const agent = await agentServer(options);
  const notifications: string[] = [];
  const progress: JsonObject[] = [];
  const onNotification = (method: string) => void notifications.push(method);
  const connection = await a2aConnect({ ...defaults, url: agent.url, ...more })(never, { onNotification });
  const call: Setting["call"] = async (message, args = {}, request = {}) => {
    const params = { name: "send_message", arguments: { message, ...args } };
    const onProgress = (params: JsonObject) => void progress.push(params);
    const answer = await connection.request({ method: "tools/call", params, signal: never, onProgress, ...request });
    return JSON.parse(answer.text);
  };
  try {
    await run({ agent, connection, notifications, progress, call });
  } finally {
    await connection.close();
    await agent.close();
  }
}

const list = async ({ connection }: Setting): Promise<Loose[]> =>
  (await connection.request({ method: "tools/list", params: undefined, signal: never })).value["tools"] as Loose[];

function fails(code: string, message: RegExp, hint = /^/) {
  return (error: unknown) => {
    assert.ok(error instanceof GatewayError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.match(error.hint ?? "", hint);
    return true;
  };
}

const both = ["0.3", "1.0"] as const;
const ways = both.flatMap((version) => [
  { version, streaming: true },
  { version, streaming: false },
]);
const title = ({ version, streaming }: AgentOptions) => `${version} ${streaming ? "by stream" : "by asking again"}`;

test("tools: one for each skill, and one for whatever else", () =>
  connected({}, async (setting) => {
    const [skill, general] = await list(setting);
    assert.equal(skill.name, "weather_report");
    assert.equal(skill.title, "Weather report");
    assert.match(skill.description, /^Weather report: Tells the weather of a place\nExample: Will it rain in Paris\?/);
    assert.deepEqual(skill._meta, { "mcp-gateway/keywords": ["rain", "sun"] });
    assert.deepEqual(skill.inputSchema.required, ["message"]);
    assert.equal(general.name, "send_message");
    assert.match(general.description, /"Weather".*Knows the sky\./);
    const { serverInfo, protocolVersion, instructions } = setting.connection.description;
    assert.deepEqual(serverInfo, { name: "Weather", version: "7" });
    assert.equal(protocolVersion, "A2A 0.3");
    assert.equal(instructions, "Knows the sky.");
  }));

test("tools: ids that are alike once they are safe, and one that is taken", () =>
  connected({}, async (setting) => {
    const skills = ["a b", "a/b", "a.b", "send_message", "ü"].map((id) => ({ id, name: id, description: "" }));
    setting.agent.card = { ...setting.agent.card, skills: [...skills, "no skill", {}, { name: "nameless" }] };
    const names = (await list(setting)).map(({ name }) => name);
    assert.deepEqual(names, ["a_b", "a_b_2", "a.b", "send_message", "_", "nameless"]);
    setting.agent.card = { ...setting.agent.card, skills: undefined };
    assert.deepEqual(
      (await list(setting)).map(({ name }) => name),
      ["send_message"],
    );
  }));

test("the card is asked for again with what is known of it, and a change is told", () =>
  connected({}, async (setting) => {
    const { agent, connection, notifications } = setting;
    await list(setting);
    await connection.request({ method: "ping", params: undefined, signal: never });
    assert.deepEqual(
      agent.cards,
      [200, 304, 304].map((status) => `/.well-known/agent-card.json ${status}`),
    );
    assert.deepEqual(notifications, []);
    agent.card = { ...agent.card, skills: [{ id: "new", name: "new" }] };
    await connection.request({ method: "ping", params: undefined, signal: never });
    assert.deepEqual(notifications, ["notifications/tools/list_changed"]);
    assert.equal((await list(setting))[0].name, "new");
    // One that cannot be used is not taken, however often it is asked for.
    agent.card = { ...agent.card, url: "http://elsewhere.example/", skills: [] };
    for (let time = 0; time < 2; time++) await assert.rejects(list(setting), fails("UPSTREAM_PROTOCOL", /elsewhere/));
    const answer = await setting.call("hello again");
    assert.equal(answer.content[0].text, "Hello again");
  }));

for (const way of ways) {
  test(`message: an agent that just answers, ${title(way)}`, () =>
    connected(way, async ({ agent, call }) => {
      const answer = await call("hello Ada", { data: { id: 7 }, context_id: "mine" });
      assert.deepEqual(answer, {
        content: [
          { type: "text", text: "Hello Ada" },
          { type: "text", text: 'context_id: "mine"' },
        ],
        _meta: { "mcp-gateway/a2a": { contextId: "mine" } },
      });
      const { params, headers } = agent.calls[0] as Loose;
      assert.equal(headers["a2a-version"], way.version === "1.0" ? "1.0" : undefined);
      assert.equal(params.tenant, way.version === "1.0" ? "acme" : undefined);
      assert.deepEqual(params.configuration, {
        acceptedOutputModes: ["text/plain"],
        ...(way.streaming ? {} : way.version === "1.0" ? { returnImmediately: true } : { blocking: false }),
      });
      assert.match(params.message.messageId, /^[0-9a-f-]{36}$/);
      assert.equal(params.message.role, way.version === "1.0" ? "ROLE_USER" : "user");
      assert.deepEqual(
        params.message.parts,
        way.version === "1.0"
          ? [{ text: "hello Ada" }, { data: { id: 7 }, mediaType: "application/json" }]
          : [
              { kind: "text", text: "hello Ada" },
              { kind: "data", data: { id: 7 } },
            ],
      );
    }));

  test(`result: every kind of part in the form MCP has for it, ${title(way)}`, () =>
    connected(way, async ({ call }) => {
      const { content, structuredContent, isError, _meta } = await call("files please");
      assert.equal(isError, undefined);
      assert.deepEqual(_meta, {
        "mcp-gateway/a2a": { taskId: "task-1", contextId: "context-1", state: "completed" },
      });
      const data = { celsius: "12345678901234567890", wind: [1, 2] };
      assert.deepEqual(structuredContent, data);
      const { _meta: ofBlock } = content[1];
      assert.deepEqual(ofBlock, {
        "mcp-gateway/a2a": {
          ...{ artifactId: "all", name: "all.zip", description: "Everything" },
          metadata: { lang: "en" },
        },
      });
      assert.deepEqual(
        content.map(({ _meta, ...block }: Loose) => block),
        [
          { type: "text", text: "Done" },
          { type: "text", text: "See below" },
          { type: "text", text: JSON.stringify(data, undefined, 2) },
          { type: "image", data: pixel, mimeType: "image/png" },
          { type: "audio", data: "UklGRg==", mimeType: "audio/wav" },
          { type: "resource", resource: { uri: "a2a:sky/note.txt", mimeType: "text/plain", text: "plain" } },
          { type: "resource", resource: { uri: "a2a:sky/all.zip", mimeType: "application/zip", blob: "UEsDBA==" } },
          { type: "resource_link", uri: "https://maps.example/1", name: "map", mimeType: "text/html" },
          { type: "text", text: 'context_id: "context-1"' },
        ],
      );
    }));

  test(`input-required: the result says how to go on, and going on works, ${title(way)}`, () =>
    connected(way, async ({ agent, call }) => {
      const asked = await call("ask me");
      assert.equal(asked.isError, undefined);
      assert.deepEqual(
        asked.content.map(({ text }: Loose) => text),
        [
          "Which city?",
          'The task waits for an answer. It takes a message with task_id: "task-1", context_id: "context-1"',
        ],
      );
      const done = await call("Paris", { task_id: "task-1", context_id: "context-1" });
      assert.equal(done.content[0].text, "You said Paris");
      assert.equal(done._meta["mcp-gateway/a2a"].state, "completed");
      const { params } = agent.calls.findLast(({ params }) => "message" in params) as Loose;
      const { taskId, contextId } = params.message;
      assert.deepEqual([taskId, contextId], ["task-1", "context-1"]);
      const { acceptedOutputModes: _modes, ...waiting } = params.configuration;
      const expected = way.version === "1.0" ? { returnImmediately: false } : { blocking: true };
      assert.deepEqual(waiting, way.streaming ? {} : expected);
      assert.equal(agent.calls.filter(({ method }) => /cancel/i.test(method)).length, 0);
      const gone = await call("Paris", { task_id: "task-77" });
      assert.equal(gone.isError, true);
      assert.match(gone.content[0].text, /error -32001: Task not found\. .*leave out "task_id"/);
    }));

  test(`states that are failures are errors and say what is to be done, ${title(way)}`, () =>
    connected(way, async ({ call }) => {
      for (const [word, state, pattern] of [
        ["fail", "failed", /^The window is shut\nAgent "sky" failed at the task/],
        ["refuse", "rejected", /Agent "sky" refused the task/],
        ["login", "auth-required", /^Open https:\/\/login\.example\n.*a person .* a message with task_id: "task-3"/],
      ] as const) {
        const { content, isError, _meta } = await call(word);
        assert.equal(isError, true);
        assert.equal(_meta["mcp-gateway/a2a"].state, state);
        assert.match(content.map(({ text }: Loose) => text).join("\n"), pattern);
      }
      const broken = await call("error");
      assert.equal(broken.isError, true);
      assert.equal(broken.content[0].text, 'Agent "sky" answered with error -32603: It is broken, says ***');
      assert.ok(!JSON.stringify(broken).includes("agent-secret-1"));
    }));

  test(`cancelling a call cancels its task and leaves nothing under way, ${title(way)}`, () =>
    connected(way, async ({ agent, call, progress }) => {
      const signal = new Cancellation();
      const running = call("slow one", {}, { signal });
      await until(() => progress.length > 0);
      signal.abort();
      await assert.rejects(running, fails("CANCELLED", /./));
      await until(() => agent.calls.some(({ params }) => params["id"] === "task-1" && !("message" in params)));
      const cancel = () => agent.calls.filter(({ method }) => /cancel/i.test(method));
      await until(() => cancel().length === 1 && agent.streams.size === 0);
      assert.deepEqual(
        cancel()[0]?.params,
        way.version === "1.0" ? { tenant: "acme", id: "task-1" } : { id: "task-1" },
      );
    }));
}

test("stream: chunks of an artifact are one text", () =>
  connected({ streaming: true }, async ({ call }) => {
    const { content } = await call("chunks");
    assert.deepEqual(
      content.map(({ text }: Loose) => text),
      ["Rain and sun", 'context_id: "context-1"'],
    );
  }));

test("stream: updates are told as progress, parts of the answer no more than once a second", async () => {
  let nowMs = 0;
  await connected(
    { streaming: true },
    async ({ agent, call, progress }) => {
      await call("chunks");
      assert.deepEqual(progress.splice(0), [
        { progress: 1, message: "submitted" },
        { progress: 2, message: "Looking out of the window" },
      ]);
      const running = call("slow");
      await until(() => progress.length === 2);
      nowMs += 1_000;
      agent.finish();
      await running;
      assert.deepEqual(progress[2], { progress: 3, message: "Part of the answer: slow" });
    },
    { clock: { ...systemClock, now: () => nowMs } },
  );
});

test("stream: what was only said on the way is the answer where there is no other", () =>
  connected({ streaming: true }, async ({ call }) => {
    assert.equal((await call("talk")).content[0].text, "Looking out of the window");
  }));

test("stream: one that ends before the task is gone on with by asking for the task", () =>
  connected({ streaming: true }, async ({ agent, call }) => {
    const running = call("cut");
    await until(() => agent.calls.some(({ method }) => method === "tasks/get"));
    agent.finish();
    assert.equal((await running).content[0].text, "Late");
    assert.equal(agent.calls.filter(({ method }) => method === "message/stream").length, 1);
  }));

test("stream: a connection that is lost on the way loses nothing, one that is lost at once is an error", () =>
  connected({ streaming: true }, async ({ agent, call, progress }) => {
    const running = call("slow");
    await until(() => progress.length === 2);
    for (const response of agent.streams) response.destroy();
    await until(() => agent.calls.some(({ method }) => method === "tasks/get"));
    agent.intercept = (request, _response, body) => {
      if (!body.includes("message/stream")) return false;
      request.socket.destroy();
      return true;
    };
    await assert.rejects(call("hello"), fails("UPSTREAM_CLOSED", /before it answered/));
    agent.intercept = undefined;
    // The first stream is gone, so the agent says the rest to nobody.
    agent.finish();
    assert.equal((await running).content[0].text, "At last");
  }));

test("asking again is slower each time, tells only news, and stands a few failures in a row", async () => {
  const pauses = [250, 375, 562.5, 843.75, 1_265.625, 1_898.4375, 2_847.65625, 4_271.484375, 6_407.2265625];
  const waits: number[] = [];
  const clock = {
    ...systemClock,
    after(ms: number, run: () => void) {
      if (pauses.includes(ms)) waits.push(ms);
      return systemClock.after(pauses.includes(ms) ? 1 : ms, run);
    },
  };
  await connected(
    {},
    async ({ agent, call, progress }) => {
      let asked = 0;
      let down: (time: number) => boolean = (time) => time === 3 || time === 4;
      agent.intercept = (_request, response, body) => {
        if (!body.includes("tasks/get")) return false;
        asked++;
        if (asked === 6) agent.finish();
        if (!down(asked)) return false;
        response.writeHead(503).end();
        return true;
      };
      assert.equal((await call("slow")).content[0].text, "At last");
      assert.deepEqual(waits, pauses.slice(0, 6));
      assert.deepEqual(
        progress.map(({ message }) => message),
        ["submitted", "Looking out of the window"],
      );
      down = () => true;
      await assert.rejects(call("slow"), fails("UPSTREAM_START_FAILED", /HTTP 503/));
      assert.equal(asked, 6 + 3);
      // It may still be at work there.
      await until(() => agent.calls.at(-1)?.method === "tasks/cancel");
    },
    { clock },
  );
});

test("cancelling before the agent has named the task waits a moment for the name", () =>
  connected({ streaming: true }, async ({ agent, call }) => {
    let begin = () => {};
    agent.intercept = (request, response, body) => {
      if (!body.includes("message/stream")) return false;
      const { id } = JSON.parse(body);
      const result = { kind: "task", id: "task-9", contextId: "c", status: { state: "working" } };
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      begin = () => void response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", id, result })}\n\n`);
      return request.method === "POST";
    };
    const signal = new Cancellation();
    const before = begin;
    const running = call("slow", {}, { signal });
    await until(() => begin !== before);
    const timeout = new UpstreamError("TIMEOUT", "too slow");
    signal.abort(timeout);
    await assert.rejects(running, timeout);
    assert.equal(agent.calls.length, 0);
    begin();
    await until(() => agent.calls.length === 1);
    assert.deepEqual([agent.calls[0]?.method, agent.calls[0]?.params], ["tasks/cancel", { id: "task-9" }]);
  }));

test("closing the connection ends its calls, and their tasks", async () => {
  await connected({ streaming: true }, async ({ agent, connection, call, progress }) => {
    const running = call("slow");
    await until(() => progress.length === 2);
    const [closing] = [connection.close(), connection.close()];
    await assert.rejects(running, fails("UPSTREAM_CLOSED", /closed by the gateway/));
    await closing;
    assert.equal(agent.calls.at(-1)?.method, "tasks/cancel");
    assert.equal(await connection.closed, "was closed by the gateway");
  });
});

test("a task that waits for an answer outlives one the agent does not take", () =>
  connected({}, async ({ agent, call }) => {
    await call("ask");
    agent.intercept = (_request, response, body) => {
      if (!body.includes("message/send")) return false;
      response.writeHead(502).end();
      return true;
    };
    await assert.rejects(call("Paris", { task_id: "task-1" }), fails("UPSTREAM_START_FAILED", /HTTP 502/));
    agent.intercept = undefined;
    assert.equal((await call("Rome", { task_id: "task-1" })).content[0].text, "You said Rome");
    assert.equal(agent.calls.filter(({ method }) => method === "tasks/cancel").length, 0);
  }));

test("arguments that are wrong are said to the model, and the agent is not asked", () =>
  connected({}, async ({ agent, connection, call }) => {
    for (const [args, pattern] of [
      [{ message: "" }, /"message" must be a text/],
      [{ message: 1 }, /"message" must be a text/],
      [{ message: "x", contextId: "c" }, /no argument "contextId"; there are message, context_id/],
      [{ message: "x", task_id: 1 }, /"task_id"/],
      [{ message: "x", context_id: [] }, /"context_id"/],
      [{ message: "x", data: [] }, /"data" must be an object/],
      [{ message: "x", files: {} }, /"files" must be a list/],
      [{ message: "x", files: [{ url: "u" }, { base64: "no base64" }] }, /^files\[1\] needs either/],
      [{ message: "x", files: [{ url: "u", base64: "" }] }, /^files\[0\] needs either/],
      [{ message: "x", files: [{ url: "u", name: 1 }] }, /^files\[0\] has a "name"/],
    ] as const) {
      const { isError, content } = await call("x", args as JsonObject);
      assert.equal(isError, true);
      assert.match(content[0].text, pattern);
    }
    const ask = (method: string, params: JsonObject) => connection.request({ method, params, signal: never });
    await assert.rejects(ask("tools/call", { name: "other" }), /Unknown tool: other/);
    await assert.rejects(ask("tools/call", { name: "send_message", arguments: [] }), UpstreamRpcError);
    await assert.rejects(ask("resources/list", {}), /Method not found/);
    assert.deepEqual(agent.calls, []);
  }));

test("files and the skill go along with the message, in both versions", async () => {
  for (const version of both)
    await connected({ version }, async ({ agent, connection }) => {
      const files = [{ name: "a.txt", mime_type: "text/plain", base64: "YQ==" }, { url: "https://files.example/b" }];
      const params = { name: "weather_report", arguments: { message: "hello", files } };
      await connection.request({ method: "tools/call", params, signal: never });
      const { message, configuration } = (agent.calls[0] as Loose).params;
      assert.deepEqual(message.metadata, { skillId: "weather report" });
      assert.deepEqual(configuration.acceptedOutputModes, ["text/plain", "image/png"]);
      assert.deepEqual(
        message.parts.slice(1),
        version === "1.0"
          ? [{ raw: "YQ==", filename: "a.txt", mediaType: "text/plain" }, { url: "https://files.example/b" }]
          : [
              { kind: "file", file: { name: "a.txt", mimeType: "text/plain", bytes: "YQ==" } },
              { kind: "file", file: { uri: "https://files.example/b" } },
            ],
      );
    });
});

test("the card: where it is looked for", async () => {
  const agent = await agentServer();
  const connect = async (path: string, cardPath?: string) => {
    agent.cards.length = 0;
    const url = agent.url + path;
    const connection = await a2aConnect({ ...defaults, url, cardPath })(never, { onNotification() {} });
    await connection.close();
    return agent.cards.at(-1);
  };
  try {
    assert.equal(await connect(""), "/.well-known/agent-card.json 200");
    agent.cardPath = "/.well-known/agent.json";
    assert.equal(await connect("/"), "/.well-known/agent.json 200");
    assert.equal(await connect("/agents/sky/"), "/.well-known/agent.json 200");
    agent.cardPath = "/agents/sky/.well-known/agent.json";
    assert.equal(await connect("/agents/sky"), "/agents/sky/.well-known/agent.json 200");
    agent.cardPath = "/x/card?key=1";
    assert.equal(await connect("/x?key=1", "card"), "/x/card?key=1 200");
    agent.cardPath = "/cards/sky.json";
    assert.equal(await connect("/cards/sky.json"), "/cards/sky.json 200");
    assert.equal(await connect("", "//cards/sky.json"), "/cards/sky.json 200");
    await assert.rejects(
      connect("/none"),
      fails(
        "UPSTREAM_START_FAILED",
        /no agent card at \/none\/\.well-known\/agent-card\.json, .*, \/\.well-known\/agent\.json/,
        /a2a_agent_card_path/,
      ),
    );
    agent.intercept = (_request, response) => {
      response.writeHead(401).end("who are you");
      return true;
    };
    await assert.rejects(connect(""), fails("UPSTREAM_START_FAILED", /HTTP 401: who are you/, /"headers"/));
  } finally {
    await agent.close();
  }
});

test("the card: which interface is used", async () => {
  const agent = await agentServer();
  const origin = agent.url;
  const rpc = (protocolVersion: string, url = `${origin}/a`, protocolBinding = "JSONRPC") => ({
    ...{ url, protocolBinding, protocolVersion },
  });
  const connect = async (card: object) => {
    agent.card = { name: "x", ...card };
    const connection = await a2aConnect({ ...defaults, url: origin })(never, { onNotification() {} });
    const params = { name: "send_message", arguments: { message: "hello" } };
    agent.intercept = (request, response) => {
      if (request.method === "GET") return false;
      response.writeHead(410).end(request.url);
      return true;
    };
    const error = await connection.request({ method: "tools/call", params, signal: never }).catch(String);
    await connection.close();
    agent.intercept = undefined;
    return `${/HTTP 410: (\S+)/.exec(String(error))?.[1]} ${connection.description.protocolVersion}`;
  };
  try {
    assert.equal(await connect({ url: `${origin}/b` }), "/b A2A 0.3");
    assert.equal(await connect({ supportedInterfaces: [rpc("0.3"), rpc("1.0")] }), "/a A2A 0.3");
    assert.equal(await connect({ supportedInterfaces: [rpc("2.0"), rpc("1.1", `${origin}/c`)] }), "/c A2A 1.0");
    const elsewhere = rpc("1.0", "https://evil.example/rpc");
    assert.equal(await connect({ supportedInterfaces: [elsewhere], url: `${origin}/b` }), "/b A2A 0.3");
    const more = [{ url: `${origin}/d`, transport: "JSONRPC" }];
    const grpc = { url: `${origin}/b`, preferredTransport: "GRPC" };
    assert.equal(await connect({ ...grpc, additionalInterfaces: more }), "/d A2A 0.3");
    await assert.rejects(connect(grpc), fails("UPSTREAM_PROTOCOL", /no interface the gateway speaks: GRPC 0\.3/));
    await assert.rejects(connect({}), fails("UPSTREAM_PROTOCOL", /its card names none/));
    await assert.rejects(connect({ name: 1 }), fails("UPSTREAM_PROTOCOL", /without a "name"/));
    await assert.rejects(
      connect({ url: "https://evil.example/rpc" }),
      fails(
        "UPSTREAM_PROTOCOL",
        new RegExp(`"https://evil.example/rpc" as its address, but "a2a_url" is on ${origin}: set "a2a_url"`),
      ),
    );
    for (const url of ["file:///etc/passwd", "//evil.example", "not an address", `${origin}.evil.example/`])
      await assert.rejects(connect({ url }), fails("UPSTREAM_PROTOCOL", /as its address/));
    const skills = Array.from({ length: 1_001 }, (_, id) => ({ id: String(id) }));
    await assert.rejects(connect({ url: origin, skills }), fails("UPSTREAM_PROTOCOL", /1001 skills/));
  } finally {
    await agent.close();
  }
});

test("whatever an agent sends, the call ends with an error that says what was wrong", async () => {
  const task = (more: object = {}) => ({
    kind: "task",
    id: "t",
    contextId: "c",
    status: { state: "working" },
    ...more,
  });
  const big = { artifactId: "a", parts: [{ kind: "text", text: "x".repeat(30_000) }] };
  const update = (id = "t") => ({ kind: "artifact-update", taskId: id, contextId: "c", artifact: big, append: true });
  type Body = string | ((id: number) => string);
  const stream =
    (...results: object[]): Body =>
    (id) =>
      results.map((result) => `data: ${JSON.stringify({ jsonrpc: "2.0", id, result })}\n\n`).join("");
  const cases: [Body, code: string, RegExp, contentType?: string][] = [
    ["<html>", "UPSTREAM_PROTOCOL", /content type "text\/html"/, "text/html"],
    ["{", "UPSTREAM_PROTOCOL", /invalid answer/],
    ["[]", "UPSTREAM_CLOSED", /before it answered/],
    ['{"jsonrpc":"2.0","id":999,"result":{}}', "UPSTREAM_PROTOCOL", /answered request 999/],
    ['{"jsonrpc":"2.0","id":1,"method":"x"}', "UPSTREAM_PROTOCOL", /sent "x" where the answer/],
    [
      (id) => `{"jsonrpc":"2.0","id":${id},"result":{"kind":"task"}}`,
      "UPSTREAM_PROTOCOL",
      /neither a message nor a task/,
    ],
    [
      (id) => `{"jsonrpc":"2.0","id":${id},"result":{"a":${"[".repeat(600)}${"]".repeat(600)}}}`,
      "UPSTREAM_PROTOCOL",
      /deep/,
    ],
    ["x".repeat(200_001), "RESULT_TOO_LARGE", /max_result_size/],
    ["data: {\n\n", "UPSTREAM_PROTOCOL", /invalid answer/, "text/event-stream"],
    [": nothing\n\n", "UPSTREAM_CLOSED", /before it answered/, "text/event-stream"],
    ["data: {}", "UPSTREAM_CLOSED", /in the middle of an event/, "text/event-stream"],
    [`data: ${"x".repeat(200_001)}`, "RESULT_TOO_LARGE", /./, "text/event-stream"],
    [stream(task(), update("other")), "UPSTREAM_PROTOCOL", /for task "other" where "t" was due/, "text/event-stream"],
    [stream(task(), ...Array.from({ length: 8 }, () => update())), "RESULT_TOO_LARGE", /./, "text/event-stream"],
    [
      stream(
        task({
          status: { state: "completed" },
          artifacts: [{ artifactId: "f", parts: [{ kind: "file", file: { bytes: "§" } }] }],
        }),
      ),
      "UPSTREAM_PROTOCOL",
      /not base64/,
      "text/event-stream",
    ],
  ];
  await connected({ streaming: true }, async ({ agent, call }) => {
    for (const [body, code, message, contentType = "application/json"] of cases) {
      agent.intercept = (_request, response, asked) => {
        const { id, method } = JSON.parse(asked);
        if (method !== "message/stream") return false;
        response.writeHead(200, { "content-type": contentType }).end(typeof body === "string" ? body : body(id));
        return true;
      };
      await assert.rejects(call("x"), fails(code, message), String(message));
    }
  });
});

test("redirects are followed within the origin only, and credentials go nowhere else", async () => {
  const thief = await agentServer();
  await connected(
    {},
    async ({ agent, call }) => {
      agent.intercept = (request, response) => {
        const isMoved = request.url === "/moved";
        if (!isMoved) response.writeHead(307, { location: "/moved" }).end();
        return !isMoved;
      };
      assert.equal((await call("hello")).content[0].text, "Hello ");
      assert.equal(agent.calls[0]?.headers.authorization, "Bearer agent-secret-1");
      agent.intercept = (_request, response) => {
        response.writeHead(307, { location: `${thief.url}/rpc` }).end();
        return true;
      };
      await assert.rejects(
        call("hello"),
        fails("UPSTREAM_PROTOCOL", /redirects to another origin/, /the URL of the backend/),
      );
      assert.deepEqual([thief.calls, thief.cards], [[], []]);
    },
    { headers: { Authorization: "Bearer agent-secret-1" } },
  );
  await thief.close();
});

test("a user and a password in a2a_url are sent as such, and are no part of an address", async () => {
  const agent = await agentServer();
  const url = agent.url.replace("//", "//ada:l%C3%B6w@");
  const connection = await a2aConnect({ ...defaults, url })(never, { onNotification() {} });
  const params = { name: "send_message", arguments: { message: "hello" } };
  await connection.request({ method: "tools/call", params, signal: never });
  assert.equal(agent.calls[0]?.headers.authorization, `Basic ${Buffer.from("ada:löw").toString("base64")}`);
  await connection.close();
  await agent.close();
});
