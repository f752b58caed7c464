import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { Call, Next } from "../../src/core/call.ts";
import { UpstreamError } from "../../src/core/errors.ts";
import { SessionSteps } from "../../src/stages/steps/session-steps.ts";
import { StepCounts } from "../../src/stages/steps/step-counts.ts";
import { type NextTool, stepsStage } from "../../src/stages/steps/steps-stage.ts";
import { answers, fails, makeCall, on, pong } from "./fixture.ts";

describe("StepCounts", () => {
  test("nothing is usual before three sessions, and what was never seen becomes unusual with what is learned", () => {
    const counts = new StepCounts();
    const scores: (number | undefined)[] = [];
    for (const sessions of [2, 3, 9, 23, 24, 99, 500]) {
      counts.add("a:1", "a:2", sessions - (counts.steps.get("a:1")?.get("a:2") ?? 0));
      scores.push(counts.unusualness("a:1", "a:9"));
      assert.ok((counts.unusualness("a:1", "a:2") ?? 0) === 0);
    }
    assert.deepEqual(scores, [undefined, 0.3, 0.5, 0.69, 0.7, 1, 1]);
    assert.equal(counts.unusualness("a:9", "a:1"), undefined);
  });

  test("where many steps are equally usual none of them is unusual, and a rarer one is by how much rarer it is", () => {
    const counts = new StepCounts();
    for (let tool = 0; tool < 30; tool++) counts.add("a:1", `b:${tool}`, 99);
    counts.add("a:1", "b:rare", 9);
    assert.equal(counts.unusualness("a:1", "b:7"), 0);
    assert.equal(counts.unusualness("a:1", "b:rare"), 0.5);
  });

  test("what fewer than three sessions did counts as never done", () => {
    const counts = new StepCounts();
    counts.add("a:1", "a:2", 99);
    counts.add("a:1", "a:3", 2);
    assert.equal(counts.unusualness("a:1", "a:3"), 1);
    counts.add("a:1", "a:3");
    assert.equal(counts.unusualness("a:1", "a:3"), 0.7);
  });

  test("predictions: the three most likely of at least 30 %, of what three sessions did", () => {
    const counts = new StepCounts();
    for (const [to, sessions] of [
      ["b", 4],
      ["c", 3],
      ["d", 3],
    ] as const)
      counts.add("a", to, sessions);
    assert.deepEqual(counts.predictions("a"), [
      { tool: "b", confidence: 0.4 },
      { tool: "c", confidence: 0.3 },
      { tool: "d", confidence: 0.3 },
    ]);
    counts.add("a", "e");
    assert.deepEqual(counts.predictions("a"), [{ tool: "b", confidence: 0.36 }]);
    counts.add("x", "y", 2);
    assert.deepEqual(counts.predictions("x"), []);
    assert.deepEqual(counts.predictions("never"), []);
  });

  test("it is bounded: old tools go, rare followers go, and counts are halved", () => {
    const counts = new StepCounts();
    counts.add("kept", "a:1");
    for (let tool = 0; tool < 999; tool++) counts.add(`b:${tool}`, "a:1");
    counts.add("kept", "a:1");
    for (let tool = 0; tool < 999; tool++) counts.add(`c:${tool}`, "a:1");
    assert.equal(counts.steps.size, 1_000);
    assert.equal(counts.steps.get("kept")?.get("a:1"), 2);
    counts.add("kept", "a:1");
    for (let tool = 0; tool < 200; tool++) counts.add("kept", `d:${tool}`);
    const followers = () => counts.steps.get("kept") as ReadonlyMap<string, number>;
    assert.equal(followers().size, 32);
    assert.equal(followers().get("a:1"), 3, "what several sessions did is not driven out by what one did");
    counts.add("kept", "a:1", 997);
    assert.deepEqual([...followers()], [["a:1", 500]]);
  });

  test("it is read as it was written, and what else the file says is left out", () => {
    const counts = new StepCounts();
    counts.add("a:1", "a:2", 7);
    counts.add("__proto__", "a:2", 3);
    assert.deepEqual(StepCounts.read(JSON.parse(JSON.stringify(counts))).steps, counts.steps);
    const odd = { "a:1": { "a:2": -1, "a:3": 1.5, "a:4": "7", "a:5": 1e9, ["x".repeat(300)]: 1, "a:6": 5 }, "a:2": [] };
    assert.deepEqual(StepCounts.read(odd).steps, new Map([["a:1", new Map([["a:6", 5]])]]));
    for (const value of [undefined, null, [], "a", 7]) assert.equal(StepCounts.read(value).steps.size, 0);
  });
});

describe("SessionSteps", () => {
  test("a session is counted once for each step, for so many steps, and never after its end", () => {
    const sessions = new SessionSteps();
    assert.equal(sessions.isLesson("s", "a", "b"), false);
    assert.equal(sessions.move("s", "a"), undefined);
    assert.equal(sessions.move("s", "b"), "a");
    assert.equal(sessions.last("s"), "b");
    assert.deepEqual([sessions.isLesson("s", "a", "b"), sessions.isLesson("s", "a", "b")], [true, false]);
    let lessons = 1;
    for (let tool = 0; tool < 500; tool++) if (sessions.isLesson("s", "a", `c:${tool}`)) lessons++;
    assert.equal(lessons, 64);
    sessions.forget("s");
    assert.equal(sessions.last("s"), undefined);
    assert.equal(sessions.isLesson("s", "a", "c"), false);
  });

  test("sessions that never end are bounded too", () => {
    const sessions = new SessionSteps();
    for (let id = 0; id < 5_000; id++) sessions.move(`${id}`, "a");
    assert.equal(sessions.size, 4_096);
    assert.equal(sessions.last("0"), undefined);
    assert.equal(sessions.last("4999"), "a");
  });
});

describe("stepsStage", () => {
  const expected: NextTool[] = [{ server: "files", tool: "write", confidence: 0.8 }];

  function setting(predicted = expected) {
    const sessions = new SessionSteps();
    const learned: string[] = [];
    const steps = {
      move: sessions.move.bind(sessions),
      learn: (session: string, from: string, to: string) => void learned.push(`${session} ${from} ${to}`),
    };
    const stage = on(stepsStage(steps, () => predicted));
    const call = (tool: string, changes: Partial<Call> = {}, next: Next = answers) =>
      stage(makeCall({ params: { name: tool }, ...changes }), next);
    return { learned, call };
  }

  test("what succeeds is learned, from the tool the same session called before", async () => {
    const { learned, call } = setting();
    await call("list");
    await call("other", { sessionId: "2" });
    await call("read");
    const failed = Answer.of({ content: [], isError: true });
    assert.equal(await call("guess", {}, () => Promise.resolve(failed)), failed);
    await assert.rejects(call("gone", {}, fails(new UpstreamError("UPSTREAM_CLOSED", "Gone"))));
    await call("write", { upstream: "disk" });
    assert.deepEqual(learned, ["session files:list files:read", "session files:gone disk:write"]);
  });

  test("nothing without a session, of calls within calls, of other requests, and by names that are none", async () => {
    const { learned, call } = setting();
    await call("list");
    await call("read", { sessionId: undefined });
    await call("read", { depth: 1 });
    await call("read", { method: "prompts/get" });
    await call("x".repeat(100_000));
    assert.deepEqual(learned, []);
    await call("read");
    assert.deepEqual(learned, ["session files:list files:read"]);
  });

  test("only an answer that may name what comes next does, and keeps every other byte", async () => {
    const { call } = setting();
    const text = '{"content":[ ], "big":12345678901234567890}';
    const relayed = () => Promise.resolve(Answer.ofText(text));
    assert.equal((await call("list", {}, relayed)).text, text);
    const meta = `"_meta":{"mcp-gateway/predicted_next":${JSON.stringify(expected)}}`;
    assert.equal((await call("list", { namesNext: true }, relayed)).text, `${text.slice(0, -1)},${meta}}`);
    const question = Answer.of({ resultType: "input_required" });
    const modern = { namesNext: true, envelope: { capabilities: {}, clientInfo: undefined, logLevel: undefined } };
    assert.equal(await call("list", modern, () => Promise.resolve(question)), question);
    const deep = `{"_meta":{},"content":[],"deep":${"[".repeat(600)}${"]".repeat(600)}}`;
    assert.equal((await call("list", { namesNext: true }, () => Promise.resolve(Answer.ofText(deep)))).text, deep);
    assert.equal(await setting([]).call("list", { namesNext: true }), pong);
  });
});
