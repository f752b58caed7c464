import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { CallRecord } from "../../src/core/call-record.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import { DeniedError, UpstreamRpcError } from "../../src/core/errors.ts";
import { CallsUnderWay } from "../../src/stages/record/calls-under-way.ts";
import { recordStage } from "../../src/stages/record/record-stage.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";
import { answers, fails, hangs, makeCall, on, pong } from "./fixture.ts";

describe("recordStage", () => {
  test("reports who was asked what, how it ended and how long it took", async () => {
    const clock = new FakeClock();
    const records: CallRecord[] = [];
    const stage = on(recordStage((record) => records.push(record), clock));
    const controller = new AbortController();
    const caller = { ...anonymousCaller, agent: "ci" };
    const running = stage(makeCall({ caller, signal: controller.signal }), hangs);
    await clock.advance(70);
    controller.abort(new Error("Bored"));
    await assert.rejects(running);
    // Of an answer nobody wrote out yet, it is not known how long it is.
    await stage(makeCall({ method: "resources/read", params: { name: "no tool" } }), () =>
      Promise.resolve(Answer.of({ contents: [] })),
    );
    for (const error of [
      new DeniedError("OVERLOADED", "Too much"),
      new UpstreamRpcError({ code: -1, message: "no" }, "files"),
      new TypeError("A defect"),
    ])
      await stage(makeCall(), fails(error)).catch(() => {});
    const who = {
      requestId: "request",
      caller: "anonymous",
      agent: undefined,
      upstream: "files",
      method: "tools/call",
      tool: "read",
    };
    const base = { ...who, isError: false, keptBy: undefined, characters: undefined };
    assert.deepEqual(records, [
      { ...base, agent: "ci", outcome: "CANCELLED", reason: "Bored", durationMs: 70 },
      { ...base, method: "resources/read", tool: undefined, outcome: "OK", reason: undefined, durationMs: 0 },
      { ...base, outcome: "OVERLOADED", reason: "Too much", durationMs: 0 },
      { ...base, outcome: "UPSTREAM_ERROR", reason: "no", durationMs: 0 },
      { ...base, outcome: "INTERNAL", reason: "A defect", durationMs: 0 },
    ]);
  });

  test("a failing sink fails no call and is asked once per call", async () => {
    let count = 0;
    const stage = on(
      recordStage(() => {
        count++;
        throw new Error("The disk is full");
      }, new FakeClock()),
    );
    assert.equal(await stage(makeCall(), answers), pong);
    const error = new Error("the upstream's own");
    await assert.rejects(stage(makeCall(), fails(error)), error);
    await settle();
    assert.equal(count, 2);
  });

  test("tells whether a result says that the tool failed, and how long it is, without parsing what does not", async () => {
    const records: CallRecord[] = [];
    const stage = on(recordStage((record) => records.push(record), new FakeClock()));
    const long = "x".repeat(1e6);
    const texts = [
      '{"content":[]}',
      '{"content":[],"isError": true}',
      '{"content":[{"type":"text","text":"\\"isError\\":true"}]}',
      '{"structuredContent":{"isError":true}}',
      `{"content":[{"type":"text","text":"${long}"}],"isError":true}`,
      `{"isError":true,"content":[{"type":"text","text":"${long}"}]}`,
    ];
    for (const text of texts) await stage(makeCall(), async () => Answer.ofText(text));
    await stage(makeCall(), async () => Answer.of({ content: [], isError: true }));
    assert.deepEqual(
      records.map(({ isError }) => isError),
      [false, true, false, false, true, true, true],
    );
    assert.deepEqual(
      records.map(({ characters }) => characters),
      [...texts.map(({ length }) => length), undefined],
    );
  });

  test("a call is among those under way until it has ended, however, and what began first comes first", async () => {
    const underWay = new CallsUnderWay();
    const stage = on(recordStage(() => {}, new FakeClock(), underWay));
    const ids = () => [...underWay].map(({ call }) => call.requestId);
    const begin = (requestId: string) => {
      const controller = new AbortController();
      const ended = stage(makeCall({ requestId, signal: controller.signal }), hangs);
      return async () => {
        controller.abort(new Error("Bored"));
        await assert.rejects(ended);
      };
    };
    const [a, b, c] = [begin("a"), begin("b"), begin("c")];
    assert.deepEqual(ids(), ["a", "b", "c"]);
    await b();
    assert.deepEqual(ids(), ["a", "c"]);
    await a();
    assert.deepEqual(ids(), ["c"]);
    const d = begin("d");
    await d();
    assert.deepEqual(ids(), ["c"]);
    await c();
    await stage(makeCall(), answers);
    assert.deepEqual(ids(), []);
  });
});
