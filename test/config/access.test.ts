import assert from "node:assert/strict";
import { test } from "node:test";
import { findings, loadText } from "./fixture.ts";

const issuers = (text: string, before = "") => `${before}auth:\n  enabled: true\n  issuers:\n    - ${text}\n`;
const rule = "rules: [{backends: ['*']}]";

test("auth.issuers: what would let in too many, or nobody, is said", async (t) => {
  const cases: [text: string, says: RegExp][] = [
    [issuers(`{issuer: https://a.test, ${rule}}`), /auth\.issuers\[0\] needs "audiences", or "server\.public_url"/],
    [issuers(`{issuer: a, audiences: [x], ${rule}}`), /issuer is no address to find keys at/],
    [
      issuers(`{issuer: a, audiences: [x], secret: x, jwks_uri: https://a.test, ${rule}}`),
      /has "jwks_uri" and "secret": keep one/,
    ],
    [issuers(`{issuer: a, audiences: [x], jwks_uri: "file:///keys", ${rule}}`), /jwks_uri must be an address/],
    [issuers("{issuer: https://a.test, audiences: [x]}"), /has no "rules"/],
    [
      issuers(`{issuer: a, audiences: [x], secret: x, ${rule}}\n    - {issuer: a, audiences: [x], secret: y, ${rule}}`),
      /issuers\[1\]\.issuer is there already/,
    ],
    ["auth: {enabled: true, users: [{name: 'a:b', password: x}]}", /users\[0\]\.name has ":"/],
    ["auth: {enabled: true}", /no client can get in/],
  ];
  for (const [text, says] of cases) {
    const found = await findings(t, text);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", says);
  }
  const good = issuers(`{issuer: https://a.test, ${rule}}`, "server: {public_url: https://gateway.test}\n");
  assert.deepEqual(await findings(t, good), []);
});

test("webhooks.base_path: is a path, and none of the gateway's own", async (t) => {
  for (const path of ["/mcp", "/mcp/hooks", "/ui/api", "/health", "/metrics/", "/.well-known/x"])
    assert.match(
      (await findings(t, `webhooks: {base_path: ${path}}`)).join(),
      /base_path is an address of the gateway/,
    );
  for (const path of ["/", "/a b", "/a//b", "/{a}", "/a?b"])
    assert.match((await findings(t, `webhooks: {base_path: "${path}"}`)).join(), /base_path must be a path such as/);
  for (const path of ["/webhooks", "/in/", "/mcps", "/a/b-c.d"])
    assert.deepEqual(await findings(t, `webhooks: {base_path: ${path}}`), []);
});

test("auth.issuers: a secret comes from the environment, and is not shown", async (t) => {
  const text = issuers(`{issuer: a, audiences: [x], secret: "env:JWT_SECRET", ${rule}}`);
  const { config } = await loadText(t, text, { env: { JWT_SECRET: "s".repeat(32) } });
  assert.equal(config.auth.issuers[0]?.secret, "s".repeat(32));
  assert.match((await findings(t, text)).join(), /JWT_SECRET/);
});

test("mtls: what is missing is named, and paths are taken from where the file is", async (t) => {
  const cases: [text: string, says: RegExp][] = [
    ["mtls: {enabled: true, server_key: k, ca_cert: c}", /mtls needs "server_cert"/],
    ["mtls: {enabled: true, server_cert: s, server_key: k}", /mtls needs "ca_cert".*require_client_cert: false/],
    [
      "mtls: {enabled: true, server_cert: s, server_key: k, require_client_cert: false, policies: [{match: {any: true}}]}",
      /mtls needs "ca_cert"/,
    ],
  ];
  for (const [text, says] of cases) assert.match((await findings(t, text)).join("\n"), says);
  const text = "mtls: {enabled: true, server_cert: tls/s.crt, server_key: /k, require_client_cert: false}";
  const { config, source } = await loadText(t, text);
  const folder = source?.path.replace(/\/gateway\.yaml$/, "");
  assert.equal(config.mtls?.server_cert, `${folder}/tls/s.crt`);
  assert.equal(config.mtls?.server_key, "/k");
  assert.equal(config.mtls?.ca_cert, "");
});
