/** The meta-tools that take a role: who is shown them, and who may call them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { moreTools, operatorToolsFor } from "../../src/meta/more-tools.ts";
import { fakeActions, fakeContext } from "./fake-context.ts";

const nobody: Caller = { ...anonymousCaller, name: "ada", admin: false };
const acts: unknown[] = [];
const actions = {
  ...fakeActions,
  costs: async () => ({}),
  kill: (...args: unknown[]) => {
    acts.push(args);
    return { was_already_killed: false };
  },
};
const contextOf = (caller: Caller) =>
  fakeContext(
    [
      { name: "one", tools: [] },
      { name: "two", tools: [] },
    ],
    { caller, actions: actions as never },
  );
const shownTo = (caller: Caller) =>
  operatorToolsFor(contextOf(caller), "admin").map(({ name }) => name.slice("gateway_".length));
const run = (name: string, caller: Caller, args = {}) =>
  moreTools
    .get(`gateway_${name}`)!
    .run(args, contextOf(caller))
    .then(
      () => "done",
      (error) => error.code,
    );

test("operator tools: a role is shown what it may call, and may call what it is shown", async () => {
  const reads = ["get_stats", "webhook_status", "list_disabled_capabilities", "get_profile", "list_profiles"];
  assert.deepEqual(shownTo(nobody), []);
  assert.deepEqual(new Set(shownTo({ ...nobody, role: "viewer" })), new Set([...reads, "cost_report"]));
  const forOperators = [
    ...reads,
    "cost_report",
    "kill_server",
    "revive_server",
    "reload_config",
    "reload_capabilities",
  ];
  assert.deepEqual(new Set(shownTo({ ...nobody, role: "operator" })), new Set(forOperators));
  assert.deepEqual(new Set(shownTo(anonymousCaller)), new Set([...forOperators, "set_profile", "set_state"]));
  for (const name of ["cost_report", "kill_server", "reload_config", "set_profile"]) {
    assert.equal(await run(name, nobody, { server: "one" }), "FORBIDDEN", name);
    const isForViewers = name === "cost_report";
    assert.equal(
      await run(name, { ...nobody, role: "viewer" }, { server: "one" }),
      isForViewers ? "done" : "FORBIDDEN",
    );
  }
});

test("operator tools: a role reaches the backends of its caller, and nothing that is about all of them", async () => {
  const few: Caller = { ...nobody, role: "operator", backends: ["one"] };
  acts.length = 0;
  assert.equal(await run("kill_server", few, { server: "one" }), "done");
  assert.equal(await run("kill_server", few, { server: "two" }), "SERVER_NOT_FOUND");
  const by = { name: "ada", principal: "anonymous", role: "operator" };
  assert.deepEqual(acts, [["one", { by }]]);
  for (const name of ["cost_report", "reload_config", "reload_capabilities"])
    assert.equal(await run(name, few), "FORBIDDEN", name);
});
