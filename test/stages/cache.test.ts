import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as v from "valibot";
import { Answer } from "../../src/core/answer.ts";
import type { Call, ClientLink } from "../../src/core/call.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { AnswerStore } from "../../src/stages/cache/answer-store.ts";
import { cacheStage } from "../../src/stages/cache/cache-stage.ts";
import { cacheSchema } from "../../src/stages/cache/schema.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { makeCall, on } from "./fixture.ts";

/** Answers each call with its number. */
function cached(settings: object = {}, result: (count: number) => JsonObject = (count) => ({ count })) {
  const clock = new FakeClock();
  const store = new AnswerStore(clock);
  const stage = on(cacheStage(v.parse(cacheSchema, settings), store));
  let count = 0;
  const ask = async (changes: Partial<Call> = {}, during?: (call: Call) => unknown) => {
    const answer = await stage(makeCall({ readOnly: true, ...changes }), async (call) => {
      const own = result(++count);
      await during?.(call);
      return Answer.ofText(JSON.stringify(own));
    });
    const { _meta, ...value } = answer.value;
    return { value, keptBy: answer.keptBy, note: (_meta as JsonObject | undefined)?.["mcp-gateway/cache"] };
  };
  return { clock, store, ask, asked: () => count };
}

const toolParams = (name: string, args: JsonObject, more: JsonObject = {}) => ({
  params: { name, arguments: args, ...more },
});

describe("cacheStage", () => {
  test("gives the answer again until it is too old, and says how old it is", async () => {
    const { clock, ask } = cached({ default_ttl: "60s" });
    assert.deepEqual(await ask(), { value: { count: 1 }, keptBy: undefined, note: undefined });
    await clock.advance(59_999);
    assert.deepEqual(await ask(), { value: { count: 1 }, keptBy: "cache", note: { age_seconds: 60 } });
    await clock.advance(1);
    assert.equal((await ask()).value["count"], 2);
  });

  test("asks again for other arguments, tools, callers and eras, whatever the order of arguments", async () => {
    const { ask, asked } = cached();
    await ask(toolParams("read", { a: 1, b: 2 }));
    await ask(toolParams("read", { b: 2, a: 1 }, { _meta: { "vendor/call": 7 } }));
    assert.equal(asked(), 1);
    await ask(toolParams("read", { a: 1 }));
    await ask(toolParams("list", { a: 1, b: 2 }));
    await ask({ ...toolParams("read", { a: 1, b: 2 }), caller: { ...anonymousCaller, principal: "somebody else" } });
    const envelope = { capabilities: {}, clientInfo: undefined, logLevel: undefined };
    await ask({ ...toolParams("read", { a: 1, b: 2 }), envelope });
    assert.equal(asked(), 5);
  });

  test("asks again for tools that may write, for tasks, and where the age of a tool is 0", async () => {
    const { ask, asked } = cached({ tools: { "files:now*": 0, read: "1h" } });
    const ways = [
      { readOnly: false },
      { readOnly: undefined },
      toolParams("x", {}, { task: {} }),
      toolParams("now", {}),
    ];
    for (const way of ways) for (const _ of [1, 2]) await ask(way);
    assert.equal(asked(), 2 * ways.length);
  });

  test("the first pattern that fits says the age of a tool", async () => {
    const { clock, ask, asked } = cached({ tools: { "files:re*": "1h", read: 0 } });
    await ask();
    await clock.advance(3_599_999);
    await ask();
    assert.equal(asked(), 1);
  });

  test("a call that may write makes everything of its server doubtful, what is being read too", async () => {
    const { ask, asked } = cached();
    await ask();
    await ask({ upstream: "other" });
    await ask(undefined, undefined);
    assert.equal(asked(), 2);
    await ask({ readOnly: false }, async () => {
      // Read while the other writes: nobody knows which state it saw.
      await ask(toolParams("read", { late: true }));
    });
    await ask();
    await ask(toolParams("read", { late: true }));
    assert.equal(asked(), 6);
    await ask({ upstream: "other" });
    assert.equal(asked(), 6, "the other server is not touched");
  });

  test("a write that failed may have written", async () => {
    const { ask, asked } = cached();
    await ask();
    const lost = () => Promise.reject(new Error("lost"));
    await assert.rejects(ask({ readOnly: false }, lost), /lost/);
    await ask();
    assert.equal(asked(), 3);
  });

  const passing: Record<string, JsonObject> = {
    "that says the tool failed": { isError: true, content: [] },
    "that asks for input": { resultType: "input_required" },
    "that is a task": { task: { taskId: "1" } },
    "that is long": { text: "x".repeat(1_048_577) },
  };
  for (const [what, result] of Object.entries(passing))
    test(`keeps no answer ${what}`, async () => {
      const { ask, asked } = cached({}, () => result);
      await ask();
      await ask();
      assert.equal(asked(), 2);
    });

  test("keeps no answer that its client had a part in, and still lets the server ask", async () => {
    const { ask, asked } = cached();
    const client: ClientLink = { sessionId: "s", capabilities: {}, ask: async () => ({ said: "blue" }) };
    const asking = async (call: Call) =>
      assert.deepEqual(await call.client?.ask("elicitation/create", {}, call.signal), { said: "blue" });
    await ask({ client }, asking);
    await ask({ client });
    await ask({ client });
    assert.equal(asked(), 2);
  });

  test("forgets what was least recently used, and everything of a server or of all", async () => {
    const { ask, asked, store } = cached({ max_entries: 2 });
    for (const id of [1, 2, 1, 3, 1]) await ask(toolParams("read", { id }));
    assert.equal(asked(), 3);
    await ask(toolParams("read", { id: 2 }));
    assert.equal(asked(), 4);
    store.forget("files");
    await ask(toolParams("read", { id: 2 }));
    store.forgetAll();
    await ask(toolParams("read", { id: 2 }));
    assert.equal(asked(), 6);
  });

  test("keeps long numbers and the server's own _meta", async () => {
    const store = new AnswerStore(new FakeClock());
    const stage = on(cacheStage(v.parse(cacheSchema, {}), store));
    const text = '{"id":12345678901234567890,"_meta":{"vendor":1}}';
    const call = makeCall({ readOnly: true });
    await stage(call, async () => Answer.ofText(text));
    const again = await stage(call, () => assert.fail("asked again"));
    assert.equal(again.text, '{"id":12345678901234567890,"_meta":{"vendor":1,"mcp-gateway/cache":{"age_seconds":0}}}');
  });
});
