import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CancelledError, DeniedError, UpstreamError, UpstreamRpcError } from "../../src/core/errors.ts";
import { createKillSwitchPanel } from "../../src/gateway/kill-switch-panel.ts";
import type { Trip } from "../../src/stages/kill-switch/kill-switch.ts";
import { killSwitchStage } from "../../src/stages/kill-switch/kill-switch-stage.ts";
import { StageStates } from "../../src/stages/stage-states.ts";
import type { UpstreamStageState } from "../../src/stages/upstream-stage-state.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, fails, failsafe, makeCall, off, pong } from "./fixture.ts";

const slow = new UpstreamError("TIMEOUT", "Too slow");
const gone = new UpstreamError("UPSTREAM_CLOSED", "Gone");

const act = { by: { name: "boss", principal: "key:1", role: "admin" } } as const;

function setting(changes: Parameters<typeof failsafe>[0] = {}) {
  const clock = new FakeClock();
  const settings = failsafe(changes);
  const trips: Trip[] = [];
  const states = new StageStates(clock, (_server, trip) => void trips.push(trip));
  states.configure("files", settings, false);
  const state = states.of("files") as UpstreamStageState;
  const stage = killSwitchStage(state.killSwitch);
  const call = (tool: string, next = answers) =>
    stage(makeCall({ params: { name: tool } }), next).catch((error) => error);
  const panel = createKillSwitchPanel(states, () => {});
  return { clock, state, trips, call, panel };
}

describe("killSwitchStage", () => {
  test("refuses what an operator switched off, until it is revived", async () => {
    const { call, panel, clock, state } = setting();
    assert.deepEqual(panel.kill("files", act), { was_already_killed: false });
    assert.deepEqual(panel.kill("files", act), { was_already_killed: true });
    await clock.advance(3_600_000);
    const refused = await call("read");
    assert.deepEqual([refused.code, refused.data], ["SERVER_DISABLED", { server: "files" }]);
    assert.equal(panel.safety()[0]?.killed, true);
    state.breaker.failed(state.breaker.enter() as never, slow);
    assert.deepEqual(panel.revive("files", act), { was_killed: true, breaker_was_open: false });
    assert.equal(await call("read"), pong);
    assert.throws(() => panel.kill("other", act), { code: "SERVER_NOT_FOUND" });
  });

  test("switches a backend off when most of its newest calls fail, and tries it again later", async () => {
    const { call, panel, clock, trips } = setting({ tool_error_budget: off });
    for (let count = 0; count < 2; count++) await call("read");
    for (let count = 0; count < 7; count++) await call("read", fails(slow));
    assert.deepEqual(trips, [], "nine are too few");
    await call("read", fails(slow));
    assert.deepEqual(trips, [{ tool: undefined, errorRate: 0.8 }]);
    const refused = await call("read");
    assert.deepEqual([refused.code, refused.retryAfterMs], ["SERVER_DISABLED", 30_000]);
    assert.deepEqual(panel.safety(), [
      { server: "files", killed: true, error_rate: 0.8, window: { successes: 2, failures: 8 } },
    ]);
    await clock.advance(30_000);
    assert.equal(await call("read"), pong);
  });

  test("a lost connection is one failure, however many calls it took along, and of no tool", async () => {
    const { call, panel, clock, trips } = setting();
    for (let count = 0; count < 100; count++) await call("read", fails(gone));
    assert.deepEqual([panel.safety()[0]?.window.failures, trips], [1, []]);
    for (let count = 0; count < 9; count++) {
      await clock.advance(1_000);
      await call("read", fails(gone));
    }
    assert.deepEqual(trips, [{ tool: undefined, errorRate: 1 }]);
    assert.deepEqual(panel.restingTools(), []);
  });

  test("leaves a tool alone that fails, and its neighbours not", async () => {
    const { call, panel, clock, trips } = setting();
    const internal = new UpstreamRpcError({ code: -32603, message: "Internal error" }, "files");
    for (let count = 0; count < 5; count++) await call("broken", fails(internal));
    assert.deepEqual(trips, [{ tool: "broken", errorRate: 1 }]);
    assert.equal((await call("broken")).code, "TOOL_RESTING");
    assert.equal(await call("read"), pong);
    assert.deepEqual(panel.restingTools(), [
      { backend: "files", capability: "broken", error_rate: 1, cooldown_seconds: 300 },
    ]);
    await clock.advance(300_000);
    assert.equal(await call("broken"), pong);
    assert.deepEqual(panel.restingTools(), []);
  });

  test("counts only what the backend did: not refusals, cancellations or what a tool says of its arguments", async () => {
    const { call, trips, panel } = setting();
    const errors = [
      new DeniedError("RATE_LIMITED", "No"),
      new CancelledError(),
      new UpstreamRpcError({ code: -32602, message: "Bad arguments" }, "files"),
      new TypeError("A defect of ours"),
    ];
    for (const error of errors) for (let count = 0; count < 20; count++) await call("read", fails(error));
    assert.deepEqual(trips, []);
    assert.equal(panel.safety()[0]?.window.failures, 0);
  });

  test("old failures are forgotten, and 0 waits for an operator", async () => {
    const { call, clock, trips, panel } = setting({ error_budget: { cool_down: 0 }, tool_error_budget: off });
    for (let count = 0; count < 9; count++) await call("read", fails(slow));
    await clock.advance(300_001);
    await call("read", fails(slow));
    assert.deepEqual(trips, []);
    for (let count = 0; count < 9; count++) await call("read", fails(slow));
    await clock.advance(3_600_000);
    assert.equal((await call("read")).code, "SERVER_DISABLED");
    panel.revive("files", act);
    assert.equal(await call("read"), pong);
  });

  test("a reload changes the budget and forgets neither counts nor an operator's word", async () => {
    const { call, state, trips, panel } = setting({ tool_error_budget: off });
    for (let count = 0; count < 4; count++) await call("read", fails(slow));
    panel.kill("files", act);
    state.apply(failsafe({ error_budget: { min_calls: 5 }, tool_error_budget: off }));
    assert.equal((await call("read")).code, "SERVER_DISABLED");
    panel.revive("files", act);
    for (let count = 0; count < 5; count++) await call("read", fails(slow));
    assert.equal(trips.length, 1);
    state.apply(failsafe({ error_budget: off }));
    assert.equal(await call("read"), pong);
  });
});
