/** Imported skills on `/mcp`, beside those that backends serve themselves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createFace } from "../../src/clients/create-face.ts";
import { announceProfile, announceSkills } from "../../src/clients/fan-out.ts";
import { Answer } from "../../src/core/answer.ts";
import type { Call } from "../../src/core/call.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { UpstreamRpcError } from "../../src/core/errors.ts";
import { isJsonObject, type JsonObject } from "../../src/lib/json.ts";
import { skillsExtension } from "../../src/mcp/extensions.ts";
import { parseSkill } from "../../src/skills/parse-skill.ts";
import { serveSkills } from "../../src/skills/served-skills.ts";
import { skillsOff } from "../meta/fake-context.ts";
import { contextOf, type FakeHost, fakeHost, type Lists, request } from "./fake-host.ts";

const mine = "skill://pdf/SKILL.md";
const text = "---\nname: pdf\ndescription: Fills forms\n---\nBody\n";
const served = serveSkills([await parseSkill("pdf", text, [["references/a.md", "more"]])]);

const lists: Lists = {
  one: { resources: [{ uri: mine }, { uri: "skill://other/SKILL.md" }] },
  two: { resources: [{ uri: "skill://other/SKILL.md" }] },
};

/** Backends of which `one` and `two` serve skills by the extension, each the same addresses and its own words. */
async function answer({ upstream, method, params = {} }: Call): Promise<Answer> {
  const { uri, cursor } = params;
  const entry = (at: string) => ({ uri: at, frontmatter: { name: "x", from: upstream }, resources: [{ uri: at }] });
  if (method === "skills/list")
    return Answer.of(
      cursor === undefined ? { skills: [entry(mine)], nextCursor: "2" } : { skills: [entry("skill://other/SKILL.md")] },
    );
  if (uri !== mine && uri !== "skill://other/SKILL.md" && uri !== "skill://other")
    throw new UpstreamRpcError({ code: -32_602, message: "No such skill" }, upstream);
  if (method === "skills/get") return Answer.of({ skill: entry(String(uri)) });
  if (method === "resources/directory/read") return Answer.of({ resources: [{ uri: `${uri}/SKILL.md` }] });
  return Answer.of({ contents: [{ uri, text: `of ${upstream}` }] });
}

function hostWith(change: Partial<FakeHost> = {}): FakeHost {
  return Object.assign(fakeHost(lists, answer), { skills: { isOn: true, served: async () => served } }, change);
}

/** Connected, and speaking the extension. */
const described = {
  describe: () => ({
    protocolVersion: "2026-07-28",
    serverInfo: {},
    instructions: undefined,
    capabilities: { resources: {}, extensions: { [skillsExtension]: {} } },
  }),
};

async function ask(host: FakeHost, method: string, params: JsonObject = {}, change = {}) {
  const reply = await createFace(host).handle(request(method, params), contextOf(change));
  return JSON.parse(reply as string) as { result: JsonObject; error: { code: number; message: string } };
}
const urisIn = (items: unknown) => (items as JsonObject[]).map(({ uri }) => uri);

test("resources/list: a skill keeps its address, the backend that lists the same one gets another", async () => {
  const { result } = await ask(hostWith(), "resources/list");
  assert.deepEqual(urisIn(result["resources"]), [
    `gw+one:${mine}`,
    "gw+one:skill://other/SKILL.md",
    "gw+two:skill://other/SKILL.md",
    mine,
  ]);
});

test("resources/read: the skill's own bytes, and with the prefix those of the backend", async () => {
  const host = hostWith();
  const own = await ask(host, "resources/read", { uri: mine });
  assert.deepEqual(own.result, { contents: [{ uri: mine, mimeType: "text/markdown", text }] });
  const file = await ask(host, "resources/read", { uri: "skill://pdf/references/a.md" });
  assert.equal((file.result["contents"] as JsonObject[])[0]?.["text"], "more");
  assert.equal(host.calls.length, 0);
  const theirs = await ask(host, "resources/read", { uri: `gw+one:${mine}` });
  assert.deepEqual(theirs.result["contents"], [{ uri: `gw+one:${mine}`, text: "of one" }]);
  const missing = await ask(host, "resources/read", { uri: "skill://pdf/none.md" });
  assert.equal(missing.error.code, -32_602);
});

test("skills/list: the imported ones first, then those of backends that speak of skills, page by page", async () => {
  const { result } = await ask(hostWith(), "skills/list");
  assert.deepEqual(result, { skills: [served.skills[0]?.entry] });
  const all = await ask(hostWith(described), "skills/list");
  const skills = all.result["skills"] as JsonObject[];
  assert.deepEqual(urisIn(skills), [
    mine,
    `gw+one:${mine}`,
    "gw+one:skill://other/SKILL.md",
    `gw+two:${mine}`,
    "gw+two:skill://other/SKILL.md",
  ]);
  assert.deepEqual(skills[1], {
    uri: `gw+one:${mine}`,
    frontmatter: { name: "x", from: "one" },
    resources: [{ uri: `gw+one:${mine}` }],
  });
  assert.equal((await ask(hostWith(), "skills/list", { cursor: "x" })).error.code, -32_602);
});

test("skills/list: shows nobody a backend he may not use, and one that fails takes nothing from the others", async () => {
  const caller: Caller = { ...anonymousCaller, backends: ["two"] };
  const narrowed = await ask(hostWith(described), "skills/list", {}, { caller });
  assert.deepEqual(urisIn(narrowed.result["skills"]), [mine, `gw+two:${mine}`, "skill://other/SKILL.md"]);
  const call = (one: Call) => (one.upstream === "one" ? Promise.reject(new Error("broken")) : answer(one));
  const broken = await ask(hostWith({ ...described, call }), "skills/list");
  assert.equal((broken.result["skills"] as JsonObject[]).length, 3);
});

test("skills/get: of the gateway, of the backend whose skill it is, and of nobody", async () => {
  const host = hostWith(described);
  assert.deepEqual((await ask(host, "skills/get", { uri: mine })).result, { skill: served.skills[0]?.entry });
  const theirs = await ask(host, "skills/get", { uri: "gw+two:skill://other/SKILL.md" });
  assert.deepEqual(theirs.result["skill"], {
    uri: "gw+two:skill://other/SKILL.md",
    frontmatter: { name: "x", from: "two" },
    resources: [{ uri: "gw+two:skill://other/SKILL.md" }],
  });
  for (const one of [host, hostWith()])
    for (const uri of ["skill://none/SKILL.md", "skill://pdf/references/a.md"])
      assert.equal((await ask(one, "skills/get", { uri })).error.code, -32_602);
  assert.equal((await ask(host, "skills/get", { uri: 1 })).error.code, -32_602);
});

test("resources/directory/read: what is in a folder of a skill", async () => {
  const host = hostWith(described);
  const { result } = await ask(host, "resources/directory/read", { uri: "skill://pdf" });
  assert.deepEqual(urisIn(result["resources"]), [mine, "skill://pdf/references"]);
  const theirs = await ask(host, "resources/directory/read", { uri: "gw+one:skill://other" });
  assert.deepEqual(urisIn(theirs.result["resources"]), ["gw+one:skill://other/SKILL.md"]);
  assert.equal((await ask(hostWith(), "resources/directory/read", { uri: mine })).error.code, -32_602);
});

test("subscriptions: who watches a skill is told, no backend is asked, and a narrower profile takes it from nobody", async () => {
  const host = hostWith();
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: {} };
  const { session } = await createFace(host).initialize(params, contextOf());
  const { session: onBackend } = await createFace(host).initialize(params, contextOf({ backend: "one" }));
  const heard: [string, unknown][] = [];
  session.notify = (method, told) => void heard.push([method, told]);
  onBackend.notify = (method) => void heard.push([`backend: ${method}`, undefined]);
  await ask(host, "resources/subscribe", { uri: mine }, { session });
  announceProfile(host, session, { ...anonymousCaller, backends: [] });
  heard.length = 0;
  announceSkills(host, [mine, "skill://pdf/references/a.md"]);
  assert.deepEqual(heard, [
    ["notifications/resources/list_changed", undefined],
    ["notifications/resources/updated", { uri: mine }],
  ]);
  await ask(host, "resources/unsubscribe", { uri: mine }, { session });
  announceSkills(host, [mine]);
  assert.equal(heard.length, 3);
  assert.equal(host.calls.length, 0);
});

test("initialize: the extension is declared on /mcp while skills are on, and nowhere else", async () => {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: {} };
  const extensionsOf = async (host: FakeHost, backend?: string) => {
    const { resultText } = await createFace(host).initialize(params, contextOf({ backend }));
    const { capabilities } = JSON.parse(resultText) as JsonObject;
    return isJsonObject(capabilities) ? capabilities["extensions"] : undefined;
  };
  assert.deepEqual(await extensionsOf(hostWith()), { [skillsExtension]: { directoryRead: true } });
  assert.equal(await extensionsOf(hostWith(), "one"), undefined);
  assert.equal(await extensionsOf(hostWith({ skills: skillsOff })), undefined);
});
