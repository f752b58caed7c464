import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { Call, ClientLink } from "../../src/core/call.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import { nestedCalls } from "../../src/gateway/nested-calls.ts";
import { neverCancelled } from "../../src/lib/cancellation.ts";
import { fakeHost } from "../clients/fake-host.ts";

const target = { server: "files", tool: "read", args: { path: "a" } };

function setUp() {
  const tools = [{ name: "read", annotations: { readOnlyHint: true } }];
  const host = fakeHost({ files: { tools } }, async () => Answer.of({ content: [] }));
  return { host, nested: nestedCalls(() => host) };
}

const asked: unknown[] = [];
const ask: ClientLink["ask"] = async (...question) => {
  asked.push(question);
  return {};
};
const outer: Call = {
  upstream: "gateway",
  method: "tools/call",
  params: { name: "cap", arguments: { secret: 1 }, _meta: { traceparent: "t" }, vendor: 1 },
  caller: { ...anonymousCaller, name: "ci", allowedTools: ["cap"] },
  sessionId: "s",
  requestId: "r",
  deadline: 1_234,
  signal: neverCancelled,
  safe: false,
  idempotencyKey: "once",
  nonce: { text: "n" },
  credentials: { token: "t", passthrough: () => undefined, digest: () => undefined },
  onProgress() {},
  client: { sessionId: "s", capabilities: {}, ask },
  envelope: { capabilities: {}, clientInfo: undefined, logLevel: undefined },
};

test("a nested call is the caller's own, with his time, progress and client, and nothing of the outer one's arguments", async () => {
  const { host, nested } = setUp();
  await nested.callTool(target, outer);
  const { caller, credentials, nonce, sessionId, requestId, deadline, signal, onProgress } = outer;
  const { client, ...call } = host.calls[0] as Call;
  assert.deepEqual(Object.fromEntries(Object.entries(call).filter(([, value]) => value !== undefined)), {
    ...{ caller, credentials, nonce, sessionId, requestId, deadline, signal, onProgress },
    upstream: "files",
    method: "tools/call",
    params: { name: "read", arguments: { path: "a" }, _meta: { traceparent: "t" } },
    depth: 1,
    safe: true,
    readOnly: true,
  });
  await client?.ask("elicitation/create", { mode: "url" }, neverCancelled);
  assert.deepEqual(asked, [["elicitation/create", { mode: "url" }, neverCancelled, "files"]]);
});

test("calls in each other end after four, and one without a caller is none", async () => {
  const { host, nested } = setUp();
  await nested.callTool(target, { ...outer, depth: 3 });
  await assert.rejects(nested.callTool(target, { ...outer, depth: 4 }), {
    code: "CONFIG_INVALID",
    message: 'Tool "read" of server "files" is one of more than 4 in each other',
  });
  const { caller: _nobody, ...ownRequest } = outer;
  await assert.rejects(nested.callTool(target, ownRequest), /called by nobody/);
  assert.equal(host.calls.length, 1);
  assert.deepEqual([nested.has("files"), nested.has("web")], [true, false]);
});
