import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFace } from "../../src/clients/create-face.ts";
import type { Session } from "../../src/clients/session.ts";
import { Answer } from "../../src/core/answer.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { mayUseServer, mayUseTool } from "../../src/core/scope.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { RoutingProfiles } from "../../src/meta/routing/routing-profiles.ts";
import type { RoutingProfilesSettings } from "../../src/meta/routing/schema.ts";
import { codeModeOff } from "../meta/fake-context.ts";
import { contextOf, type FakeHost, fakeHost, type Lists, request } from "./fake-host.ts";

const lists: Lists = {
  files: {
    tools: [{ name: "read_file" }, { name: "delete_file" }],
    resources: [{ uri: "file:///a" }],
    prompts: [{ name: "explain" }],
  },
  web: { tools: [{ name: "search" }], resources: [{ uri: "web://one" }], prompts: [{ name: "summarise" }] },
};
const none = { allow_backends: undefined, deny_backends: undefined, allow_tools: undefined, deny_tools: undefined };
const settings: RoutingProfilesSettings = {
  reader: { ...none, description: "Only reads", allow_backends: ["fi*"], deny_tools: ["delete_*"] },
  surfer: { ...none, description: "", deny_backends: ["files"] },
};
const user: Caller = { ...anonymousCaller, principal: "key:1", name: "ci", admin: false };

function setUp(defaultName = "default"): FakeHost {
  const host = fakeHost(lists, async () => Answer.of({ content: [] }));
  host.profiles = new RoutingProfiles(settings, defaultName);
  host.meta = { ...host.meta, enabled: false };
  return host;
}

async function open(
  host: FakeHost,
  change: { params?: JsonObject; profile?: string; caller?: Caller; backend?: string },
) {
  const { params, ...context } = change;
  const init = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: {}, ...params };
  return (await createFace(host).initialize(init, { ...contextOf(), ...context })).session;
}

async function ask(
  host: FakeHost,
  session: Session,
  method: string,
  params: JsonObject = {},
  caller = anonymousCaller,
) {
  const context = contextOf({ session, caller, backend: session.backend });
  const text = await createFace(host).handle(request(method, params), context);
  return JSON.parse(text as string) as { result: Record<string, JsonObject[]>; error?: { message: string } };
}

async function names(host: FakeHost, session: Session, kind: "tools" | "prompts", caller?: Caller) {
  const { result } = await ask(host, session, `${kind}/list`, {}, caller);
  return (result[kind] as JsonObject[]).map(({ name }) => name);
}

describe("a routing profile", () => {
  test("leaves its part of every list, asked for by transport or by initialize", async () => {
    const host = setUp();
    for (const session of [
      await open(host, { profile: "reader" }),
      await open(host, { params: { profile: "reader" } }),
    ]) {
      assert.deepEqual(await names(host, session, "tools"), ["read_file"]);
      assert.deepEqual(await names(host, session, "prompts"), ["explain"]);
      const { result } = await ask(host, session, "resources/list");
      assert.deepEqual(result["resources"], [{ uri: "file:///a" }]);
    }
    assert.deepEqual(await names(host, await open(host, {}), "tools"), ["read_file", "delete_file", "search"]);
    const surfer = await open(setUp("surfer"), {});
    assert.deepEqual(await names(setUp("surfer"), surfer, "tools"), ["search"]);
  });

  test("goes with every call, so that the pipeline refuses what it hides", async () => {
    const host = setUp();
    const session = await open(host, { profile: "reader" });
    await ask(host, session, "tools/call", { name: "read_file" });
    const caller = host.calls[0]?.caller as Caller;
    assert.equal(mayUseTool(caller, "files", "delete_file"), false);
    assert.equal(mayUseServer(caller, "web"), false);
    const hidden = await ask(host, session, "tools/call", { name: "delete_file" });
    const unknown = await ask(host, session, "tools/call", { name: "delete_filed" });
    assert.equal(hidden.error?.message.replace("delete_file", ""), unknown.error?.message.replace("delete_filed", ""));
    assert.equal(host.calls.length, 1);
  });

  test("hides a whole backend at its own address in the words for one that is not there", async () => {
    const host = setUp();
    const refusal = (backend: string) => open(host, { profile: "reader", backend }).catch(({ message }) => message);
    assert.equal(
      String(await refusal("web")).replace("web", "X"),
      String(await refusal("nothing")).replace("nothing", "X"),
    );
    const session = await open(host, { profile: "reader", backend: "files" });
    assert.deepEqual(await names(host, session, "tools"), ["read_file"]);
  });

  test("that is misspelt is refused, because it would leave more than was meant", async () => {
    await assert.rejects(open(setUp(), { profile: "raeder" }), {
      code: "INVALID_PARAMS",
      hint: "Profiles: reader, surfer, default",
    });
  });

  test("that a key is bound to cannot be left but by an admin", async () => {
    const host = setUp();
    const bound: Caller = { ...user, boundProfile: "reader" };
    assert.deepEqual(await names(host, await open(host, { caller: bound }), "tools", bound), ["read_file"]);
    await assert.rejects(open(host, { caller: bound, profile: "surfer" }), { code: "FORBIDDEN" });
    const stolen = await open(host, { profile: "surfer" });
    assert.deepEqual(await names(host, stolen, "tools", bound), ["read_file"]);
    const admin = { ...bound, admin: true };
    assert.deepEqual(await names(host, await open(host, { caller: admin, profile: "surfer" }), "tools", admin), [
      "search",
    ]);
  });

  test("that is gone leaves nothing", async () => {
    const host = setUp();
    const session = await open(host, { profile: "reader" });
    host.profiles = new RoutingProfiles({}, "default");
    assert.deepEqual(await names(host, session, "tools"), []);
  });

  test("is set for the session, which is told that its lists changed, and may be kept", async () => {
    const host = setUp();
    host.meta = { ...host.meta, enabled: true };
    const session = await open(host, {});
    const other = await open(host, {});
    const told: string[] = [];
    session.attach(
      (text) => void told.push((JSON.parse(text) as { method: string }).method),
      () => {},
    );
    other.attach(
      () => assert.fail("another session was told"),
      () => {},
    );
    host.subscriptions.add(session, { server: "web", uri: "web://one" }, "web://one");
    const set = (profile: string, caller?: Caller) =>
      ask(host, session, "tools/call", { name: "gateway_set_profile", arguments: { profile } }, caller);
    assert.match(JSON.stringify(await set("reader", user)), /is for admins/);
    assert.match(JSON.stringify(await set("raeder")), /INVALID_PARAMS/);
    const profiles = (caller?: Caller) => ask(host, session, "tools/call", { name: "gateway_list_profiles" }, caller);
    assert.match(JSON.stringify(await profiles()), /only fi\*/);
    assert.doesNotMatch(JSON.stringify(await profiles(user)), /only fi\*|without files/);
    assert.deepEqual(told, []);
    await set("reader");
    assert.deepEqual(
      told,
      ["tools", "resources", "prompts"].map((kind) => `notifications/${kind}/list_changed`),
    );
    assert.equal(session.profile, "reader");
    assert.equal(host.subscriptions.hasAny("web"), false);
    await set("reader");
    assert.equal(told.length, 3);
    host.meta = { ...host.meta, enabled: false };
    assert.deepEqual(await names(host, session, "tools"), ["read_file"]);
    assert.deepEqual(await names(host, other, "tools"), ["read_file", "delete_file", "search"]);
  });
});

test("tools/list shows search and execution where the configuration or the address asks for code mode", async () => {
  const host = setUp();
  host.meta = { ...host.meta, enabled: true, surfaced_tools: [{ server: "files", tool: "read_file" }] };
  const session = await open(host, {});
  const listed = async (address?: string) => {
    const text = await createFace(host).handle(request("tools/list"), contextOf({ session, address }));
    return (JSON.parse(text as string) as { result: { tools: JsonObject[] } }).result.tools.map(({ name }) => name);
  };
  const codeMode = ["gateway_search", "gateway_execute"];
  assert.equal((await listed("http://h/mcp")).length, 5);
  assert.deepEqual(await listed("http://h/mcp?codemode=search_and_execute"), codeMode);
  host.sections = { ...host.sections, codeMode: { ...codeModeOff, enabled: true } };
  assert.deepEqual(await listed(), codeMode);
});
