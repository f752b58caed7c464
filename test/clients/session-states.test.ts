/** States of sessions: what a session with one is shown, may call, and is told of. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFace } from "../../src/clients/create-face.ts";
import type { Session } from "../../src/clients/session.ts";
import { Answer } from "../../src/core/answer.ts";
import { audienceMeta } from "../../src/core/audience.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { overseesAll } from "../../src/core/role.ts";
import { isAnothers } from "../../src/core/scope.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { contextOf, type FakeHost, fakeHost, request } from "./fake-host.ts";

const inStates = (...states: string[]) => ({ _meta: audienceMeta({ states }) });
const lists = {
  gateway: {
    tools: [
      { name: "browse" },
      { name: "pay", ...inStates("checkout") },
      { name: "greet", ...inStates("default", "idle") },
      { name: "diary", _meta: audienceMeta({ states: [], owner: { authority: "key", subject: "ada" } }) },
    ],
  },
  // Of another server it means nothing.
  shop: { tools: [{ name: "refund", ...inStates("nowhere") }] },
};
const user = (rights: Partial<Caller> = {}): Caller => ({
  ...anonymousCaller,
  principal: "key:1",
  name: "ci",
  ...rights,
});

function setUp(isDirect: boolean): FakeHost {
  const host = fakeHost(lists, async () => Answer.of({ content: [] }));
  host.meta = { ...host.meta, enabled: !isDirect };
  return host;
}

async function open(host: FakeHost, caller = user(), backend?: string): Promise<Session> {
  const init = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: {} };
  return (await createFace(host).initialize(init, contextOf({ caller, backend }))).session;
}

async function ask(host: FakeHost, session: Session, method: string, params: JsonObject, caller = user()) {
  const context = contextOf({ session, caller, backend: session.backend });
  const text = await createFace(host).handle(request(method, params), context);
  return JSON.parse(text as string) as { result: JsonObject; error?: { message: string } };
}

async function names(host: FakeHost, session: Session, caller?: Caller): Promise<string> {
  const { result } = await ask(host, session, "tools/list", {}, caller);
  return (result["tools"] as unknown as JsonObject[]).map(({ name }) => name).join();
}

async function callTool(host: FakeHost, session: Session, name: string, args: JsonObject = {}, caller?: Caller) {
  const { result, error } = await ask(host, session, "tools/call", { name, arguments: args }, caller);
  const content = result?.["content"] as unknown as JsonObject[] | undefined;
  return error?.message ?? String(content?.[0]?.["text"] ?? "called");
}

const setState = async (host: FakeHost, session: Session, state: string) =>
  JSON.parse(await callTool(host, session, "gateway_set_state", { state })) as JsonObject;

describe("the state of a session", () => {
  test("decides what is listed and callable, by own name and by /mcp/{backend}", async () => {
    const host = setUp(true);
    const session = await open(host);
    const atBackend = await open(host, user(), "gateway");
    assert.equal(await names(host, session), "browse,greet,refund");
    assert.equal(await names(host, atBackend), "browse,greet");
    assert.match(
      await callTool(host, session, "pay"),
      /^Tool "pay" of server "gateway" is hidden in the state "default"/,
    );
    assert.equal(host.calls.length, 0);
    session.state = "checkout";
    assert.equal(await names(host, session), "browse,pay,refund");
    assert.equal(await callTool(host, session, "pay"), "called");
    assert.match(await callTool(host, session, "greet"), /hidden in the state "checkout"/);
    assert.equal(await names(host, atBackend), "browse,greet", "it is the session's, not the caller's");
  });

  test("decides what the meta-tools know, and they say why a tool is not there", async () => {
    const host = setUp(false);
    const session = await open(host);
    const invoke = (tool: string) => callTool(host, session, "gateway_invoke", { server: "gateway", tool });
    assert.match(await invoke("pay"), /hidden in the state "default"(.|\n)*gateway_set_state/);
    assert.match(await callTool(host, session, "gateway_invoke", { tool: "pay" }), /hidden in the state "default"/);
    assert.doesNotMatch(await invoke("diary"), /state/);
    const listed = await callTool(host, session, "gateway_list_tools", { server: "gateway" });
    assert.deepEqual(
      (JSON.parse(listed).tools as JsonObject[]).map(({ name }) => name),
      ["browse", "greet"],
    );
    const before = { previous: "default", current: "checkout", visible_tools: 3, session_id: session.id };
    assert.deepEqual(await setState(host, session, "checkout"), before);
    assert.equal(await invoke("pay"), "called");
    assert.match(await invoke("greet"), /hidden in the state "checkout"/);
  });

  test("is told of when it shows other tools, and only then", async () => {
    const host = setUp(false);
    const session = await open(host);
    const told: string[] = [];
    session.attach(
      (text) => void told.push(text),
      () => {},
    );
    await setState(host, session, "idle");
    assert.equal(told.length, 0);
    await setState(host, session, "checkout");
    assert.deepEqual(
      told.map((text) => JSON.parse(text).method),
      ["notifications/tools/list_changed"],
    );
    const { note } = await setState(host, session, "chekcout");
    assert.equal(note, 'No capability names the state "chekcout"');
  });

  test("is for admins to set, for sessions only, and by a name of bounded length", async () => {
    const host = setUp(false);
    const session = await open(host);
    const plain = user({ admin: false });
    assert.match(await callTool(host, session, "gateway_set_state", { state: "x" }, plain), /is for admins/);
    assert.match(await callTool(host, session, "gateway_set_state", {}), /"state" is missing/);
    assert.match(await callTool(host, session, "gateway_set_state", { state: "x".repeat(129) }), /longer than 128/);
    const params = { name: "gateway_set_state", arguments: { state: "x" } };
    const text = (await createFace(host).handle(
      request("tools/call", params),
      contextOf({ caller: user() }),
    )) as string;
    assert.match(text, /A state can be set for a session only/);
    assert.equal(session.state, "default");
  });
});

test("a personal capability is another's: not listed, not called, and not known by its name", async () => {
  const host = setUp(true);
  const ada = user({ identity: { issuer: undefined, subject: "key:ada" }, admin: false });
  const [hers, mine] = [await open(host, ada), await open(host)];
  assert.equal(await names(host, hers, ada), "browse,greet,diary,refund");
  assert.equal(await callTool(host, hers, "diary", {}, ada), "called");
  assert.equal(await names(host, mine), "browse,greet,refund");
  const unknown = await callTool(host, mine, "diarx");
  assert.equal((await callTool(host, mine, "diary")).replace("diary", "diarx"), unknown);
  assert.equal(await names(host, mine, anonymousCaller), "browse,greet,diary,refund", "one person alone is the owner");
  const operator = host.views.narrow(user({ admin: false, role: "operator" }));
  assert.ok(isAnothers(operator, "gateway", "diary"));
  assert.ok(overseesAll(operator), "what is another's takes nothing from the role");
});
