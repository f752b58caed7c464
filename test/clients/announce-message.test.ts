import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "valibot";
import { createFace } from "../../src/clients/create-face.ts";
import { announceMessage } from "../../src/clients/fan-out.ts";
import { Answer } from "../../src/core/answer.ts";
import type { Audience } from "../../src/core/audience.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { RoutingProfiles } from "../../src/meta/routing/routing-profiles.ts";
import { routingProfilesSchema } from "../../src/meta/routing/schema.ts";
import { contextOf, fakeHost, request } from "./fake-host.ts";

const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };

async function setUp() {
  const host = fakeHost({ gateway: { tools: [{ name: "github" }] }, files: {} }, async () => Answer.of({}));
  const face = createFace(host);
  const open = async (rights: Partial<Caller> = {}, backend?: string, profile?: string) => {
    const caller = { ...anonymousCaller, ...rights };
    const { session } = await face.initialize(hello, { ...contextOf({ caller, backend }), profile });
    const heard: string[] = [];
    session.attach(
      (text) => void heard.push(text),
      () => {},
    );
    const send = (method: string, params = {}) =>
      face.handle(request(method, params), contextOf({ caller, session, backend }));
    return { session, heard, send };
  };
  const tell = (audience: Audience = { states: [] }) =>
    announceMessage(host, { server: "gateway", tool: "github", audience }, { level: "info", data: 1 });
  return { host, open, tell };
}

test("a message reaches those who may use its tool, by rights, endpoint and profile, and nobody else", async () => {
  const { host, open, tell } = await setUp();
  host.profiles = new RoutingProfiles(
    parse(routingProfilesSchema, { narrow: { allow_tools: ["other"] }, wide: { allow_tools: ["git*"] } }),
    "default",
  );
  const mine = [
    await open(),
    await open({ backends: ["gateway"] }),
    await open({ allowedTools: ["gateway:git*"] }),
    await open({}, "gateway"),
    await open({}, undefined, "wide"),
  ];
  const others = [
    await open({ backends: ["files"] }),
    await open({ allowedTools: ["other"] }),
    await open({ deniedTools: ["github"] }),
    await open({}, "files"),
    await open({}, undefined, "narrow"),
  ];
  assert.equal(tell(), mine.length);
  const text = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}';
  assert.deepEqual(
    mine.map(({ heard }) => heard),
    mine.map(() => [text]),
  );
  assert.deepEqual(
    others.map(({ heard }) => heard),
    others.map(() => []),
  );
});

test("of a personal capability only its owner is told, and of one with states only sessions in these", async () => {
  const { open, tell } = await setUp();
  const ada = await open({ principal: "key:1", identity: { issuer: undefined, subject: "key:ada" } });
  const bob = await open({ principal: "key:2", identity: { issuer: undefined, subject: "key:bob" } });
  assert.equal(tell({ states: [], owner: { authority: "key", subject: "ada" } }), 1);
  assert.deepEqual([ada.heard.length, bob.heard.length], [1, 0]);
  assert.equal(tell({ states: ["checkout"] }), 0);
  bob.session.state = "checkout";
  assert.equal(tell({ states: ["checkout"] }), 1);
  assert.equal(bob.heard.length, 1);
});

test("a client that wants only warnings is not told", async () => {
  const { open, tell } = await setUp();
  const quiet = await open();
  await quiet.send("logging/setLevel", { level: "warning" });
  assert.equal(tell(), 0);
  await quiet.send("logging/setLevel", { level: "info" });
  assert.equal(tell(), 1);
});

test("a session whose holder is not known is not told until its next request shows", async () => {
  const { open, tell } = await setUp();
  const { session, send } = await open();
  session.caller = undefined;
  assert.equal(tell(), 0);
  await send("ping");
  assert.equal(tell(), 1);
});
