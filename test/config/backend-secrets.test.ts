import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type BackendEntry,
  backendSecrets,
  environmentSecrets,
  looksSecret,
} from "../../src/config/backend-secrets.ts";

const random = "8fJk2mNp4qRs6tUv";
const secretsOf = (entry: Partial<BackendEntry>) =>
  backendSecrets({ env: {}, headers: {}, command: undefined, ...entry }).filter((value) => value !== "");

test("backendSecrets: variables by their name or their look", () => {
  const env = {
    API_TOKEN: "short1",
    DB_PASSWORD: "plain",
    TENANT: random,
    REGION: "eu-west-1",
    HOME_DIR: `/srv/${random}`,
  };
  assert.deepEqual(secretsOf({ env }), ["short1", "plain", random]);
});

test("backendSecrets: a reference is none, neither are headers that every request has", () => {
  const env = { API_TOKEN: `\${TOKEN}` };
  assert.deepEqual(secretsOf({ env, headers: { Accept: "text/plain", "X-Team": "core" } }), ["core"]);
});

test("backendSecrets: a header whole and without its scheme", () => {
  assert.deepEqual(secretsOf({ headers: { Authorization: "Bearer abc" } }), ["Bearer abc", "abc"]);
});

test("backendSecrets: arguments with a telling flag, inside a header, and by their look; never the program", () => {
  const command = [
    `/opt/${random}`,
    "--api-key=one",
    "--token",
    "two",
    "--header",
    `Authorization: Bearer ${random}`,
    "--key",
    "--verbose",
    "-y",
    "@scope/server-everything@2026.8.31",
  ];
  assert.deepEqual(secretsOf({ command }), ["one", "two", random]);
});

test("backendSecrets: user, password, query and path of an address", () => {
  const secrets = secretsOf({ http_url: `https://me:p%2Fw@host.example/mcp/${random}?token=abc&page=1` });
  for (const secret of ["me", "p%2Fw", "p/w", random, "abc"]) assert.ok(secrets.includes(secret), secret);
  assert.ok(!secrets.includes("1") && !secrets.includes("mcp"));
  const ofAgent = secretsOf({ a2a_url: "https://me:pw@host.example/?token=abc" });
  for (const secret of ["me", "pw", "abc"]) assert.ok(ofAgent.includes(secret), secret);
});

test("environmentSecrets: by name, but no paths", () => {
  const env = { OPENAI_API_KEY: "abc", PWD: "/home/me", GOOGLE_APPLICATION_CREDENTIALS: "/etc/key.json", LANG: "C" };
  assert.deepEqual(environmentSecrets(env), ["abc"]);
});

test("looksSecret: keys and credentials in addresses, not words, versions or hosts", () => {
  for (const text of [random, "550e8400-e29b-41d4-a716-446655440000", "https://a:b@host"])
    assert.ok(looksSecret(text), text);
  for (const text of ["internationalization", "server-everything-2026.8.31", "localhost:80", "20260101120000000"])
    assert.ok(!looksSecret(text), text);
});
