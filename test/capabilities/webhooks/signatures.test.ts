import assert from "node:assert/strict";
import { test } from "node:test";
import { verifySignature } from "../../../src/capabilities/webhooks/signatures.ts";
import { GatewayError } from "../../../src/core/errors.ts";
import { senders } from "../../fixtures/webhook-senders.ts";

/** Base64 of 24 bytes, as Standard Webhooks wants it. */
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const now = 1_700_000_000_000;
const body = '{"a": "\u00fc 1.0"}';

function verify(
  header: string,
  headers: Readonly<Record<string, string>>,
  { text = body, nowMs = now, key = secret } = {},
): string {
  try {
    verifySignature({
      signatureHeader: header.toLowerCase(),
      secret: key,
      header: (name) => headers[name] ?? null,
      body: new TextEncoder().encode(text),
      nowMs,
    });
    return "right";
  } catch (error) {
    assert.ok(error instanceof GatewayError && error.code === "UNAUTHENTICATED", String(error));
    return error.message;
  }
}

/** Published by the services themselves. */
const vectors: readonly (readonly [string, string, string, number, Record<string, string>])[] = [
  [
    "X-Hub-Signature-256",
    "It's a Secret to Everybody",
    "Hello, World!",
    now,
    { "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" },
  ],
  [
    "X-Slack-Signature",
    "8f742231b10e8888abcd99yyyzzz85a5",
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    1_531_420_618_000,
    {
      "x-slack-request-timestamp": "1531420618",
      "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    },
  ],
  [
    "Webhook-Signature",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    '{"test": 2432232314}',
    1_614_265_330_000,
    {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
  ],
];

for (const [header, key, text, nowMs, headers] of vectors) {
  test(`${header}: the example of its documentation is right, and no other body`, () => {
    assert.equal(verify(header, headers, { text, nowMs, key }), "right");
    assert.match(verify(header, headers, { text: `${text} `, nowMs, key }), /^The signature is not that/);
  });
}

for (const [header, sign] of Object.entries(senders)) {
  test(`${header}: what its service signs is right; another body, secret, or no header is not`, () => {
    const headers = sign(body, secret, now);
    assert.equal(verify(header, headers), "right");
    assert.equal(verify(header, {}), `The delivery has no "${header.toLowerCase()}" header`);
    const wrong = { key: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
    assert.match(verify(header, headers, wrong), /^The signature is not that/);
    if (header !== "X-Gitlab-Token") {
      // The same JSON, written otherwise.
      assert.match(verify(header, headers, { text: '{"a":"\u00fc 1.0"}' }), /^The signature is not that/);
      assert.notEqual(verify(header, { ...headers, [header.toLowerCase()]: "" }), "right");
      assert.notEqual(verify(header, { ...headers, [header.toLowerCase()]: "sha256=v1=v0=" }), "right");
    }
  });
}

for (const header of ["Stripe-Signature", "X-Slack-Signature", "Webhook-Signature", "Svix-Signature"]) {
  test(`${header}: a signature is good for 5 minutes, either way, and its time cannot be changed`, () => {
    const headers = senders[header]!(body, secret, now);
    for (const nowMs of [now - 300_000, now + 300_000]) assert.equal(verify(header, headers, { nowMs }), "right");
    for (const nowMs of [now - 301_000, now + 301_000])
      assert.match(verify(header, headers, { nowMs }), /^The delivery was not signed within 5 minutes/);
    const later = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace("1700000000", "1700000300")]),
    );
    assert.match(verify(header, later, { nowMs: now + 301_000 }), /^The signature is not that/);
  });
}

test("Webhook-Signature: a secret that is not base64 opens nothing, an empty key least of all", () => {
  const headers = senders["Webhook-Signature"]!(body, "whsec_", now);
  assert.match(verify("Webhook-Signature", headers, { key: "whsec_" }), /^The secret of this webhook is not base64/);
});

test("X-Hub-Signature-256: two headers, which arrive as one, are refused", () => {
  const right = senders["X-Hub-Signature-256"]!(body, secret, now)["x-hub-signature-256"];
  assert.match(verify("X-Hub-Signature-256", { "x-hub-signature-256": `${right}, ${right}` }), /not of the form/);
});

test("a name of Object.prototype is a header like any other", () => {
  assert.match(verify("constructor", { constructor: "x" }), /not of the form/);
});
