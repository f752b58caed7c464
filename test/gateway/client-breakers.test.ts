/** The circuit of each caller: what counts against whom, for how long, and how it closes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import type { GatewayErrorCode } from "../../src/core/error-codes.ts";
import { GatewayError, UpstreamRpcError } from "../../src/core/errors.ts";
import { ClientBreakers } from "../../src/gateway/client-breakers.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

const settings = { enabled: true, failure_threshold: 3, success_threshold: 2, reset_timeout: 30_000 };
const caller = (principal: string): Caller => ({ ...anonymousCaller, principal, name: principal });
const ada = caller("key:ada");

function setUp() {
  const clock = new FakeClock();
  const live = { settings: settings as typeof settings | undefined };
  const breakers = new ClientBreakers(clock, () => live.settings);
  const fail = (code: GatewayErrorCode, who = ada, times = 1) => {
    for (let at = 0; at < times; at++) breakers.settle(who, new GatewayError(code, `A mistake ${at}`));
  };
  const isOpen = (who = ada) => {
    try {
      breakers.assertClosed(who);
      return false;
    } catch (error) {
      assert.ok(error instanceof GatewayError && error.code === "CLIENT_CIRCUIT_OPEN");
      return true;
    }
  };
  return { clock, live, breakers, fail, isOpen };
}

test("client breakers: so many failures in a row open the circuit of that caller alone, and it says for how long", async () => {
  const { fail, isOpen, breakers, clock } = setUp();
  fail("INVALID_PARAMS", ada, 2);
  breakers.settle(ada, undefined);
  fail("FORBIDDEN", ada, 2);
  assert.ok(!isOpen(), "a success in between");
  fail("METHOD_NOT_FOUND");
  assert.ok(isOpen());
  assert.ok(!isOpen(caller("key:eve")));
  await clock.advance(10_000);
  assert.throws(() => breakers.assertClosed(ada), {
    retryAfterMs: 20_000,
    message: /3 requests of "key:ada".*A mistake 0/,
  });
});

test("client breakers: after a while it is let in again, and shut out by its next failure or forgiven", async () => {
  const { fail, isOpen, breakers, clock } = setUp();
  fail("INVALID_REQUEST", ada, 3);
  await clock.advance(30_000);
  assert.ok(!isOpen());
  fail("INVALID_REQUEST");
  assert.ok(isOpen());
  await clock.advance(30_000);
  breakers.settle(ada, undefined);
  breakers.settle(ada, undefined);
  fail("INVALID_REQUEST", ada, 2);
  assert.ok(!isOpen());
});

test("client breakers: what others are to blame for, and what belongs to the protocol, does not count", () => {
  const { fail, isOpen, breakers } = setUp();
  for (const code of [
    "UPSTREAM_CLOSED",
    "TIMEOUT",
    "CIRCUIT_OPEN",
    "RATE_LIMITED",
    "OVERLOADED",
    "INTERNAL",
    "SHUTTING_DOWN",
    "TOOL_QUARANTINED",
    "CANCELLED",
    "SESSION_NOT_FOUND",
    "LOGIN_REQUIRED",
    "UNAUTHENTICATED",
    "TOO_MANY_ATTEMPTS",
    "CLIENT_CIRCUIT_OPEN",
  ] as const)
    fail(code, ada, 3);
  for (let at = 0; at < 3; at++) {
    breakers.settle(ada, new UpstreamRpcError({ code: -32_602, message: "Bad params" }, "files"));
    breakers.settle(ada, new TypeError("A defect"));
  }
  assert.ok(!isOpen());
});

test("client breakers: nobody is shut out for all who cannot be told apart", () => {
  const { fail, isOpen } = setUp();
  for (const principal of ["anonymous", "public", "stdio"]) {
    fail("INVALID_REQUEST", caller(principal), 5);
    assert.ok(!isOpen(caller(principal)), principal);
  }
});

test("client breakers: settings are live, and switching off forgives", () => {
  const { fail, isOpen, live } = setUp();
  fail("INVALID_REQUEST", ada, 3);
  live.settings = { ...settings, reset_timeout: 0 };
  assert.ok(!isOpen());
  live.settings = settings;
  assert.ok(isOpen());
  live.settings = undefined;
  assert.ok(!isOpen());
  live.settings = settings;
  assert.ok(!isOpen());
  fail("INVALID_REQUEST", ada, 2);
  live.settings = { ...settings, enabled: false };
  fail("INVALID_REQUEST", ada, 5);
  live.settings = settings;
  assert.ok(!isOpen());
});

test("client breakers: any number of callers take bounded memory; who failed first is forgotten first", () => {
  const { fail, isOpen } = setUp();
  fail("INVALID_REQUEST", ada, 3);
  for (let at = 0; at < 9_999; at++) fail("INVALID_REQUEST", caller(`key:${at}`));
  assert.ok(isOpen());
  fail("INVALID_REQUEST", caller("key:last"));
  assert.ok(!isOpen());
});
