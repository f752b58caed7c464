import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import type { Call } from "../../src/core/call.ts";
import { sessionSandboxSchema } from "../../src/stages/session-sandbox/schema.ts";
import { sessionSandboxStage } from "../../src/stages/session-sandbox/session-sandbox-stage.ts";
import { SessionUsage } from "../../src/stages/session-sandbox/session-usage.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, makeCall, on, pong } from "./fixture.ts";

function setting(changes: object, usage = new SessionUsage(new FakeClock())) {
  const stage = on(sessionSandboxStage(v.parse(sessionSandboxSchema, { enabled: true, ...changes }), usage));
  return (call: Partial<Call> = {}) => stage(makeCall(call), answers).catch((error) => error.code);
}

test("sessionSandboxStage: each session has its own calls, a reload gives none back, and an ended one is forgotten", async () => {
  const usage = new SessionUsage(new FakeClock());
  const call = setting({ max_calls: 2 }, usage);
  assert.deepEqual([await call(), await call(), await call()], [pong, pong, "SESSION_LIMIT"]);
  assert.equal(await call({ sessionId: "other" }), pong);
  assert.equal(await call({ sessionId: undefined }), pong);
  const reloaded = setting({ max_calls: 3 }, usage);
  assert.deepEqual([await reloaded(), await reloaded()], [pong, "SESSION_LIMIT"]);
  usage.forget("session");
  assert.equal(await reloaded(), pong);
  assert.equal(usage.size, 2);
});

test("sessionSandboxStage: a session ends so long after its first call", async () => {
  const clock = new FakeClock();
  const call = setting({ max_duration: "1m" }, new SessionUsage(clock));
  await clock.advance(600_000);
  assert.equal(await call(), pong);
  await clock.advance(60_000);
  assert.equal(await call(), pong);
  await clock.advance(1);
  assert.equal(await call(), "SESSION_LIMIT");
});

test("sessionSandboxStage: backends, tools and payloads, and what was refused uses up nothing", async () => {
  const call = setting({
    allowed_backends: ["fil*"],
    denied_tools: ["files:drop_*"],
    max_payload_bytes: 60,
    max_calls: 1,
  });
  assert.equal(await call({ upstream: "web" }), "FORBIDDEN");
  assert.equal(await call({ params: { name: "drop_all" } }), "FORBIDDEN");
  assert.equal(await call({ params: { name: "read", arguments: { text: "ä".repeat(20) } } }), "SESSION_LIMIT");
  assert.equal(await call({ params: { name: "read", arguments: { text: "a".repeat(20) } } }), pong);
});
