import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProjectionOptions } from "../../src/capabilities/projection-arm.ts";
import { Answer } from "../../src/core/answer.ts";
import type { ProjectedAnswer } from "../../src/core/projected-answer.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { call, Folder, KeptLog, listTools, rest, tryOnce, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

const issue = {
  id: 7,
  title: "Broken",
  user: { login: "ada", mail: "ada@example.org" },
  labels: [{ name: "bug" }, { name: "ui" }],
  html_url: "https://x/7",
  big: 1,
};
const projection = {
  actor: { id: "$.user.id", handle: "user.login", email: "user.mail" },
  subject: { id: "id", title: "title", kind: "labels.name" },
  url: { href: "html_url" },
  env_time: { created: "created_at" },
  body: {},
};
const common = {
  actor: { handle: "ada", email: "ada@example.org" },
  subject: { id: 7, title: "Broken", kind: ["bug", "ui"] },
  url: { href: "https://x/7" },
};
const on: ProjectionOptions = { mode: "on" };

async function answered(body: unknown, more: JsonObject = {}, args: JsonObject = {}, options: ProjectionOptions = on) {
  await using api = await RawApi.start(() => ({ body: typeof body === "string" ? body : JSON.stringify(body) }));
  const definition = { ...rest({ base_url: api.origin, method: "POST" }), projection, ...more };
  const found = await tryOnce(definition, { projection: options, args });
  return { ...found, sent: api.requests[0]?.body };
}

test("projection: common fields by their paths beside the whole answer; what is missing is left out", async () => {
  assert.deepEqual(JSON.parse((await answered(issue)).text), { ...common, _raw: issue });
  assert.deepEqual(JSON.parse((await answered({ id: 0, title: null })).text), {
    subject: { id: 0, title: null },
    _raw: { id: 0, title: null },
  });
});

test("projection: of a list, each element; of long numbers, every digit", async () => {
  const answer = `[${JSON.stringify(issue)},{"id":12345678901234567890}]`;
  const backends = {
    has: () => true,
    callTool: async () => Answer.of({ content: [{ type: "text", text: answer }] }),
  };
  const definition = { providers: { primary: { service: "mcp", config: { server: "s", tool: "t" } } }, projection };
  const { text } = await tryOnce(definition, { projection: on, backends });
  assert.deepEqual(JSON.parse(text)[0], { ...common, _raw: issue });
  assert.equal(text.match(/12345678901234567890/g)?.length, 2);
});

test("projection: off by default, and left alone where there is no JSON or the call failed", async () => {
  assert.deepEqual(JSON.parse((await answered(issue, {}, {}, { mode: "off" })).text), issue);
  const template = { transform: { format: { type: "template", template: "Seen: {title}" } } };
  assert.equal((await answered(issue, template)).text, "Seen: Broken");
  const failed = await tryOnce(
    { providers: { primary: { service: "mcp", config: { server: "s", tool: "t" } } }, projection },
    { projection: on },
  );
  assert.equal(failed.isError, true);
  assert.match(failed.text, /^Tool "t" of server "s"/);
});

test("_full gives the answer as it is but for what is redacted, and never reaches the API", async () => {
  const more = { response_transform: { project: ["id", "user"], redact: [{ pattern: "[a-z]+@" }] } };
  const shaped = { id: 7, user: { login: "ada", mail: "[REDACTED]example.org" } };
  assert.deepEqual(JSON.parse((await answered(issue, more)).text)._raw, shaped);
  const full = await answered(issue, more, { _full: true, x: 1 });
  assert.deepEqual(JSON.parse(full.text), { ...issue, user: shaped.user });
  assert.deepEqual(JSON.parse(String(full.sent)), { x: 1 });
  for (const value of [false, "true"]) {
    const { text, sent } = await answered(issue, {}, { _full: value });
    assert.deepEqual(JSON.parse(text)._raw, issue);
    assert.deepEqual(JSON.parse(String(sent)), {});
  }
  const strict = { schema: { input: { type: "object", properties: { a: {} }, additionalProperties: false } } };
  assert.equal((await answered(issue, strict, { _full: true })).isError, false);
  const own = { schema: { input: { type: "object", properties: { _full: { type: "boolean" } } } } };
  const sent = await answered(issue, own, { _full: true });
  assert.deepEqual(JSON.parse(String(sent.sent)), { _full: true }, "an API may have an argument of that name");
});

test("_full and the answer of a cache are two things", async () => {
  await using api = await RawApi.start(() => ({ body: JSON.stringify(issue) }));
  const file = {
    description: "d",
    ...rest({ base_url: api.origin }),
    projection,
    metadata: { read_only: true },
    cache: { strategy: "exact", ttl: 60 },
  };
  await using folder = await Folder.with({ "tool.yaml": JSON.stringify(file) });
  await using upstream = upstreamOver([folder.path], { projection: on });
  for (let time = 0; time < 2; time++) {
    assert.deepEqual(JSON.parse((await call(upstream, "tool")).text)._raw, issue);
    assert.deepEqual(JSON.parse((await call(upstream, "tool", { _full: true })).text), issue);
  }
  assert.equal(api.requests.length, 1);
});

test("projection: a projected tool does not promise its old schema, and says how to get the whole", async () => {
  const output = { type: "object", properties: { id: { type: "integer" } } };
  const schema = { input: { type: "object", properties: { a: { type: "string" } } }, output };
  const file = (name: string, more: object) =>
    JSON.stringify({
      name,
      description: "d",
      providers: { primary: { config: { base_url: "http://h" } } },
      schema,
      ...more,
    });
  await using folder = await Folder.with({
    "a.yaml": file("a", { projection }),
    "b.yaml": file("b", { projection: {} }),
  });
  const shown = async (mode: ProjectionOptions["mode"]) => {
    await using upstream = upstreamOver([folder.path], { projection: { mode } });
    return (await listTools(upstream)).map(({ outputSchema, inputSchema }) => [
      outputSchema !== undefined,
      Object.keys((inputSchema as JsonObject)["properties"] as JsonObject).join(),
    ]);
  };
  const plain = [true, "a"];
  assert.deepEqual(await shown("off"), [plain, plain]);
  for (const mode of ["on", "experimental"] as const) assert.deepEqual(await shown(mode), [[false, "a,_full"], plain]);
  const { value } = await answered(issue, { schema: { output } });
  assert.deepEqual(value["structuredContent"], { ...common, _raw: issue });
});

test("projection: what is misspelt in it is told with its place", async () => {
  const text = `description: d
providers: {primary: {config: {base_url: http://h}}}
projection:
  actr: {id: a}
  actor: {mail: b}
`;
  await using folder = await Folder.with({ "t.yaml": text });
  const log = new KeptLog();
  await using upstream = upstreamOver([folder.path], { log });
  await listTools(upstream);
  assert.deepEqual(
    log.lines.map((line) => line.replace(/^.*t\.yaml/, "")),
    [
      ':4:3  "projection.actr" is not a key of capability files: did you mean "actor"?',
      ':5:11  "projection.actor.mail" is not a key of capability files: did you mean "email"?',
    ],
  );
});

test("experimental: a session has one arm for ever, half of them see common fields, and both are counted", async () => {
  await using api = await RawApi.start(() => ({ body: JSON.stringify(issue) }));
  await using folder = await Folder.with({
    "tool.yaml": JSON.stringify({ description: "d", ...rest({ base_url: api.origin }), projection }),
    "plain.yaml": JSON.stringify({ description: "d", ...rest({ base_url: api.origin }) }),
  });
  const noted: ProjectedAnswer[] = [];
  const experiment = { mode: "experimental", onAnswer: (answer: ProjectedAnswer) => void noted.push(answer) } as const;
  await using upstream = upstreamOver([folder.path], { projection: experiment });
  const isProjected = async (sessionId: string | undefined, name = "tool", args: JsonObject = {}) => {
    const signal = AbortSignal.timeout(10_000);
    const params = { name, arguments: args };
    const answer = await upstream.request({ method: "tools/call", params, signal, sessionId });
    return answer.text.includes("_raw");
  };
  const sessions = Array.from({ length: 40 }, (_, at) => `session-${at}`);
  const first = await Promise.all(sessions.map((id) => isProjected(id)));
  assert.deepEqual(await Promise.all(sessions.map((id) => isProjected(id))), first);
  const treated = first.filter(Boolean).length;
  assert.ok(treated > 8 && treated < 32, `${treated}`);
  assert.equal(noted.length, 80);
  assert.equal(noted.filter((one) => one.isProjected && one.arm === "treatment").length, 2 * treated);
  assert.equal(noted.filter((one) => !one.isProjected && one.arm === "control").length, 80 - 2 * treated);
  assert.ok(noted.every(({ bytes }) => bytes > 100));
  const id = sessions[first.indexOf(true)];
  assert.equal(await isProjected(id, "tool", { _full: true }), false);
  assert.deepEqual([noted.at(-1)?.arm, noted.at(-1)?.isProjected], ["treatment", false]);
  for (const [session, name] of [
    [undefined, "tool"],
    [id, "plain"],
  ] as const)
    assert.equal(await isProjected(session, name), false);
  assert.equal(noted.length, 81, "what has no session or no projection is not compared");
});
