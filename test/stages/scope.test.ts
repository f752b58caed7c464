import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { DeniedError } from "../../src/core/errors.ts";
import type { Json } from "../../src/lib/json.ts";
import { scopeStage } from "../../src/stages/scope/scope-stage.ts";
import { answers, makeCall, pong } from "./fixture.ts";

const nobody = () => assert.fail("The upstream was asked");

function refused(caller: Partial<Caller>, changes = {}): Promise<unknown> {
  return scopeStage(makeCall({ caller: { ...anonymousCaller, ...caller }, ...changes }), nobody).catch(
    (error: unknown) => error,
  );
}

describe("scopeStage", () => {
  test("lets through what the caller may use", async () => {
    const callers: Partial<Caller>[] = [
      {},
      { backends: ["files", "web"] },
      { backends: ["fi*"] },
      { allowedTools: ["read*"] },
      { allowedTools: ["files:*"], deniedTools: ["files:write", "web:*"] },
    ];
    for (const caller of callers)
      assert.equal(await scopeStage(makeCall({ caller: { ...anonymousCaller, ...caller } }), answers), pong);
  });

  test("refuses what nobody granted, in the same words for what does not exist, and names the grant", async () => {
    const grants = {
      allow: (server: string, tool?: string) => server === "files" && (tool === undefined || tool === "look"),
      missing: { subject: "key:ci", path: "/etc/gateway/grants.yaml" },
    };
    const refusal = async (upstream: string, name: string) => {
      const error = await refused({ grants, name: "ci" }, { upstream, params: { name } });
      assert.ok(error instanceof DeniedError, String(error));
      assert.equal(error.code, "NOT_GRANTED");
      return `${error.message}\n${error.hint}`;
    };
    assert.equal(
      await refusal("files", "read"),
      'Nobody has granted caller "ci" the use of tool "read" of server "files"\n' +
        'An operator can do so with a line in grants.yaml: - {"subject":"key:ci","servers":["files"],"tools":["read"]}',
    );
    assert.match(
      await refusal("web", "read"),
      /the use of server "web"\n.*\{"subject":"key:ci","servers":\["web"\]\}$/,
    );
    const looks = makeCall({ caller: { ...anonymousCaller, grants }, params: { name: "look" } });
    assert.equal(await scopeStage(looks, answers), pong);
    // What the caller may not use at all is not a grant away.
    const limited = await refused({ grants, backends: ["web"] }, { params: { name: "look" } });
    assert.equal((limited as DeniedError).code, "FORBIDDEN");
  });

  test("refuses servers and tools the caller may not use, with FORBIDDEN", async () => {
    const callers: Partial<Caller>[] = [
      { backends: [] },
      { backends: ["web"] },
      { allowedTools: [] },
      { allowedTools: ["web:read", "write"] },
      { allowedTools: ["*"], deniedTools: ["files:re*"] },
    ];
    for (const caller of callers) {
      const error = await refused({ ...caller, name: "ci" });
      assert.ok(error instanceof DeniedError);
      assert.equal(error.code, "FORBIDDEN");
      assert.match(error.message, /^Caller "ci" may not use (server "files"|tool "read" of server "files")$/);
    }
  });

  test("refuses what the routing profile leaves out, naming the profile", async () => {
    const none = { allowBackends: undefined, denyBackends: undefined, allowTools: undefined, denyTools: undefined };
    const scopes = [
      { allowBackends: ["web"] },
      { allowBackends: ["*"], denyBackends: ["fi*"] },
      { allowTools: ["write"] },
      { denyTools: ["files:*"] },
    ];
    for (const scope of scopes) {
      const error = await refused({ profile: { name: "small", ...none, ...scope } });
      assert.ok(error instanceof DeniedError);
      assert.match(
        error.message,
        /^The routing profile "small" has no (server "files"|tool "read" of server "files")$/,
      );
    }
    const open = { ...anonymousCaller, profile: { name: "large", ...none, allowTools: ["re*"], denyTools: ["web:*"] } };
    assert.equal(await scopeStage(makeCall({ caller: open }), answers), pong);
  });

  test("checks other methods by server alone", async () => {
    const call = { method: "resources/read", params: { uri: "file:///a" } };
    const reader = { ...anonymousCaller, allowedTools: [] };
    assert.equal(await scopeStage(makeCall({ ...call, caller: reader }), answers), pong);
    assert.ok((await refused({ backends: ["web"] }, call)) instanceof DeniedError);
  });

  test("a tool name that is no string is refused, whatever rules there are", async () => {
    const names: (Json | undefined)[] = [undefined, null, 1, ["read"], { toString: "read" }];
    for (const name of names) {
      const error = await refused({ deniedTools: ["read"] }, { params: { name } });
      assert.ok(error instanceof DeniedError);
      assert.equal(error.code, "INVALID_PARAMS");
    }
  });
});
