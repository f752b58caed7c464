import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Session } from "../../src/clients/session.ts";
import { createSessionTable, type SavedSession, type SessionStore } from "../../src/clients/session-table.ts";
import { Subscriptions } from "../../src/clients/subscriptions.ts";
import { Cancellation, neverCancelled } from "../../src/lib/cancellation.ts";
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
  const sessions = createSessionTable({
    clock,
    calendar: () => 0,
    newId: () => `s${++id}`,
    settings: () => settings,
    subscriptions: new Subscriptions(),
  });
  return { clock, sessions };
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

/** What several processes of one gateway share. */
function sharedDisk() {
  const files = new Map<string, SavedSession>();
  const store: SessionStore = {
    save: (id, saved) => void files.set(id, structuredClone(saved)),
    remove: (id) => void files.delete(id),
    leave: (id) => void files.delete(id),
    load: async (id) => files.get(id),
    removeOlderThan: async () => {},
    flush: async () => {},
  };
  const process = (calendarMs = 0) => {
    const clock = fakeClock();
    const subscriptions = new Subscriptions();
    const restored: string[] = [];
    const sessions = createSessionTable({
      clock,
      calendar: () => calendarMs + clock.now(),
      newId: () => "kept",
      settings: () => ({ session_ttl: 1_000, session_reaper_interval: 100, buffer_size: 2 }),
      subscriptions,
      store,
      onRestored: ({ id }) => void restored.push(id),
    });
    return { clock, sessions, subscriptions, restored };
  };
  return { files, process };
}

describe("sessions that outlive their process", () => {
  test("a kept one is restored with all it had, once, for its principal and endpoint alone", async () => {
    const { process } = sharedDisk();
    const before = process();
    const { id } = before.sessions.open({ ...init, clientCapabilities: { roots: {} } }, true);
    before.clock.advance(10);
    const session = before.sessions.find(id, "key:a", undefined);
    assert.ok(session);
    session.logLevel = "debug";
    before.subscriptions.add(session, { server: "files", uri: "file:///a" }, "gw+files:file:///a");
    before.sessions.save(session);
    const { sessions, subscriptions, restored } = process(500);
    assert.equal(sessions.find(id, "key:a", undefined), undefined);
    const [found, same, stranger, elsewhere] = await Promise.all([
      sessions.restore(id, "key:a", undefined),
      sessions.restore(id, "key:a", undefined),
      sessions.restore(id, "key:b", undefined),
      sessions.restore(id, "key:a", "files"),
    ]);
    assert.ok(found !== undefined && found === same);
    assert.deepEqual([stranger, elsewhere], [undefined, undefined]);
    assert.deepEqual([found.logLevel, found.clientCapabilities], ["debug", { roots: {} }]);
    assert.equal(subscriptions.find(found, "gw+files:file:///a")?.uri, "file:///a");
    assert.deepEqual(restored, [id]);
  });

  test("one that was ended, is too old, or was not to be kept is not restored; a shutdown ends none", async () => {
    const { files, process } = sharedDisk();
    const first = process();
    const ended = first.sessions.open(init, true);
    first.clock.advance(10);
    assert.equal(files.size, 1);
    first.sessions.close(ended.id, "key:a");
    assert.equal(files.size, 0);
    first.sessions.open(init);
    first.clock.advance(10);
    assert.equal(files.size, 0, "of a client that cannot come back");
    const second = process();
    second.sessions.open(init, true);
    await second.sessions.closeAll();
    assert.ok(await process(900).sessions.restore("kept", "key:a", undefined));
    assert.equal(await process(5_000).sessions.restore("kept", "key:a", undefined), undefined);
  });

  test("what is in use is written down now and then, what is forgotten here is forgotten on disk", () => {
    const { files, process } = sharedDisk();
    const { clock, sessions } = process();
    const { id } = sessions.open(init, true);
    clock.advance(10);
    for (let step = 0; step < 10; step++) {
      clock.advance(90);
      sessions.find(id, "key:a", undefined);
    }
    assert.ok((files.get(id)?.seenAt ?? 0) > 500);
    for (let step = 0; step < 12; step++) clock.advance(100);
    assert.equal(files.size, 0);
  });
});

/** Gateways that have the same sessions; what one says the others hear at once. */
function gateways(count: number) {
  const known = new Map<string, SavedSession | "ended">();
  const stores: SessionStore[] = [];
  return Array.from({ length: count }, (_, at) => {
    const others = () => stores.filter((_other, index) => index !== at).flatMap(({ onPeer }) => onPeer ?? []);
    const store: SessionStore = {
      async save(id, saved) {
        known.set(id, structuredClone(saved));
        for (const { onChanged } of others()) onChanged(id, saved);
      },
      remove(id) {
        known.set(id, "ended");
        for (const { onEnded } of others()) onEnded(id);
      },
      leave: () => {},
      load: async (id) => {
        const saved = known.get(id);
        return saved === "ended" ? undefined : saved;
      },
      removeOlderThan: async () => {},
      flush: async () => {},
      peers: {
        share: async () => {},
        tell(id, messageText) {
          for (const { onMessage } of others()) onMessage(id, messageText);
        },
      },
    };
    stores.push(store);
    const clock = fakeClock();
    const subscriptions = new Subscriptions();
    const unwatched: string[] = [];
    const sessions = createSessionTable({
      clock,
      calendar: clock.now,
      newId: () => `${at}-${Math.random()}`,
      settings: () => ({ session_ttl: 1_000, session_reaper_interval: 100, buffer_size: 2 }),
      subscriptions,
      store,
      onRestored: (_session, gone) => void unwatched.push(...gone.map(({ uri }) => uri)),
    });
    return { clock, sessions, subscriptions, unwatched, known };
  });
}

describe("sessions of several gateways", () => {
  async function atBoth() {
    const [a, b] = gateways(2) as [Peer, Peer];
    const here = a.sessions.open(init, true);
    await a.sessions.share(here);
    const there = (await b.sessions.restore(here.id, "key:a", undefined)) as Session;
    return { a, b, here, there };
  }
  type Peer = ReturnType<typeof gateways>[number];

  test("one that is opened is known at once, and what changes about it too", async () => {
    const { a, b, here, there } = await atBoth();
    here.logLevel = "error";
    here.profile = "research";
    a.subscriptions.add(here, { server: "files", uri: "a" }, "a");
    a.sessions.save(here);
    assert.deepEqual([there.logLevel, there.profile], ["error", "research"]);
    assert.deepEqual(b.subscriptions.watchedBy(there), [{ server: "files", uri: "a", shownAs: "a" }]);
    assert.deepEqual(b.unwatched, []);
    a.subscriptions.remove(here, { server: "files", uri: "a" });
    a.sessions.save(here);
    assert.deepEqual(b.subscriptions.watchedBy(there), []);
    assert.deepEqual(b.unwatched, ["a"]);
  });

  test("another view that it is given elsewhere is told where its stream is", async () => {
    const { a, here, there } = await atBoth();
    const told: string[] = [];
    there.attach(
      (text) => void told.push(JSON.parse(text).method),
      () => {},
    );
    a.sessions.save(here);
    assert.equal(told.length, 0);
    here.state = "checkout";
    a.sessions.save(here);
    assert.equal(there.state, "checkout");
    assert.equal(told[0], "notifications/tools/list_changed");
  });

  test("unused here it is left, ended it is over everywhere", async () => {
    const { a, b, here } = await atBoth();
    b.clock.advance(1_200);
    assert.equal(b.sessions.size, 0);
    assert.ok(a.sessions.find(here.id, "key:a", undefined));
    assert.ok(await b.sessions.restore(here.id, "key:a", undefined));
    a.sessions.close(here.id, "key:a");
    assert.equal(b.sessions.size, 0);
    assert.equal(await b.sessions.restore(here.id, "key:a", undefined), undefined);
    assert.equal(a.known.get(here.id), "ended");
  });

  test("answers and cancellations find what waits for them, whichever gateway they came to", async () => {
    const { b, here, there } = await atBoth();
    const sent: string[] = [];
    const asked = here.questions.send("roots/list", {}, neverCancelled, (text) => sent.push(text) > 0);
    there.questions.send("roots/list", {}, neverCancelled, (text) => sent.push(text) > 0).catch(() => {});
    const [id, other] = sent.map((text) => JSON.parse(text).id as string);
    assert.notEqual(id, other, "no two questions of a session have one id");
    b.sessions.tellPeers(there, JSON.stringify({ jsonrpc: "2.0", id, result: { roots: [] } }));
    assert.deepEqual(await asked, { roots: [] });
    const running = new Cancellation();
    here.running.set(5, running);
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 5, reason: "enough" } };
    b.sessions.tellPeers(there, JSON.stringify(cancel));
    assert.match(String(running.reason), /enough/);
  });

  test("what is to be told goes to the stream, wherever that is; nothing else is let through", async () => {
    const { b, here, there } = await atBoth();
    const told: string[] = [];
    there.attach(
      (text) => void told.push(JSON.parse(text).method),
      () => {},
    );
    here.notify("notifications/resources/updated", { uri: "a" });
    here.notify("notifications/tools/list_changed", undefined);
    assert.deepEqual(told, ["notifications/resources/updated"], "that a list changed, every gateway says itself");
    const passed: string[] = [];
    here.attach(
      (text) => void passed.push(text),
      () => {},
    );
    passed.length = 0;
    for (const text of ["{", "[]", "5", '{"jsonrpc":"2.0","method":"notifications/message","params":{}}'])
      b.sessions.tellPeers(there, text);
    b.sessions.tellPeers(there, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
    assert.deepEqual(passed, []);
  });
});
