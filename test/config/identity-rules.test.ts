/** `backends.<name>.identity_propagation` in the file: what cannot work, and what does less than it seems to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { configView } from "../../src/config/config-view.ts";
import { knownSecrets } from "../../src/gateway/known-secrets.ts";
import { Redactor } from "../../src/lib/redact.ts";
import { findings, loadText } from "./fixture.ts";

const exchange = "token_exchange_endpoint: https://id:s3cr3t-of-ours@login.test/token";
const server = (settings: string, more = "http_url: http://x/mcp") =>
  `backends:\n  a:\n    ${more}\n    identity_propagation: {strategy: ${settings}}\n`;
const auth =
  "auth: {enabled: true, bearer_token: abcdefgh, issuers: [{issuer: https://i, audiences: [a], rules: [{}]}]}\n";
const record = "security: {transparency_log: {enabled: true, path: calls.jsonl}}\n";

test("loadConfig: identity_propagation with everything it takes, and its defaults", async (t) => {
  const { config, warnings } = await loadText(t, auth + server(`token_exchange, ${exchange}`));
  assert.deepEqual(warnings, []);
  assert.deepEqual(config.backends["a"]?.identity_propagation, {
    strategy: "token_exchange",
    required: false,
    session_mode: "stateless",
    token_exchange_endpoint: "https://id:s3cr3t-of-ours@login.test/token",
  });
  const redactor = new Redactor(knownSecrets(config, {}));
  assert.equal(redactor.redact("s3cr3t-of-ours"), "[redacted]");
  assert.doesNotMatch(JSON.stringify(await configView(config, redactor.redact)), /s3cr3t/);
});

test("loadConfig: identity_propagation that cannot work is a located error", async (t) => {
  const notWeb = 'works only with an "http_url" that begins with http:// or https://';
  for (const [settings, line, more] of [
    [
      "vault",
      '5:28  backends.a.identity_propagation.strategy is "vault", which is not available: choose "signed_assertion", "token_exchange" or "passthrough"',
    ],
    ["signed_assertion", `5:5  backends.a.identity_propagation ${notWeb}`, "command: x"],
    ["signed_assertion", `5:5  backends.a.identity_propagation ${notWeb}`, "http_url: wss://x/mcp"],
    ["token_exchange", 'identity_propagation needs "token_exchange_endpoint" for the strategy "token_exchange"'],
    [
      "token_exchange, token_exchange_endpoint: file:///x",
      "token_exchange_endpoint must be an address that begins with http",
    ],
    [
      "passthrough, token_exchange_scope: x",
      'token_exchange_scope means nothing to the strategy "passthrough": remove it',
    ],
    ["passthrough, audience: x", 'audience means nothing to the strategy "passthrough": remove it'],
    [
      "signed_assertion",
      'needs "audience" where there are "replicas"',
      "replicas: [{http_url: http://x}, {http_url: http://y}]",
    ],
    ["passthrough", notWeb, "replicas: [{http_url: http://x}, {command: y}]"],
    ["passthrough, extra: 1", "identity_propagation.extra is not a known setting"],
    ["magic", "identity_propagation.strategy must be"],
  ] as const) {
    const lines = await findings(t, auth + server(settings, more));
    assert.ok(
      lines.some((one) => one.includes(line)),
      `${lines.join("\n")} instead of ${line}`,
    );
  }
  const secret = "secrets: [{name: k, value: abcdefgh, inject_as: header, inject_key: Authorization}]";
  const [line = ""] = await findings(t, auth + server("passthrough", `http_url: http://x/mcp\n    ${secret}`));
  assert.match(
    line,
    /secrets\[0\].inject_key is the header in which "identity_propagation" says who calls: keep one of them/,
  );
});

test("loadConfig: an identity_propagation that tells of nobody, or leaves no record, is a warning", async (t) => {
  for (const [text, line] of [
    [server("signed_assertion"), /has nobody to tell of: "auth" is not enabled/],
    [server(`token_exchange, ${exchange}`), /has nothing to exchange/],
    [auth + server("signed_assertion, required: true"), /is required, and who called is in no record/],
  ] as const)
    assert.match((await findings(t, text)).join("\n"), line);
  for (const text of [auth + record + server("signed_assertion, required: true"), server("passthrough")])
    assert.deepEqual(await findings(t, text), []);
});
