import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Redactor } from "../../src/lib/redact.ts";

const secret = 'c@nary/+"s3cret" \\ 9f';
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("Redactor", () => {
  test("T13: takes a known secret out in every shape it travels in", () => {
    const { redact } = new Redactor([secret]);
    const shapes = {
      raw: secret,
      json: JSON.stringify({ key: secret }),
      percent: encodeURIComponent(secret),
      "lower-case percent": encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
      form: new URLSearchParams({ q: secret }).toString(),
      base64: base64(secret),
      "base64 after 1 character": base64(`:${secret}`),
      "base64 after 2 characters": base64(`a:${secret}`),
      "base64 in the middle": base64(`user:${secret}:more`),
      base64url: Buffer.from(`user:${secret}`).toString("base64url"),
    };
    for (const [shape, text] of Object.entries(shapes)) {
      const clean = redact(`before ${text} after`);
      assert.match(clean, /^before .*\[redacted\].* after$/, shape);
      assert.ok(!clean.includes("s3cret"), shape);
    }
  });

  test("add takes effect on later text, and a longer secret goes as a whole", () => {
    const redactor = new Redactor(["abcdef"]);
    assert.equal(redactor.redact("abcdef ghijkl abcdefghijkl"), "[redacted] ghijkl [redacted]ghijkl");
    redactor.add(["abcdefghijkl"]);
    assert.equal(redactor.redact("abcdef ghijkl abcdefghijkl"), "[redacted] ghijkl [redacted]");
  });

  test("a value too short to be a secret is ignored", () => {
    assert.equal(new Redactor(["", "true"]).redact("all true"), "all true");
  });

  const { redact } = new Redactor();
  // Put together here, so that no scanner takes this file for a leak.
  const looksSecret = (prefix: string, length: number) => prefix + "Ab1".repeat(length).slice(0, length);
  const secrets = [
    looksSecret("sk-", 48),
    looksSecret("sk-ant-api03-", 40),
    looksSecret("sk_live_", 24),
    looksSecret("ghp_", 36),
    looksSecret("github_pat_", 40),
    looksSecret("glpat-", 20),
    looksSecret("xoxb-", 24),
    looksSecret("npm_", 36),
    `AKIA${"ABCD1234".repeat(2)}`,
    looksSecret("AIza", 35),
    `eyJ${"hbGci".repeat(4)}.eyJ${"zdWIi".repeat(4)}.${"x".repeat(30)}`,
  ];
  for (const token of secrets)
    test(`takes out what looks like a secret: ${token.slice(0, 8)}…`, () => {
      assert.equal(redact(`token ${token}, and "${token}"`), 'token [redacted], and "[redacted]"');
    });

  const inContext: readonly (readonly [string, string])[] = [
    ["Authorization: Bearer abcdefghijklmnop1234", "Authorization: Bearer [redacted]"],
    ['{"authorization":"Basic dXNlcjpwYXNz"}', '{"authorization":"Basic [redacted]"}'],
    ["postgres://app:p@ss:w0rd@db:5432/x", "postgres://app:[redacted]@db:5432/x"],
    ["redis://:hunter2@cache", "redis://:[redacted]@cache"],
    ["API_KEY=abc123def", "API_KEY=[redacted]"],
    ['{"client_secret": "abc123def"}', '{"client_secret": "[redacted]"}'],
    ["?access_token=abc123def&x=1", "?access_token=[redacted]&x=1"],
  ];
  for (const [text, expected] of inContext)
    test(`takes the secret out of ${text}`, () => assert.equal(redact(text), expected));

  test("takes private keys out, also one whose end is missing and one inside JSON", () => {
    const key = `-----BEGIN RSA PRIVATE KEY-----\nMIIE${"a".repeat(64)}\n-----END RSA PRIVATE KEY-----`;
    assert.equal(redact(`a ${key} b ${key} c`), "a [redacted] b [redacted] c");
    assert.equal(redact(`a ${key.slice(0, 60)}`), "a [redacted]");
    assert.equal(redact(`{"key":${JSON.stringify(key)}}`), '{"key":"[redacted]"}');
  });

  test("leaves ordinary text alone", () => {
    for (const text of [
      "No valid bearer token or API key",
      "http://localhost:39400/mcp?email=a@b.c",
      '{"url":"http://host:8080","mail":"me@example.org"}',
      "risk-management-in-large-distributed-systems",
      "max_tokens=4096 the secret: none",
      "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ])
      assert.equal(redact(text), text);
  });

  test("takes linear time on hostile text", () => {
    const { redact } = new Redactor(["ababababababc"]);
    const seeds = [
      "-----BEGIN PRIVATE KEY-----",
      "-----BEGIN ",
      "://",
      "://a:",
      "://a:b",
      "bearer ",
      "authorization: a",
      "authorization:",
      "password=",
      'password"',
      "password ",
      "password= ",
      "sk-",
      "ghp_",
      "-eyJ",
      "eyJabcdefgh.",
      "AKIA",
      "ab",
      "a",
      " ",
      "=",
    ];
    for (const seed of seeds) {
      const text = seed.repeat(Math.ceil(400_000 / seed.length));
      const startedAt = performance.now();
      redact(text);
      const tookMs = performance.now() - startedAt;
      // Quadratic time would be minutes.
      assert.ok(tookMs < 2_000, `${JSON.stringify(seed)} took ${tookMs} ms`);
    }
  });
});
