/** Who is held to which grants, and that they only ever take away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Grant, Grants } from "../../src/config/identity-grants/schema.ts";
import { anonymousCaller, type Caller, type CallerIdentity } from "../../src/core/caller.ts";
import { overseesAll } from "../../src/core/role.ts";
import { mayUseEveryTool, mayUseServer, mayUseTool } from "../../src/core/scope.ts";
import { createGrantedCallers } from "../../src/doors/identity-grants/granted-caller.ts";
import { fakeGateway } from "./fake-gateway.ts";

const nobody: Caller = { ...anonymousCaller, principal: "key:1", name: "ci", admin: false };
const named = (identity: CallerIdentity): Caller => ({ ...nobody, identity });
const key = named({ issuer: undefined, subject: "key:ci" });
const ada = named({ issuer: "https://id", subject: "ada", groups: ["staff"], email: "ada@example.com" });

function grant(more: Partial<Grant>): Grant {
  const everything = { servers: ["*"], tools: ["*"], endsAt: undefined };
  return { subject: undefined, email: undefined, group: undefined, ...everything, ...more };
}

function setUp(grants: Grants | undefined) {
  const gateway = fakeGateway({});
  const config = { ...gateway.config, grants };
  const time = { now: 1_000 };
  return { config, time, narrow: createGrantedCallers({ config: config } as never, () => time.now) };
}

const uses = (grants: Grant[], caller: Caller, server = "files", tool = "read") =>
  mayUseTool(setUp(grants).narrow(caller), server, tool);

test("grants: nothing is granted by default, to admins everything", () => {
  const { narrow } = setUp([]);
  assert.equal(mayUseServer(narrow(key), "files"), false);
  assert.equal(mayUseEveryTool(narrow(key)), false);
  assert.equal(narrow(anonymousCaller), anonymousCaller);
  assert.equal(overseesAll(narrow({ ...key, role: "operator" })), false, "a role is no grant");
  assert.equal(setUp(undefined).narrow(key), key);
  assert.equal(mayUseServer(setUp("unreadable").narrow(key), "files"), false);
});

test("grants: a grant is for who fits all that it names", () => {
  const fits = (more: Partial<Grant>) => [key, ada, nobody].map((caller) => uses([grant(more)], caller));
  assert.deepEqual(fits({ subject: "*" }), [true, true, true]);
  assert.deepEqual(fits({ subject: "key:*" }), [true, false, false]);
  assert.deepEqual(fits({ subject: "https://id:ada" }), [false, true, false]);
  assert.deepEqual(fits({ subject: "ada" }), [false, false, false]);
  assert.deepEqual(fits({ group: "sta*" }), [false, true, false]);
  assert.deepEqual(fits({ email: "*@example.com" }), [false, true, false]);
  assert.deepEqual(fits({ email: "*" }), [false, true, false]);
  assert.deepEqual(fits({ group: "staff", subject: "https://other:*" }), [false, false, false]);
  // What an agent only says of itself is nothing.
  assert.equal(uses([grant({ subject: "agent:builder" })], { ...nobody, agent: "builder" }), false);
  assert.equal(
    uses([grant({ subject: "agent:builder" })], named({ issuer: undefined, subject: "agent:builder" })),
    true,
  );
});

test("grants: servers and tools go together, and several grants add up", () => {
  const { narrow } = setUp([
    grant({ subject: "key:ci", servers: ["files"], tools: ["read*"] }),
    grant({ subject: "key:ci", servers: ["web", "mail"], tools: ["mail:send", "get"] }),
  ]);
  const caller = narrow(key);
  const may = ["files:read_it", "files:get", "web:get", "web:send", "mail:send", "other:get"].map((name) => {
    const [server = "", tool = ""] = name.split(":");
    return mayUseTool(caller, server, tool);
  });
  assert.deepEqual(may, [true, false, true, false, true, false]);
  assert.deepEqual(
    ["files", "web", "other"].map((server) => mayUseServer(caller, server)),
    [true, true, false],
  );
});

test("grants: they add nothing to what the caller may use otherwise", () => {
  const limited = { ...key, backends: ["files"], deniedTools: ["drop*"] };
  const { narrow } = setUp([grant({ subject: "*" })]);
  assert.equal(mayUseTool(narrow(limited), "files", "read"), true);
  assert.equal(mayUseTool(narrow(limited), "files", "drop_all"), false);
  assert.equal(mayUseServer(narrow(limited), "web"), false);
});

test("grants: they end at their time, and lists are made anew then", () => {
  const { narrow, time } = setUp([grant({ subject: "*", endsAt: 2_000 }), grant({ subject: "*", servers: ["web"] })]);
  const before = narrow(key);
  assert.equal(narrow(key), before, "equal ones are one");
  assert.equal(mayUseServer(before, "files"), true);
  time.now = 2_000;
  assert.equal(mayUseServer(before, "files"), false, "a session that was open before goes by the time");
  assert.equal(mayUseServer(before, "web"), true);
  const after = narrow(key);
  assert.notEqual(after, before);
  assert.equal(narrow(key), after);
});

test("grants: other grants count at once, for sessions that are open too", () => {
  const { narrow, config } = setUp([grant({ subject: "*" })]);
  const before = narrow(key);
  config.grants = [];
  assert.equal(mayUseServer(before, "files"), false);
  assert.notEqual(narrow(key), before);
  config.grants = undefined;
  assert.equal(mayUseServer(before, "files"), true);
  assert.equal(narrow(key), key);
});
