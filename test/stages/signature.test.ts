import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { Call } from "../../src/core/call.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import { DeniedError, type GatewayError } from "../../src/core/errors.ts";
import { type ResultSignature, signatureKey, signedText } from "../../src/core/signed-result.ts";
import { parseExact } from "../../src/lib/exact-json.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { modernResult } from "../../src/mcp/modern-result.ts";
import { hmacSha256Hex } from "../../src/runtime/digest.ts";
import { provenanceStage } from "../../src/stages/provenance/provenance-stage.ts";
import { NonceBook } from "../../src/stages/signature/nonce-book.ts";
import { type Signer, signatureStage } from "../../src/stages/signature/signature-stage.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { answers, makeCall, on, pong, security } from "./fixture.ts";

const secret = "a-shared-secret";
const signing = (changes: object = {}) =>
  security({ message_signing: { enabled: true, shared_secret: secret, ...changes } }).message_signing;

function signerOf(clock = new FakeClock()): Signer {
  const book = new NonceBook(clock);
  return {
    claim: async (...call) => book.claim(...call),
    release: async (...call) => book.release(...call),
    hmac: hmacSha256Hex,
    newNonce: () => "made-here",
    now: () => 1_700_000_000_900,
  };
}

const withNonce = (text: string, changes: Partial<Call> = {}) => makeCall({ nonce: { text }, ...changes });
const codeOf = (running: Promise<unknown>) =>
  running.then(
    () => "OK",
    (error: GatewayError) => error.code,
  );

function signatureOf(text: string): ResultSignature {
  const { _meta } = parseExact(text) as { _meta: Record<string, unknown> };
  return _meta[signatureKey] as ResultSignature;
}

/** What a client does that has nothing but the text. */
function verifies(text: string, tool = "read", key = secret): boolean {
  const result = parseExact(text) as JsonObject;
  const { nonce, ts, key_id, sig } = signatureOf(text);
  return sig === hmacSha256Hex(key, signedText({ server: "files", tool, nonce, ts, key_id }, result));
}

describe("signatureStage", () => {
  test("signs the result of a tool, with the nonce and the time, and leaves every other byte alone", async () => {
    const text =
      '{ "content":[{"type":"text","text":"\\u0041"}], "structuredContent":{"id":9223372036854775807,"10":1,"9":2} }';
    const { text: signed } = await on(signatureStage(signing(), signerOf()))(withNonce("n-1"), async () =>
      Answer.ofText(text),
    );
    assert.ok(signed.startsWith(text.slice(0, -1).trimEnd()));
    const { sig, ...rest } = signatureOf(signed);
    assert.deepEqual(rest, { alg: "HS256", key_id: "default", ts: 1_700_000_000, nonce: "n-1" });
    assert.match(sig, /^[0-9a-f]{64}$/);
    assert.ok(verifies(signed));
    assert.ok(!verifies(signed, "write"), "the tool is signed too");
    assert.ok(!verifies(signed.replace("9223372036854775807", "9223372036854775806")), "the last digit counts");
    assert.ok(!verifies(signed.replace('"n-1"', '"n-2"')));
    assert.ok(verifies(modernResult("tools/call", signed)), "a client of 2026-07-28 can verify it as well");
  });

  test("what is signed is the documented text", async () => {
    const { text } = await on(signatureStage(signing(), signerOf()))(withNonce("n"), answers);
    const { sig } = signatureOf(text);
    const documented =
      '{"key_id":"default","nonce":"n","result":{"content":[{"text":"pong","type":"text"}]},"server":"files","tool":"read","ts":1700000000}';
    assert.equal(sig, hmacSha256Hex(secret, documented));
  });

  test("signs with the key before as well, while there is one", async () => {
    const stage = on(signatureStage(signing({ previous_secret: "older" }), signerOf()));
    const { text } = await stage(withNonce("n"), answers);
    const { sig, previous_sig } = signatureOf(text);
    assert.notEqual(sig, previous_sig);
    assert.ok(verifies(text));
    assert.ok(verifies(text.replace(sig, previous_sig as string), "read", "older"));
  });

  test("the receipt is signed too, and neither hides that an answer was kept", async () => {
    const receipt = provenanceStage(() => ({ server: "files" }));
    const kept = Answer.kept(pong.value, "cache", { "mcp-gateway/cache": { age_seconds: 1 } });
    const answer = await on(signatureStage(signing(), signerOf()))(withNonce("n"), (call) =>
      on(receipt)(call, async () => kept),
    );
    assert.equal(answer.keptBy, "cache");
    assert.ok(verifies(answer.text));
    assert.ok(!verifies(answer.text.replace('{"server":"files"}', '{"server":"other"}')));
  });

  test("neither signs nor uses up the nonce of what is no result yet", async () => {
    const stage = on(signatureStage(signing(), signerOf()));
    for (const value of [
      { resultType: "input_required" },
      { resultType: "task", taskId: "1" },
      { task: { taskId: "1" } },
    ]) {
      const question = Answer.of(value);
      assert.equal(await stage(withNonce("n"), async () => question), question);
    }
    assert.equal(await codeOf(stage(withNonce("n"), answers)), "OK");
    assert.equal(await codeOf(stage(withNonce("n"), answers)), "NONCE_REFUSED");
  });

  test("a nonce is good once for each caller, and again after the window", async () => {
    const clock = new FakeClock();
    const stage = on(signatureStage(signing({ replay_window: 10 }), signerOf(clock)));
    const other = { caller: { ...anonymousCaller, principal: "key:2" } };
    let count = 0;
    const next = () => {
      count++;
      return Promise.resolve(pong);
    };
    assert.equal(await codeOf(stage(withNonce("n"), next)), "OK");
    assert.equal(await codeOf(stage(withNonce("n"), next)), "NONCE_REFUSED");
    assert.equal(await codeOf(stage(withNonce("n", other), next)), "OK");
    await clock.advance(9_999);
    assert.equal(await codeOf(stage(withNonce("n"), next)), "NONCE_REFUSED");
    await clock.advance(1);
    assert.equal(await codeOf(stage(withNonce("n"), next)), "OK");
    assert.equal(count, 3, "what is refused never gets to the server");
  });

  test("several calls of one request have one nonce, a call that failed has used its own", async () => {
    const stage = on(signatureStage(signing(), signerOf()));
    const call = withNonce("n");
    assert.equal(await codeOf(stage(call, answers)), "OK");
    assert.equal(await codeOf(stage({ ...call }, answers)), "OK");
    const failing = () => Promise.reject(new DeniedError("RATE_LIMITED", "Denied"));
    assert.equal(await codeOf(stage(withNonce("m"), failing)), "RATE_LIMITED");
    assert.equal(await codeOf(stage(withNonce("m"), answers)), "NONCE_REFUSED");
  });

  test("without a nonce the gateway makes one, unless one is required; a foolish one is refused", async () => {
    const { text } = await on(signatureStage(signing(), signerOf()))(makeCall(), answers);
    assert.ok(text.includes('"nonce":"made-here"') && verifies(text));
    const strict = on(signatureStage(signing({ require_nonce: true }), signerOf()));
    assert.equal(await codeOf(strict(makeCall(), answers)), "NONCE_REFUSED");
    for (const bad of ["", "x".repeat(129)])
      assert.equal(await codeOf(strict(withNonce(bad), answers)), "INVALID_PARAMS");
    const other = makeCall({ method: "resources/read", params: { uri: "a:b" } });
    assert.equal(await strict(other, answers), pong, "only calls of tools are signed");
  });

  test("costs nothing while it is off", () => {
    assert.equal(signatureStage(security().message_signing, signerOf()), undefined);
    assert.equal(provenanceStage(undefined), undefined);
  });
});

describe("NonceBook", () => {
  test("holds no more than it has room for, and refuses the rest instead of forgetting", async () => {
    const clock = new FakeClock();
    const book = new NonceBook(clock);
    const claim = (principal: string, text: string) => book.claim(principal, { text }, 1_000);
    for (let at = 0; at < 100_000; at++) claim("a", `a${at}`);
    assert.equal(claim("a", "one more"), "full");
    assert.equal(claim("a", "a0"), "seen");
    for (let at = 0; at < 100_000; at++) claim("b", `b${at}`);
    assert.equal(claim("c", "c"), "full");
    assert.equal(book.size, 200_000);
    await clock.advance(1_000);
    assert.equal(claim("c", "c"), "new", "what is too old of others makes room");
    assert.equal(book.size, 1);
  });

  test("remembers nothing without a window", () => {
    const book = new NonceBook(new FakeClock());
    assert.equal(book.claim("a", { text: "n" }, 0), "new");
    assert.equal(book.claim("a", { text: "n" }, 0), "new");
    assert.equal(book.size, 0);
  });
});
