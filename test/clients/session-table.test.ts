import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSessionTable } from "../../src/clients/session-table.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import type { Clock } from "../../src/lib/clock.ts";

function fakeClock(): Clock & { advance(ms: number): void } {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      now += ms;
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      for (const timer of due) timer.run();
    },
  };
}

const init = {
  principal: "key:a",
  backend: undefined,
  protocolVersion: "2025-11-25",
  clientInfo: {},
  clientCapabilities: {},
} as const;

function table() {
  const clock = fakeClock();
  let id = 0;
  const settings = { session_ttl: 1_000, session_reaper_interval: 100, buffer_size: 2 };
  return { clock, sessions: createSessionTable({ clock, newId: () => `s${++id}`, settings: () => settings }) };
}

describe("session table", () => {
  test("a session exists only for its principal and its endpoint (T7)", () => {
    const { sessions } = table();
    const { id } = sessions.open(init);
    assert.ok(sessions.find(id, "key:a", undefined));
    assert.equal(sessions.find(id, "key:b", undefined), undefined);
    assert.equal(sessions.find(id, "key:a", "files"), undefined);
    assert.equal(sessions.close(id, "key:b"), false);
    assert.equal(sessions.close(id, "key:a"), true);
    assert.equal(sessions.find(id, "key:a", undefined), undefined);
  });

  test("an unused session is forgotten after its time, a streaming or working one is not", () => {
    const { clock, sessions } = table();
    const unused = sessions.open(init);
    const streaming = sessions.open(init);
    const working = sessions.open(init);
    streaming.attach(
      () => {},
      () => {},
    );
    working.running.set(1, new Cancellation());
    for (let step = 0; step < 12; step++) clock.advance(100);
    assert.deepEqual([...sessions.all()], [streaming, working]);
    assert.ok(!sessions.find(unused.id, "key:a", undefined));
  });

  test("messages wait for a stream, equal ones once, the oldest giving way", () => {
    const { sessions } = table();
    const session = sessions.open(init);
    for (const text of ["a", "a", "b", "c"]) session.push(text);
    const got: string[] = [];
    const detach = session.attach(
      (text) => got.push(text),
      () => {},
    );
    session.push("d");
    assert.deepEqual(got, ["b", "c", "d"]);
    detach();
    assert.equal(session.streaming, false);
  });

  test("a new stream ends the old one, and the end of the session ends everything", () => {
    const { sessions } = table();
    const session = sessions.open(init);
    const ended: string[] = [];
    const detachOld = session.attach(
      () => {},
      () => ended.push("old"),
    );
    session.attach(
      () => {},
      () => ended.push("new"),
    );
    detachOld();
    assert.equal(session.streaming, true);
    const running = new Cancellation();
    session.running.set(1, running);
    sessions.closeAll();
    assert.deepEqual(ended, ["old", "new"]);
    assert.equal(running.aborted, true);
    assert.equal(sessions.size, 0);
  });
});
