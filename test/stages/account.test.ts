import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anonymousCaller } from "../../src/core/caller.ts";
import { accountStage } from "../../src/stages/account/account-stage.ts";
import { answers, makeCall, on, pong } from "./fixture.ts";

describe("account stage", () => {
  test("refuses callers who are not the owner, from the moment the server lets the gateway in by a login", async () => {
    let isPersonal = false;
    const stage = on(accountStage(() => isPersonal));
    const [guest, owner] = [false, true].map((admin) => makeCall({ caller: { ...anonymousCaller, admin } }));
    assert.equal(await stage(guest as never, answers), pong);
    isPersonal = true;
    assert.equal(await stage(owner as never, answers), pong);
    await assert.rejects(
      stage(guest as never, () => assert.fail("The upstream was asked")),
      { code: "FORBIDDEN" },
    );
  });

  test("a call that comes with an identity of its own is not refused", async () => {
    const stage = on(accountStage(({ caller }) => caller.identity === undefined));
    const caller = { ...anonymousCaller, admin: false, identity: { issuer: undefined, subject: "user:ada" } };
    assert.equal(await stage(makeCall({ caller }), answers), pong);
  });

  test("is absent where the account is for all", () => {
    assert.equal(accountStage(undefined), undefined);
  });
});
