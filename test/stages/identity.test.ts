import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { Answer } from "../../src/core/answer.ts";
import { type Call, chain } from "../../src/core/call.ts";
import { anonymousCaller, type Credentials } from "../../src/core/caller.ts";
import { CancelledError, UpstreamError, UpstreamRpcError } from "../../src/core/errors.ts";
import { AnswerStore } from "../../src/stages/cache/answer-store.ts";
import { cacheStage } from "../../src/stages/cache/cache-stage.ts";
import { cacheSchema } from "../../src/stages/cache/schema.ts";
import { idempotencyStage } from "../../src/stages/idempotency/idempotency-stage.ts";
import { type IdentityBroker, identityStage } from "../../src/stages/identity/identity-stage.ts";
import { secretsStage } from "../../src/stages/secrets/secrets-stage.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, injected, makeCall, on, pong } from "./fixture.ts";

function broker(changes: Partial<IdentityBroker> = {}): IdentityBroker & { refusals: number } {
  let made = 0;
  return {
    refusals: 0,
    required: false,
    wanted: "a name",
    covers: ({ caller }) => caller.identity !== undefined,
    authorizationFor: async ({ caller }) => `Bearer token-of-${caller.identity?.subject}-${++made}`,
    refused() {
      (this as { refusals: number }).refusals++;
    },
    ...changes,
  };
}

const caller = (subject: string) => ({ ...anonymousCaller, identity: { issuer: undefined, subject } });
const shown = (value: string): Credentials => ({ token: undefined, passthrough: () => value, digest: () => value });

test("identityStage: a covered call gets its caller's header, and what its session needs to say the same later", async () => {
  let seen: Call | undefined;
  const call = makeCall({ caller: caller("ada") });
  await on(identityStage(broker()))(call, (inner) => {
    seen = inner;
    return answers(inner);
  });
  assert.equal(seen?.attached?.headers["authorization"], "Bearer token-of-ada-1");
  assert.equal(seen?.attached?.holder?.key, "anonymous");
  const later = await seen?.attached?.holder?.attachment();
  assert.equal(later?.headers["authorization"], "Bearer token-of-ada-2");
  assert.equal(call.attached, undefined);
});

test("identityStage: of nobody nothing is told, and where that is required nothing is asked", async () => {
  const call = makeCall();
  assert.equal(
    await on(identityStage(broker()))(call, (inner) => {
      assert.equal(inner, call);
      return answers(inner);
    }),
    pong,
  );
  const never = () => assert.fail("The server was asked");
  await assert.rejects(on(identityStage(broker({ required: true })))(call, never), (error: UpstreamError) => {
    assert.equal(error.code, "FORBIDDEN");
    assert.equal(error.hint, "Come with a name");
    assert.deepEqual(error.data, { server: "files", reason: "no_identity" });
    return true;
  });
});

test("identityStage: secrets of the operator stay, and none of them replaces the identity", async () => {
  const headers = ["X-Key", "Authorization"].map((inject_key) =>
    injected({ inject_as: "header", inject_key, tools: ["r*"] }),
  );
  let sent: Call | undefined;
  const stages = chain([secretsStage(headers), identityStage(broker())], (inner) => {
    sent = inner;
    return answers(inner);
  });
  await stages(makeCall({ caller: caller("ada") }));
  assert.deepEqual(sent?.attached?.headers, { "x-key": "s3cr3t-value/1", authorization: "Bearer token-of-ada-1" });
});

test("identityStage: what speaks for a caller is in no answer and no error, whatever the server repeats", async () => {
  const call = makeCall({ caller: caller("ada") });
  const stage = on(identityStage(broker({ authorizationFor: async () => "Bearer 1234567890" })));
  const answer = await stage(call, async () => Answer.ofText('{"content":[{"text":"got 1234567890"}],"n":1234567890}'));
  assert.match(answer.text, /got \[redacted\]/, "and it is JSON still");
  assert.deepEqual(JSON.parse(answer.text).content, [{ text: "got [redacted]" }]);
  const said = new UpstreamRpcError({ code: -1, message: "bad 1234567890", data: { t: ["1234567890"] } }, "files");
  const error = (await stage(call, () => Promise.reject(said)).catch((thrown) => thrown)) as UpstreamRpcError;
  assert.deepEqual(error.rpc, { code: -1, message: "bad [redacted]", data: { t: ["[redacted]"] } });
});

test("identityStage: whom the server refuses fails alone: a denial, which neither breaker nor retry count", async () => {
  for (const status of [401, 403]) {
    const identities = broker();
    const refusal = new UpstreamError("UPSTREAM_START_FAILED", "HTTP 401: token-of-ada-1", { data: { status } });
    await assert.rejects(
      on(identityStage(identities))(makeCall({ caller: caller("ada") }), () => Promise.reject(refusal)),
      { name: "DeniedError", code: "FORBIDDEN", message: /does not let this caller in: HTTP 401: \[redacted\]/ },
    );
    assert.equal(identities.refusals, 1);
  }
  const busy = new UpstreamError("UPSTREAM_START_FAILED", "Busy", { data: { status: 503 } });
  const stage = on(identityStage(broker()));
  assert.equal(await stage(makeCall({ caller: caller("a") }), () => Promise.reject(busy)).catch((e) => e), busy);
});

test("identityStage: a call that is cancelled does not wait for its identity", async () => {
  const abort = new AbortController();
  const stage = on(identityStage(broker({ authorizationFor: () => new Promise(() => {}) })));
  const running = stage(makeCall({ caller: caller("ada"), signal: abort.signal }), () => assert.fail("It was sent"));
  const reason = new CancelledError("Enough");
  abort.abort(reason);
  assert.equal(await running.catch((error) => error), reason);
});

test("cacheStage, idempotencyStage: who shares a key of the gateway does not share what is kept", async () => {
  let made = 0;
  const next = async () => Answer.of({ content: [], n: ++made });
  const cache = on(cacheStage(v.parse(cacheSchema, {}), new AnswerStore(new FakeClock())));
  const read = (credentials?: Credentials) => cache(makeCall({ readOnly: true, credentials }), next);
  const numbers = [];
  for (const value of ["a", "b", "a", undefined, undefined, "b"])
    numbers.push((await read(value === undefined ? undefined : shown(value))).value["n"]);
  assert.deepEqual(numbers, [1, 2, 1, 3, 3, 2]);

  const holders: string[] = [];
  const attempt = { succeeded() {}, failed() {}, lost() {} };
  const stage = on(
    idempotencyStage({
      async begin(holder) {
        holders.push(holder);
        return { is: "new", attempt };
      },
    }),
  );
  for (const credentials of [shown("a"), shown("b"), undefined])
    await stage(makeCall({ idempotencyKey: "k", credentials }), next);
  assert.deepEqual(holders, ["anonymous a", "anonymous b", "anonymous"]);
});
