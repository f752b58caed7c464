import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { type Delivery, WebhookReceiver } from "../../../src/capabilities/webhooks/receiver.ts";
import { webhooksSchema } from "../../../src/capabilities/webhooks/schema.ts";
import { SeenDeliveries } from "../../../src/capabilities/webhooks/seen-deliveries.ts";
import type { Webhook } from "../../../src/capabilities/webhooks/webhook.ts";
import { GatewayError } from "../../../src/core/errors.ts";
import type { JsonObject } from "../../../src/lib/json.ts";
import { FakeClock } from "../../fixtures/fake-clock.ts";
import { githubWebhook, senders } from "../../fixtures/webhook-senders.ts";
import { KeptLog } from "../fixture.ts";

const secret = "a-long-shared-secret";

function setUp(webhooks: readonly Webhook[] = [githubWebhook], env: Record<string, string> = { HOOK_SECRET: secret }) {
  const clock = new FakeClock();
  const now = () => 1_700_000_000_000 + clock.now();
  const log = new KeptLog();
  const told: JsonObject[] = [];
  const learned: string[] = [];
  const state = {
    settings: v.parse(webhooksSchema, {}),
    listeners: 2,
    isBlocked: false,
    failure: undefined as unknown,
  };
  const receiver = new WebhookReceiver({
    settings: () => state.settings,
    log,
    clock,
    calendar: now,
    seen: new SeenDeliveries({ path: undefined, clock, calendar: now, log, onProblem() {} }),
    learnSecret: (value) => void learned.push(value),
    async inspect(_webhook, params) {
      if (state.failure !== undefined) throw state.failure;
      return state.isBlocked ? undefined : params;
    },
    tell(_webhook, params) {
      told.push(params);
      return state.listeners;
    },
  });
  receiver.configure(webhooks, env);
  /** Signs as the service of the webhook does, unless `headers` says otherwise. */
  const send = async (
    payload: unknown,
    {
      webhook = webhooks[0]!,
      headers = {},
      address = "203.0.113.1",
    }: { webhook?: Webhook; headers?: Record<string, string>; address?: string } = {},
  ) => {
    const body = typeof payload === "string" ? payload : JSON.stringify(payload);
    const sign = Object.entries(senders).find(([name]) => name.toLowerCase() === webhook.signatureHeader)![1];
    const all: Record<string, string> = {
      "content-type": "application/json",
      ...(webhook.secret === undefined ? {} : sign(body, secret, now())),
      ...headers,
    };
    const delivery: Delivery = {
      requestId: "req-1",
      address,
      header: (name) => all[name] ?? null,
      readBody: async () => new TextEncoder().encode(body),
    };
    try {
      return await receiver.receive(webhook.path, delivery);
    } catch (error) {
      if (error instanceof GatewayError) return error.code;
      throw error;
    }
  };
  const counts = (path = webhooks[0]!.path) => receiver.find(path)?.counts;
  return { receiver, clock, log, told, learned, state, send, counts };
}

const toBoth = { notified: true, sessions: 2 };
const toNobody = { notified: false, sessions: 0 };

test("a delivery becomes a message whose fields the transform arranges; what has no value is left out", async () => {
  const transform = {
    event_type: "github.{action}",
    data: { repo: "{repository.full_name}", label: "{labels.0.name}", id: "{id}", none: "{no.such}", text: "#{id}" },
  };
  const { send, told, counts, learned } = setUp([{ ...githubWebhook, transform }]);
  const payload = { action: "opened", repository: { full_name: "a/b" }, labels: [{ name: "bug" }], id: 7 };
  assert.deepEqual(await send(payload, { headers: { "x-github-delivery": "guid-1" } }), toBoth);
  assert.deepEqual(told, [
    {
      level: "info",
      logger: "webhook.github.push",
      data: {
        source: "github",
        event_type: "github.opened",
        data: { repo: "a/b", label: "bug", id: 7, text: "#7" },
        event_id: "guid-1",
        received_at: "2023-11-14T22:13:20.000Z",
      },
    },
  ]);
  assert.deepEqual(counts(), {
    received: 1,
    delivered: 1,
    repeated: 0,
    signature_failures: 0,
    transform_failures: 0,
    last_received_at: "2023-11-14T22:13:20.000Z",
  });
  assert.deepEqual(learned, [secret]);
});

test("without a transform, and where its event type has no value, the service's own words are told", async () => {
  const { send, told, counts, receiver } = setUp();
  await send({ n: 1 }, { headers: { "x-github-event": "push" } });
  await send({ type: "Issue", n: 2 });
  await send([3]);
  receiver.configure([{ ...githubWebhook, transform: { event_type: "github.{action}" } }], { HOOK_SECRET: secret });
  await send({ n: 4 }, { headers: { "x-github-event": "ping" } });
  const types = told.map(({ data }) => [(data as JsonObject)["event_type"], (data as JsonObject)["data"]]);
  assert.deepEqual(types, [
    ["push", { n: 1 }],
    ["Issue", { type: "Issue", n: 2 }],
    ["push", [3]],
    ["ping", { n: 4 }],
  ]);
  assert.deepEqual([counts()?.transform_failures, counts()?.received], [1, 4], "counts outlive a new configuration");
});

test("bodies: forms, JSON inside a form, text, long numbers; what is broken is refused and may come again", async () => {
  const { send, told } = setUp();
  const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  await send("command=%2Fdeploy&text=a+b", { headers: form });
  await send(`payload=${encodeURIComponent('{"ref":"main"}')}`, { headers: form });
  await send("plain words", { headers: { "content-type": "text/plain" } });
  await send('{"id":12345678901234567890}');
  const data = JSON.stringify(told.map((params) => (params["data"] as JsonObject)["data"]));
  assert.equal(data, '[{"command":"/deploy","text":"a b"},{"ref":"main"},"plain words",{"id":12345678901234567890}]');
  assert.equal(await send('{"half":'), "PARSE_ERROR");
  assert.equal(await send(`${"[".repeat(65)}${"]".repeat(65)}`), "PARSE_ERROR");
  assert.equal(await send("[".repeat(500_000)), "PARSE_ERROR");
});

test("a wrong signature is counted, refused and told to nobody", async () => {
  const { send, told, counts, log } = setUp();
  assert.equal(await send({}, { headers: { "x-hub-signature-256": `sha256=${"0".repeat(64)}` } }), "UNAUTHENTICATED");
  assert.deepEqual([counts()?.signature_failures, counts()?.received, told.length], [1, 1, 0]);
  assert.deepEqual(log.lines, []);
});

test("a repeated delivery is acknowledged and told once: by its id, and by its signature under another id", async () => {
  const { send, told, clock, counts } = setUp();
  const named = (id: string) => ({ headers: { "x-github-delivery": id } });
  assert.deepEqual(await send({ n: 1 }, named("a")), toBoth);
  assert.deepEqual(await send({ n: 1 }, named("a")), toNobody);
  assert.deepEqual(await send({ n: 2 }, named("a")), toNobody);
  assert.deepEqual(await send({ n: 1 }, named("b")), toNobody);
  await clock.advance(23 * 3_600_000);
  assert.deepEqual(await send({ n: 1 }), toNobody);
  assert.deepEqual(await send({ n: 1, later: true }, named("b")), toBoth);
  assert.deepEqual([told.length, counts()?.repeated, counts()?.delivered], [2, 4, 2]);
});

test("without an id, what is equal is a repetition for 10 minutes, not for a day", async () => {
  const { send, clock } = setUp();
  assert.deepEqual(await send({ tick: true }), toBoth);
  await clock.advance(599_000);
  assert.deepEqual(await send({ tick: true }), toNobody);
  await clock.advance(2_000);
  assert.deepEqual(await send({ tick: true }), toBoth);
});

test("ids in the body count too: Slack and Stripe sign every try anew", async () => {
  const slack: Webhook = { ...githubWebhook, path: "/slack", signatureHeader: "x-slack-signature" };
  const stripe: Webhook = { ...githubWebhook, name: "pay", path: "/stripe", signatureHeader: "stripe-signature" };
  const { send, clock, told } = setUp([slack, stripe]);
  for (const [webhook, payload] of [
    [slack, { event_id: "Ev1" }],
    [stripe, { id: "evt_1" }],
  ] as const) {
    assert.deepEqual(await send(payload, { webhook }), toBoth);
    await clock.advance(60_000);
    assert.deepEqual(await send(payload, { webhook }), toNobody);
  }
  assert.equal(told.length, 2);
});

test("what failed on its way to the clients is no repetition when it comes again", async () => {
  const { send, state } = setUp();
  state.failure = new GatewayError("INTERNAL", "A defect");
  assert.equal(await send({ n: 1 }), "INTERNAL");
  state.failure = undefined;
  assert.deepEqual(await send({ n: 1 }), toBoth);
});

test("Slack's question at registration is answered, and is no event", async () => {
  const slack: Webhook = { ...githubWebhook, signatureHeader: "x-slack-signature" };
  const { send, told } = setUp([slack]);
  const challenge = { type: "url_verification", challenge: "3eZbrw" };
  assert.deepEqual(await send(challenge), { ...toNobody, challenge: "3eZbrw" });
  assert.equal(told.length, 0);
});

test("Linear: a recorded delivery is too old after 5 minutes, and one without a time is not taken", async () => {
  const linear: Webhook = { ...githubWebhook, signatureHeader: "linear-signature" };
  const { send, clock, counts } = setUp([linear]);
  const sent = { webhookTimestamp: 1_700_000_000_000 };
  assert.deepEqual(await send(sent), toBoth);
  await clock.advance(301_000);
  assert.equal(await send(sent), "UNAUTHENTICATED");
  assert.equal(await send({}), "UNAUTHENTICATED");
  assert.equal(counts()?.signature_failures, 2);
});

test("without a secret: refused, with the reason in the log once; let in where the operator says so", async () => {
  const open = { ...githubWebhook, secret: undefined };
  const { send, log, state, told, receiver } = setUp([open]);
  assert.equal(await send({}), "UNAUTHENTICATED");
  assert.equal(await send({}), "UNAUTHENTICATED");
  receiver.configure([open], {});
  assert.deepEqual(log.lines, [
    'warn github.yaml:3:1  The webhook refuses every delivery: it has no "secret", and webhooks.require_signature wants one',
  ]);
  state.settings = { ...state.settings, require_signature: false };
  assert.deepEqual(await send({}), toBoth);
  assert.equal(told.length, 1);
});

test("a secret whose variable is not set: refused, whatever require_signature says; the log has place and name", async () => {
  const { send, log, state, receiver } = setUp([githubWebhook], {});
  state.settings = { ...state.settings, require_signature: false };
  assert.equal(await send({}), "UNAUTHENTICATED");
  assert.deepEqual(log.lines, [
    'warn github.yaml:3:1  The webhook refuses every delivery: the environment variable "HOOK_SECRET" is not set',
  ]);
  receiver.configure([githubWebhook], { HOOK_SECRET: secret });
  assert.deepEqual(await send({}), toBoth);
});

test("rate_limit: per webhook and address, with the time to wait; 0 is none; a change is live", async () => {
  const other: Webhook = { ...githubWebhook, name: "other", path: "/other" };
  const { send, state, clock, counts } = setUp([githubWebhook, other]);
  state.settings = { ...state.settings, rate_limit: 2 };
  let n = 0;
  const next = (options = {}) => send({ n: ++n }, options);
  assert.deepEqual([await next(), await next(), await next()], [toBoth, toBoth, "RATE_LIMITED"]);
  assert.deepEqual(await next({ address: "203.0.113.2" }), toBoth);
  assert.deepEqual(await next({ webhook: other }), toBoth);
  await clock.advance(30_000);
  assert.deepEqual([await next(), await next()], [toBoth, "RATE_LIMITED"]);
  state.settings = { ...state.settings, rate_limit: 0 };
  assert.deepEqual([await next(), await next(), await next()], [toBoth, toBoth, toBoth]);
  assert.equal(counts()?.received, 7, "what is refused for its rate is not looked at");
});

test("notify: false only counts; nobody there, or kept back by a rule, is not notified", async () => {
  const { send, told, state, receiver, counts } = setUp([{ ...githubWebhook, notify: false }]);
  assert.deepEqual(await send({ n: 1 }), toNobody);
  receiver.configure([githubWebhook], { HOOK_SECRET: secret });
  state.isBlocked = true;
  assert.deepEqual(await send({ n: 2 }), toNobody);
  assert.equal(told.length, 0);
  state.isBlocked = false;
  state.listeners = 0;
  assert.deepEqual(await send({ n: 3 }), toNobody);
  assert.deepEqual([counts()?.received, counts()?.delivered], [3, 0]);
});

test("what is too long for clients is cut, and says so", async () => {
  const { send, told } = setUp();
  assert.deepEqual(await send({ text: "x".repeat(100_000) }), toBoth);
  const { data } = told[0]!["data"] as { data: JsonObject };
  assert.deepEqual([data["truncated"], data["characters"], String(data["head"]).length], [true, 100_011, 65_536]);
});
