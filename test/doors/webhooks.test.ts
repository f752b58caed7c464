import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { WebhookReceiver } from "../../src/capabilities/webhooks/receiver.ts";
import { webhooksSchema } from "../../src/capabilities/webhooks/schema.ts";
import { SeenDeliveries } from "../../src/capabilities/webhooks/seen-deliveries.ts";
import type { Webhook } from "../../src/capabilities/webhooks/webhook.ts";
import { silentLogger } from "../../src/core/log.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { githubWebhook, senders } from "../fixtures/webhook-senders.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { type Ask, testApp } from "./http-client.ts";

const secret = "a-long-shared-secret";
const sign = senders["X-Hub-Signature-256"]!;
const clocks = { clock: systemClock, calendar: Date.now };

/** The door with a receiver behind it, and authentication on, which webhooks stand outside of. */
function setUp(settings: Record<string, unknown> = {}, webhooks: readonly Webhook[] = [githubWebhook]) {
  const gateway = fakeGateway({ auth: { enabled: true, bearer_token: "right-token-0123" } });
  gateway.config = { ...gateway.config, webhooks: v.parse(webhooksSchema, settings) };
  const told: JsonObject[] = [];
  const fault: { error?: Error } = {};
  const receiver = new WebhookReceiver({
    settings: () => gateway.config.webhooks,
    seen: new SeenDeliveries({ ...clocks, path: undefined, log: silentLogger, onProblem() {} }),
    log: silentLogger,
    ...clocks,
    learnSecret() {},
    async inspect(_webhook, params) {
      if (fault.error !== undefined) throw fault.error;
      return params;
    },
    tell: (_webhook, params) => told.push(params),
  });
  receiver.configure(webhooks, { HOOK_SECRET: secret });
  gateway.webhooks = { ...gateway.webhooks, receiver: async () => receiver };
  const { ask } = testApp(gateway);
  const post = async (path: string, body: string, options: Ask = {}) => {
    const headers = { "content-type": "application/json", ...sign(body, secret, Date.now()), ...options.headers };
    const response = await ask(path, { method: "POST", body, ...options, headers });
    return { response, status: response.status, answer: (await response.json()) as JsonObject };
  };
  return { gateway, ask, post, told, fault };
}

test("a delivery is taken without a token, over the bytes as they came, and acknowledged", async () => {
  const { post, told } = setUp();
  const { status, answer } = await post("/webhooks/github", '{ "n" :1}', { headers: { "x-request-id": "mine" } });
  assert.equal(status, 200);
  assert.deepEqual(answer, { status: "received", request_id: "mine", notified: true, sessions: 1 });
  assert.equal(told.length, 1);
});

test("refusals are {error, request_id} with a status of their own", async () => {
  const { post, told } = setUp({ rate_limit: 6 });
  const cases: readonly (readonly [number, string, string, Ask, RegExp])[] = [
    [401, "/webhooks/github", "{}", { headers: { "x-hub-signature-256": "sha256=00" } }, /^The "x-hub-signature-256"/],
    [400, "/webhooks/github", "{", {}, /^The delivery is not valid JSON$/],
    [413, "/webhooks/github", "x".repeat(1_048_577), {}, /^The request is larger than 1048576 bytes$/],
    [404, "/webhooks/other", "{}", {}, /^There is no webhook at this path$/],
    [404, "/webhooks/github/x", "{}", {}, /^There is no webhook at this path$/],
    [404, "/webhooks/", "{}", {}, /^There is no webhook at this path$/],
    [405, "/webhooks/github", "{}", { method: "PUT" }, /^Method PUT is not allowed here$/],
  ];
  for (const [expected, path, body, options, message] of cases) {
    const { response, status, answer } = await post(path, body, options);
    assert.equal(status, expected, path);
    assert.match(String(answer["error"]), message);
    assert.deepEqual(Object.keys(answer), ["error", "request_id"]);
    assert.equal(response.headers.get("x-request-id"), answer["request_id"]);
    if (expected === 405) assert.equal(response.headers.get("allow"), "POST");
    // It is the signature that is asked for, not a token.
    assert.equal(response.headers.get("www-authenticate"), null);
  }
  for (let n = 0; n < 3; n++) assert.equal((await post("/webhooks/github", `{"n":${n}}`)).status, 200);
  const { response, status } = await post("/webhooks/github", "{}");
  assert.equal(status, 429);
  assert.equal(response.headers.get("retry-after"), "10");
  assert.equal(told.length, 3);
});

test("a defect is 500 without its text, and a gateway that stops sends services away until later", async () => {
  const { post, fault, gateway } = setUp();
  fault.error = new TypeError("inner details");
  const { status, answer } = await post("/webhooks/github", "{}");
  assert.equal(status, 500);
  assert.doesNotMatch(JSON.stringify(answer), /inner/);
  gateway.draining = true;
  assert.equal((await post("/webhooks/github", '{"n":2}')).status, 503);
});

test("Host and Origin hold here too; base_path and enabled are live", async () => {
  const { post, ask, gateway, told } = setUp({ base_path: "/in/" });
  assert.equal((await post("/in/github", '{"n":1}')).status, 200);
  assert.equal((await post("/in/github/", '{"n":2}')).status, 200);
  assert.equal((await ask("/webhooks/github", { method: "POST", body: "{}" })).status, 401);
  assert.equal((await ask("/inside/github", { method: "POST", body: "{}" })).status, 401);
  for (const headers of [{ host: "evil.example" }, { origin: "https://evil.example" }])
    assert.equal((await ask("/in/github", { method: "POST", body: "{}", headers })).status, 403);
  gateway.config = { ...gateway.config, webhooks: { ...gateway.config.webhooks, enabled: false } };
  const asOthers = { authorization: "Bearer right-token-0123" };
  assert.equal((await ask("/in/github", { method: "POST", body: "{}" })).status, 401);
  assert.equal((await ask("/in/github", { method: "POST", body: "{}", headers: asOthers })).status, 404);
  assert.equal(told.length, 2);
});

test("Slack's question at registration is answered with its word alone", async () => {
  const { gateway, ask } = setUp({}, [{ ...githubWebhook, signatureHeader: "x-slack-signature" }]);
  assert.equal(gateway.config.webhooks.enabled, true);
  const body = '{"type":"url_verification","challenge":"3eZbrw"}';
  const headers = { "content-type": "application/json", ...senders["X-Slack-Signature"]!(body, secret, Date.now()) };
  const response = await ask("/webhooks/github", { method: "POST", body, headers });
  assert.deepEqual([response.status, await response.text()], [200, "3eZbrw"]);
});
