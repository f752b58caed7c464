/** What servers ask the client while they work for it: sampling, elicitation, roots. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createFace } from "../../src/clients/create-face.ts";
import { Answer } from "../../src/core/answer.ts";
import type { Call } from "../../src/core/call.ts";
import { UpstreamRpcError } from "../../src/core/errors.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import { isJsonObject, type JsonObject } from "../../src/lib/json.ts";
import { contextOf, fakeHost, request } from "./fake-host.ts";

const everything = { sampling: { tools: {} }, elicitation: { form: {}, url: {} }, roots: {} };
const call = request("tools/call", { name: "ask", arguments: {} });

/** A session on one backend whose tool does what `work` does. */
async function setUp(clientCapabilities: JsonObject, work: (call: Call) => Promise<JsonObject | undefined>) {
  const host = fakeHost({ shop: { tools: [{ name: "ask" }] } }, async (made) => Answer.of((await work(made)) ?? {}));
  const session = host.sessions.open({
    principal: "anonymous",
    backend: "shop",
    protocolVersion: "2025-11-25",
    clientInfo: {},
    clientCapabilities,
  });
  const context = contextOf({ session, backend: "shop" });
  const face = createFace(host);
  await face.warmUp();
  const answer = (id: string, outcome: { result?: JsonObject; error?: { code: number; message: string } }) =>
    face.handle({ kind: "response", id, result: outcome.result, error: outcome.error }, context);
  const emitted = () => context.emitted.map((text) => JSON.parse(text) as JsonObject);
  return { host, session, context, face, answer, emitted };
}

const never = new Cancellation();

test("a question goes out on the stream of the call, and the client's answer back to the server", async () => {
  const params = { message: "Name?", requestedSchema: {}, _meta: { progressToken: 5, "vendor/key": [1] } };
  const { context, face, answer, emitted } = await setUp(everything, (made) =>
    (made.client as NonNullable<Call["client"]>).ask("elicitation/create", params, never),
  );
  const done = face.handle(call, context);
  const [question] = emitted();
  assert.equal(question?.["method"], "elicitation/create");
  assert.deepEqual(question?.["params"], { ...params, _meta: { "vendor/key": [1] } });
  await answer("somebody-elses", { result: { action: "accept" } });
  await answer(question?.["id"] as string, { result: { action: "accept", content: { name: "Ada" } } });
  await answer(question?.["id"] as string, { result: { action: "cancel" } });
  assert.deepEqual(JSON.parse((await done) as string).result, { action: "accept", content: { name: "Ada" } });
});

test("a client is asked only what it declared", async () => {
  const refusals: [capabilities: JsonObject, method: string, params: JsonObject, code: string][] = [
    [{ roots: {} }, "sampling/createMessage", {}, "METHOD_NOT_FOUND"],
    [{ roots: {} }, "elicitation/create", {}, "METHOD_NOT_FOUND"],
    [{ sampling: {} }, "roots/list", {}, "METHOD_NOT_FOUND"],
    [{ sampling: {} }, "sampling/createMessage", { tools: [] }, "INVALID_PARAMS"],
    [{ elicitation: {} }, "elicitation/create", { mode: "url" }, "INVALID_PARAMS"],
    [{ elicitation: { url: {} } }, "elicitation/create", {}, "INVALID_PARAMS"],
    [{ roots: {} }, "constructor", {}, "METHOD_NOT_FOUND"],
  ];
  for (const [capabilities, method, params, code] of refusals) {
    const { context, face, emitted } = await setUp(capabilities, async (made) => {
      await assert.rejects(made.client?.ask(method, params, never) ?? Promise.resolve(), { code }, method);
      return undefined;
    });
    await face.handle(call, context);
    assert.deepEqual(emitted(), []);
  }
  for (const capabilities of [{}, { experimental: {} }]) {
    const { context, face, host } = await setUp(capabilities, async () => undefined);
    await face.handle(call, context);
    assert.equal(host.calls[0]?.client, undefined, "nothing to ask");
  }
});

test("the client hears that nobody waits for its answer any more", async () => {
  const ends: Record<string, (setting: Awaited<ReturnType<typeof setUp>>, byServer: Cancellation) => void> = {
    "the server gave up": (_setting, byServer) => byServer.abort(),
    "the client cancelled the call": ({ face, context }) =>
      void face.handle(
        { kind: "notification", method: "notifications/cancelled", params: { requestId: call.id } },
        context,
      ),
  };
  for (const [name, end] of Object.entries(ends)) {
    const byServer = new Cancellation();
    const setting = await setUp(everything, (made) =>
      (made.client as NonNullable<Call["client"]>).ask("roots/list", {}, byServer),
    );
    const done = setting.face.handle(call, setting.context);
    end(setting, byServer);
    await done;
    const [question, { method, params } = {}] = setting.emitted();
    assert.equal(method, "notifications/cancelled", name);
    assert.ok(isJsonObject(params) && params["requestId"] === question?.["id"]);
  }
});

test("the end of the session ends its questions, and an unreachable client is not waited for", async () => {
  const setting = await setUp(everything, (made) =>
    (made.client as NonNullable<Call["client"]>).ask("roots/list", {}, never),
  );
  const done = setting.face.handle(call, setting.context);
  setting.host.sessions.close(setting.session.id, "anonymous");
  await done;
  const mute = await setUp(everything, async (made) => {
    await assert.rejects(made.client?.ask("roots/list", {}, never) ?? Promise.resolve(), /takes no event stream/);
    return undefined;
  });
  await mute.face.handle(call, { ...mute.context, emit: () => false });
  // One that listens on a stream of its own is asked there.
  const pushed: string[] = [];
  const listening = await setUp(everything, (made) =>
    (made.client as NonNullable<Call["client"]>).ask("roots/list", {}, never),
  );
  listening.session.attach(
    (text) => void pushed.push(text),
    () => {},
  );
  const answered = listening.face.handle(call, { ...listening.context, emit: () => false });
  await listening.answer(JSON.parse(pushed[0] as string).id, { result: { roots: [] } });
  assert.deepEqual(JSON.parse((await answered) as string).result, { roots: [] });
});

test("an error that asks for elicitation reaches the host as an error, by a meta-tool too", async () => {
  const rpc = {
    code: -32_042,
    message: "Sign in first",
    data: { elicitations: [{ mode: "url", elicitationId: "e1" }] },
  };
  const host = fakeHost({ shop: { tools: [{ name: "ask" }] } }, () =>
    Promise.reject(new UpstreamRpcError(rpc, "shop")),
  );
  const session = host.sessions.open({
    principal: "anonymous",
    backend: undefined,
    protocolVersion: "2025-11-25",
    clientInfo: {},
    clientCapabilities: everything,
  });
  const invoke = request("tools/call", { name: "gateway_invoke", arguments: { server: "shop", tool: "ask" } });
  const text = (await createFace(host).handle(invoke, contextOf({ session }))) as string;
  assert.deepEqual(JSON.parse(text).error, rpc);
  assert.deepEqual([...session.elicitations], ["shop\0e1"]);
});

test("switching a server off is confirmed by the person at the client, where the client asks one", async () => {
  const host = fakeHost({ shop: { tools: [{ name: "ask" }] } }, async () => Answer.of({}));
  const killed: string[] = [];
  Object.assign(host, {
    actions: {
      ...host.actions,
      kill(server: string) {
        killed.push(server);
        return { was_already_killed: false };
      },
    },
  });
  const face = createFace(host);
  await face.warmUp();
  const kill = async (clientCapabilities: JsonObject, action: string) => {
    const session = host.sessions.open({
      principal: "anonymous",
      backend: undefined,
      protocolVersion: "2025-11-25",
      clientInfo: {},
      clientCapabilities,
    });
    const context = contextOf({ session });
    const done = face.handle(
      request("tools/call", { name: "gateway_kill_server", arguments: { server: "shop" } }),
      context,
    );
    while (clientCapabilities["elicitation"] !== undefined && context.emitted.length === 0)
      await new Promise((resolve) => setImmediate(resolve));
    const [question] = context.emitted.map((text) => JSON.parse(text) as JsonObject);
    if (question !== undefined) {
      assert.match(JSON.stringify(question["params"]), /Switch off the server/);
      await face.handle(
        { kind: "response", id: question["id"] as string, result: { action }, error: undefined },
        context,
      );
    }
    const { isError, content } = JSON.parse((await done) as string).result;
    return { isError: isError === true, text: content[0].text as string };
  };
  const declined = await kill({ elicitation: {} }, "decline");
  assert.match(declined.text, /^FORBIDDEN: Server "shop" stays on/);
  assert.deepEqual(killed, []);
  assert.equal((await kill({ elicitation: {} }, "accept")).isError, false);
  assert.equal((await kill({}, "")).isError, false);
  assert.deepEqual(killed, ["shop", "shop"]);
});
