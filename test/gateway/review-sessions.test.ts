/** What becomes of open sessions when callers begin to be held to grants. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Session, SessionTable } from "../../src/clients/session.ts";
import type { Config } from "../../src/config/schema.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { reviewSessions } from "../../src/gateway/principals.ts";
import { fakeConfig } from "../doors/fake-gateway.ts";

const held = { allow: () => true, missing: { subject: "", path: "" } };

test("reviewSessions: a session from before callers were held to grants ends, the others go on", () => {
  const caller = (more: Partial<Caller>): Caller => ({ ...anonymousCaller, ...more });
  const callers = {
    admin: caller({}),
    before: caller({ admin: false }),
    held: caller({ admin: false, grants: held }),
    unknown: undefined,
  };
  const closedWith = (grants: Config["grants"]) => {
    const closed: string[] = [];
    const all = Object.entries(callers).map(([id, own]) => ({ id, principal: "anonymous", caller: own }) as Session);
    const sessions = { all: () => all, close: (id: string) => closed.push(id) > 0 } as Partial<SessionTable>;
    reviewSessions(sessions as SessionTable, { ...fakeConfig({}), grants }, []);
    return closed;
  };
  assert.deepEqual(closedWith([]), ["before"]);
  assert.deepEqual(closedWith(undefined), []);
});
