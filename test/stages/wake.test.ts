import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chain } from "../../src/core/call.ts";
import { UpstreamError } from "../../src/core/errors.ts";
import { timeoutStage } from "../../src/stages/timeout/timeout-stage.ts";
import { wakeStage } from "../../src/stages/wake/wake-stage.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, awake, makeCall, pong } from "./fixture.ts";

describe("wake stage", () => {
  test("does not ask a running backend to start", async () => {
    assert.equal(await chain([wakeStage(awake)], answers)(makeCall()), pong);
  });

  test("a start that takes longer than the timeout of an attempt does not time the call out", async () => {
    const clock = new FakeClock();
    let started = (_: never) => {};
    const upstream = { isReady: false, start: () => new Promise<never>((resolve) => (started = resolve)) };
    const call = chain([wakeStage(upstream), timeoutStage(1_000, clock)], answers)(makeCall({ deadline: 60_000 }));
    await clock.advance(5_000);
    started(undefined as never);
    assert.equal(await call, pong);
  });

  test("passes on why a start failed, and asks nothing", async () => {
    const failed = new UpstreamError("UPSTREAM_START_FAILED", "No");
    const upstream = { isReady: false, start: () => Promise.reject(failed) };
    const next = () => assert.fail("The upstream was asked");
    await assert.rejects(chain([wakeStage(upstream)], next)(makeCall()), failed);
  });
});
