import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Call, ClientLink, Next } from "../../src/core/call.ts";
import { CancelledError, DeniedError, UpstreamError } from "../../src/core/errors.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { timeoutStage } from "../../src/stages/timeout/timeout-stage.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, hangs, makeCall, pong, watch } from "./fixture.ts";

describe("timeoutStage", () => {
  test("aborts the attempt after the backend's timeout, naming server, time and setting", async () => {
    const clock = new FakeClock();
    let seen: Call | undefined;
    const running = watch(
      timeoutStage(30_000, clock)(makeCall(), (call) => {
        seen = call;
        return hangs(call);
      }),
    );
    await clock.advance(29_999);
    assert.equal(running.isDone, false);
    await clock.advance(1);
    assert.ok(running.error instanceof UpstreamError);
    assert.equal(running.error.code, "TIMEOUT");
    assert.equal(running.error.message, 'Server "files" did not answer "tools/call" within 30000 ms');
    assert.match(running.error.hint ?? "", /backends\.files\.timeout/);
    assert.equal(seen?.signal.reason, running.error);
    assert.equal(clock.pending, 0);
  });

  test("its time stands still while the client is asked, and begins anew with the answer", async () => {
    const clock = new FakeClock();
    let answerClient = (_result: JsonObject) => {};
    const client: ClientLink = {
      sessionId: "a",
      capabilities: {},
      ask: () =>
        new Promise((resolve) => {
          answerClient = resolve;
        }),
    };
    let seen: Call | undefined;
    const running = watch(
      timeoutStage(30_000, clock)(makeCall({ client, deadline: 1_000_000 }), (call) => {
        seen = call;
        return hangs(call);
      }),
    );
    await clock.advance(20_000);
    const question = seen?.client?.ask("elicitation/create", {}, new Cancellation());
    await clock.advance(500_000);
    assert.equal(running.isDone, false);
    answerClient({ action: "accept" });
    assert.deepEqual(await question, { action: "accept" });
    await clock.advance(29_999);
    assert.equal(running.isDone, false);
    await clock.advance(30_001);
    assert.ok(running.error instanceof UpstreamError);
    assert.equal(running.error.code, "TIMEOUT");
  });

  test("the deadline cuts an attempt short, and an attempt beyond it is not begun", async () => {
    const clock = new FakeClock();
    const stage = timeoutStage(30_000, clock);
    const running = watch(stage(makeCall({ deadline: 2_000 }), hangs));
    await clock.advance(2_000);
    assert.ok(running.error instanceof UpstreamError);
    assert.match(running.error.message, /in the 2000 ms left to the call/);
    assert.match(running.error.hint ?? "", /server\.request_timeout/);
    const late = await stage(makeCall({ deadline: 2_000 }), () => assert.fail("asked")).catch(
      (error: unknown) => error,
    );
    assert.ok(late instanceof DeniedError && late.code === "TIMEOUT");
  });

  test("waits for the attempt to end, and whatever it rejects with becomes TIMEOUT", async () => {
    const clock = new FakeClock();
    const slowToEnd: Next = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => clock.after(500, () => reject(new CancelledError("Pipe closed"))));
      });
    const running = watch(timeoutStage(1_000, clock)(makeCall(), slowToEnd));
    await clock.advance(1_499);
    assert.equal(running.isDone, false);
    await clock.advance(1);
    assert.ok(running.error instanceof UpstreamError && running.error.code === "TIMEOUT");
  });

  test("an answer that still comes after the abort is an answer", async () => {
    const clock = new FakeClock();
    const stubborn: Next = (call) =>
      new Promise((resolve) => {
        clock.after(1_100, () => resolve(answers(call)));
      });
    const running = watch(timeoutStage(1_000, clock)(makeCall(), stubborn));
    await clock.advance(1_100);
    assert.equal(running.value, pong);
  });

  test("progress starts the time anew, up to the deadline, and is passed on", async () => {
    const clock = new FakeClock();
    const received: unknown[] = [];
    const chatty: Next = (call) => {
      const report = () => {
        if (call.signal.aborted) return;
        call.onProgress?.({ progress: clock.now() });
        clock.after(900, report);
      };
      clock.after(900, report);
      return hangs(call);
    };
    const call = makeCall({ deadline: 5_000, onProgress: (params) => received.push(params["progress"]) });
    const running = watch(timeoutStage(1_000, clock)(call, chatty));
    await clock.advance(4_999);
    assert.equal(running.isDone, false);
    assert.deepEqual(received, [900, 1_800, 2_700, 3_600, 4_500]);
    await clock.advance(1);
    assert.ok(running.error instanceof UpstreamError);
    assert.match(running.error.message, /in the 5000 ms left/);

    const once: Next = (inner) => {
      clock.after(600, () => inner.onProgress?.({ progress: 1 }));
      return hangs(inner);
    };
    const silent = watch(timeoutStage(1_000, clock)(makeCall({ onProgress() {} }), once));
    await clock.advance(1_599);
    assert.equal(silent.isDone, false);
    await clock.advance(1);
    assert.equal(silent.isDone, true);
  });

  test("the caller's signal keeps no listener", async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = new Proxy(signal, {
      get(target, key) {
        if (key === "addEventListener") listeners++;
        if (key === "removeEventListener") listeners--;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const call = makeCall({ signal: counted });
    await timeoutStage(1_000, clock)(call, (inner) => {
      assert.equal(listeners, 1);
      return answers(inner);
    });
    assert.equal(listeners, 0);
  });
});
