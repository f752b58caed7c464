import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { Call } from "../../src/core/call.ts";
import { parseExact } from "../../src/lib/exact-json.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { concealSecrets } from "../../src/stages/secrets/conceal.ts";
import type { InjectedSecret } from "../../src/stages/secrets/schema.ts";
import { secretsStage } from "../../src/stages/secrets/secrets-stage.ts";
import { headerValue, secretForms } from "../../src/stages/secrets/sent-secret.ts";
import { injected, makeCall, on, pong } from "./fixture.ts";

/** The call as the server gets it. */
async function sent(secrets: readonly InjectedSecret[], call: Call): Promise<Call> {
  let seen: Call | undefined;
  await on(secretsStage(secrets))(call, (inner) => {
    seen = inner;
    return Promise.resolve(pong);
  });
  return seen as Call;
}

async function shown(text: string, value?: string): Promise<string> {
  const secrets = [injected(value === undefined ? {} : { value })];
  return (await on(secretsStage(secrets))(makeCall(), () => Promise.resolve(Answer.ofText(text)))).text;
}

test("secretsStage: sets the argument over what the model sent, and leaves the call itself alone", async () => {
  const params = { name: "read", arguments: { path: "/a", api_key: "guess" }, _meta: { x: 1 } };
  const call = makeCall({ params });
  assert.deepEqual((await sent([injected()], call)).params, {
    ...params,
    arguments: { path: "/a", api_key: "s3cr3t-value/1" },
  });
  assert.equal(params.arguments.api_key, "guess");
  const bare = await sent([injected()], makeCall({ params: { name: "read" } }));
  assert.deepEqual(bare.params, { name: "read", arguments: { api_key: "s3cr3t-value/1" } });
});

test("secretsStage: only matching tools and no other method get it", async () => {
  const secrets = [injected({ tools: ["read_*", "list"] })];
  for (const [name, isSent] of Object.entries({ read_file: true, list: true, lists: false, read: false })) {
    const call = makeCall({ params: { name, arguments: {} } });
    assert.equal((await sent(secrets, call)).params !== call.params, isSent, name);
  }
  const read = makeCall({ method: "resources/read", params: { uri: "a://b", name: "list" } });
  assert.equal(await sent([injected()], read), read);
});

test("secretsStage: headers and parameters of some tools go beside the message, those of all with the connection", async () => {
  const call = makeCall();
  const header = injected({ inject_as: "header", inject_key: "X-Key", tools: ["read"] });
  const query = injected({ inject_as: "query", inject_key: "key", tools: ["r*"] });
  const { params, attached } = await sent([header, query], call);
  assert.equal(params, call.params);
  assert.deepEqual(attached, { headers: { "x-key": "s3cr3t-value/1" }, query: { key: "s3cr3t-value/1" } });
  assert.equal((await sent([{ ...header, tools: ["*"] }], call)).attached, undefined);
  assert.equal((await sent([{ ...header, tools: [] }], call)).attached, undefined);
});

test("secretsStage: an echo is taken out of the answer, however JSON writes it and wherever it stands", async () => {
  assert.equal(
    await shown('{"content":[{"text":"key=s3cr3t-value/1."}],"structuredContent":{"s3cr3t-value/1":1}}'),
    '{"content":[{"text":"key=[redacted]."}],"structuredContent":{"[redacted]":1}}',
  );
  assert.equal(await shown('{"text":"s3cr3t-value\\/1"}'), '{"text":"[redacted]"}');
  assert.equal(await shown('{"text":"\\u00733cr3t-value/1"}'), '{"text":"[redacted]"}');
  assert.equal(await shown(`{"text":"${btoa("s3cr3t-value/1")}"}`), '{"text":"[redacted]E="}');
  // What only looks like a secret is not ours to judge, and long numbers keep their digits.
  const other = '{"text":"password=hunter2hunter2 \\u00e9","id":9223372036854775807}';
  assert.equal(await shown(other), other);
});

test("secretsStage: a secret of digits does not break numbers that hold it", async () => {
  assert.equal(
    JSON.stringify(JSON.parse(await shown('{"total":12345678,"text":"key 12345678"}', "12345678"))),
    '{"total":12345678,"text":"key [redacted]"}',
  );
});

test("secretsStage: progress, notifications and questions of the server are cleaned too", async () => {
  const heard: unknown[] = [];
  const said = { message: "got s3cr3t-value/1" };
  const call = makeCall({
    onProgress: (params) => void heard.push(params),
    onNotification: (method, params) => void heard.push(method, params),
    client: {
      sessionId: "s",
      capabilities: {},
      ask: (_method, params) => {
        heard.push(params);
        return Promise.resolve({});
      },
    },
  });
  const inner = await sent([injected()], call);
  inner.onProgress?.(said);
  inner.onNotification?.("notifications/message", said);
  await inner.client?.ask("sampling/createMessage", said, call.signal);
  const clean = { message: "got [redacted]" };
  assert.deepEqual(heard, [clean, "notifications/message", clean, clean]);
});

test("headerValue: each kind has its scheme, once", () => {
  const as = (credential_type: InjectedSecret["credential_type"], value: string) =>
    headerValue(injected({ credential_type, value }));
  assert.equal(as("bearer", "abc"), "Bearer abc");
  assert.equal(as("bearer", "bearer abc"), "bearer abc");
  assert.equal(as("basic_auth", "ü:p"), `Basic ${Buffer.from("ü:p").toString("base64")}`);
  assert.equal(as("basic_auth", "dTpw"), "Basic dTpw");
  assert.equal(as("basic_auth", "Basic dTpw"), "Basic dTpw");
  assert.equal(as("api_key", "abc"), "abc");
  assert.equal(as("custom", "Token abc"), "Token abc");
});

test("secretForms: the password of a pair gives it away as well, in base64 or not", () => {
  const forms = (value: string) => secretForms({ credential_type: "basic_auth", value });
  assert.deepEqual(forms("user:passw0rd"), ["user:passw0rd", "passw0rd"]);
  assert.deepEqual(forms(`Basic ${btoa("user:passw0rd")}`).slice(1), [
    btoa("user:passw0rd"),
    "user:passw0rd",
    "passw0rd",
  ]);
  assert.deepEqual(secretForms({ credential_type: "bearer", value: "Bearer tok" }), ["Bearer tok", "tok"]);
});

test("concealSecrets: the argument is gone from the schema, and everything else as it was", () => {
  const schema = {
    type: "object",
    properties: { api_key: { type: "string" }, max: { maximum: 1 } },
    required: ["api_key"],
    anyOf: [{ required: ["api_key", "max"] }, { properties: { api_key: {} }, title: "t" }],
  };
  const tools = [
    { name: "read", inputSchema: schema, vendor: { api_key: 1 } },
    { name: "other", description: "default s3cr3t-value/1", inputSchema: schema },
    { name: "bare" },
  ];
  const [read, other, bare] = concealSecrets(tools, [injected({ tools: ["read", "bare"] })]);
  assert.deepEqual(read, {
    name: "read",
    inputSchema: {
      type: "object",
      properties: { max: { maximum: 1 } },
      anyOf: [{ required: ["max"] }, { properties: {}, title: "t" }],
    },
    vendor: { api_key: 1 },
  });
  assert.deepEqual(other, { name: "other", description: "default [redacted]", inputSchema: schema });
  assert.deepEqual(bare, { name: "bare" });
  const long = parseExact('{"name":"read","inputSchema":{"properties":{"n":{"maximum":9223372036854775807}}}}');
  assert.match(JSON.stringify(concealSecrets([long as JsonObject], [injected()])), /"maximum":9223372036854775807/);
});
