/** Whom a capability is for, at the last place that decides it: the lists may be old, or not there yet. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCapability } from "../../src/capabilities/load.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { Folder, listTools, rest, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

const ada = { authority: "https://id.example", subject: "ada" };
const key = (subject: string) => ({ authority: "key", subject });
const personal = (owner: JsonObject): JsonObject => ({ metadata: { exposure: "personal", identity_owner: owner } });

async function outcome(definition: JsonObject, caller: Caller | undefined): Promise<string> {
  await using api = await RawApi.start(() => ({ body: '{"done":true}' }));
  const file = { description: "d", ...rest({ base_url: api.origin }), ...definition };
  await using folder = await Folder.with({ "tool.yaml": JSON.stringify(file) });
  await using upstream = upstreamOver([folder.path]);
  await listTools(upstream);
  const signal = AbortSignal.timeout(10_000);
  const request = { method: "tools/call", params: { name: "tool", arguments: {} }, signal };
  try {
    await upstream.request(caller === undefined ? request : { ...request, caller });
    return "done";
  } catch (error) {
    assert.equal(api.requests.length, 0);
    return (error as Error).message;
  }
}

const user = (rights: Partial<Caller>): Caller => ({ ...anonymousCaller, principal: "key:1", name: "ci", ...rights });
const inState = (state: string) => user({ view: { state, hides: () => undefined } });

test("a personal capability is its owner's: by issuer and subject, or by the name of a key; an admin is no owner", async () => {
  const refusal = "Unknown tool: tool";
  const expected: readonly (readonly [JsonObject, Caller | undefined, string])[] = [
    [ada, user({ identity: { issuer: ada.authority, subject: "ada" } }), "done"],
    [ada, user({ identity: { issuer: "https://other.example", subject: "ada" } }), refusal],
    [ada, user({ identity: { issuer: ada.authority, subject: "ada2" } }), refusal],
    [ada, user({ name: "ada", admin: true }), refusal],
    [ada, undefined, refusal],
    [key("ci"), user({ identity: { issuer: undefined, subject: "key:ci" } }), "done"],
    [key("ci"), user({ identity: { issuer: undefined, subject: "user:ci" } }), refusal],
    [key("ci"), user({ identity: { issuer: "https://id.example", subject: "key:ci" } }), refusal],
    [key("bearer"), user({ principal: "bearer:1" }), "done"],
    [key("bearer"), user({ identity: { issuer: "https://id.example", subject: "bearer" } }), refusal],
    // Without authentication there is one person only.
    [ada, anonymousCaller, "done"],
    [ada, { ...anonymousCaller, principal: "stdio" }, "done"],
    [ada, { ...anonymousCaller, principal: "host" }, "done"],
    [ada, { ...anonymousCaller, principal: "public", admin: false }, refusal],
  ];
  for (const [owner, caller, message] of expected)
    assert.equal(await outcome(personal(owner), caller), message, JSON.stringify([owner, caller]));
});

test("a capability with states is there in these alone; a request without a session is in the default one", async () => {
  const checkout = { visible_in_states: ["checkout", "pay"] };
  const refusal = (state: string) => `Tool "tool" of server "gateway" is hidden in the state "${state}"`;
  assert.equal(await outcome(checkout, inState("pay")), "done");
  assert.equal(await outcome(checkout, inState("browse")), refusal("browse"));
  assert.equal(await outcome(checkout, anonymousCaller), refusal("default"));
  assert.equal(await outcome({ visible_in_states: ["default"] }, anonymousCaller), "done");
  assert.equal(await outcome({ visible_in_states: ["default"] }, inState("pay")), refusal("pay"));
  assert.equal(await outcome({ visible_in_states: [] }, inState("pay")), "done");
});

test("a personal capability must say whose it is, and a state needs a name", async () => {
  const load = (more: string) =>
    loadCapability({
      path: "t.yaml",
      content: { text: `description: d\nproviders: {primary: {config: {base_url: http://h}}}\n${more}` },
    });
  for (const owner of ["", ", identity_owner: {}", ", identity_owner: {subject: ada, label: Ada}"])
    await assert.rejects(
      load(`metadata: {exposure: personal${owner}}`),
      /^ConfigError: t\.yaml:3:\d+ {2}"metadata\.identity_owner" must say whose the capability is/,
    );
  await assert.rejects(load('visible_in_states: [""]'), /"visible_in_states\.0" must be the name of a state/);
  await assert.rejects(load("visible_in_states: checkout"), /"visible_in_states" must be Array/);
});
