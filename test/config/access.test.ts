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
  for (const path of ["/mcp", "/mcp/hooks", "/ui/api", "/auth/token", "/health", "/metrics/", "/.well-known/x"])
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

test("key_server: what cannot work, or would let nobody in, is said", async (t) => {
  const oidc = "{issuer: https://a.test, audiences: [x]}";
  const server = (text: string, before = "auth: {enabled: true}\n") =>
    `${before}key_server:\n  enabled: true\n  ${text}\n`;
  const policies = "policies: [{}]";
  const cases: [text: string, says: RegExp][] = [
    [server(`oidc: [{issuer: https://a.test}]\n  ${policies}`), /key_server\.oidc\[0\] needs "audiences"/],
    [
      server(`oidc: [{issuer: https://a.test, audiences: []}]\n  ${policies}`),
      /audiences must be a list with at least one/,
    ],
    [server(policies), /has no "oidc"/],
    [server(`oidc: [${oidc}]`), /has no "policies"/],
    [server(`oidc: [${oidc}]\n  ${policies}`, ""), /gives out tokens that nobody needs/],
    [server(`oidc: [{issuer: a, audiences: [x]}]\n  ${policies}`), /issuer is no address to find keys at/],
    [
      server(`oidc: [{issuer: a, audiences: [x], jwks_uri: "file:///k"}]\n  ${policies}`),
      /jwks_uri must be an address/,
    ],
    [
      server(`oidc: [{issuer: https://a.test, audiences: [x], auto_discover: false}]\n  ${policies}`),
      /auto_discover is false, and there is no "jwks_uri"/,
    ],
    [server(`oidc: [${oidc}, ${oidc}]\n  ${policies}`), /oidc\[1\]\.issuer is there already/],
    [
      server(
        `oidc: [${oidc}]\n  delegated_bearer: true\n  ${policies}`,
        issuers(`{issuer: https://a.test, audiences: [y], ${rule}}`),
      ),
      /issuer is one of "auth\.issuers" too/,
    ],
  ];
  for (const [text, says] of cases) {
    const found = await findings(t, text);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", says);
  }
  assert.deepEqual(await findings(t, server(`oidc: [${oidc}]\n  ${policies}`)), []);
  const text = server(`oidc: [${oidc}]\n  ${policies}\n  admin_token: "env:ADMIN"`);
  assert.equal((await loadText(t, text, { env: { ADMIN: "s" } })).config.key_server?.admin_token, "s");
  assert.match((await findings(t, text)).join(), /ADMIN/);
});

test("agent_auth: agents need keys and scopes that mean something, and gateways that ask for tokens", async (t) => {
  const agents = (text: string, before = "auth: {enabled: true}\n") =>
    `${before}agent_auth: {enabled: true, agents: [${text}]}\n`;
  const cases: [text: string, says: RegExp][] = [
    [agents("{client_id: a, hs256_secret: x, scopes: ['tools:*']}", ""), /is enabled while "auth" is not/],
    [agents("{client_id: a, scopes: ['tools:*']}"), /needs "hs256_secret", "rs256_public_key" or "es256_public_key"/],
    [agents("{client_id: a, hs256_secret: '', scopes: ['tools:*']}"), /needs "hs256_secret"/],
    [agents("{client_id: a, hs256_secret: x}"), /has no "scopes"/],
    [
      agents("{client_id: a, hs256_secret: x, scopes: ['tools:b:t:reed']}"),
      /scopes\[0\] must be "tools:BACKEND:TOOL:LEVEL"/,
    ],
    [
      agents(
        "{client_id: a, hs256_secret: x, scopes: ['tools:*']}, {client_id: a, hs256_secret: y, scopes: ['tools:b']}",
      ),
      /agents\[1\]\.client_id is there already/,
    ],
    [agents(""), /has no "agents"/],
  ];
  for (const [text, says] of cases) {
    const found = await findings(t, text);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", says);
  }
  const text = agents("{client_id: a, hs256_secret: 'env:SECRET', scopes: ['tools:*']}");
  assert.equal((await loadText(t, text, { env: { SECRET: "s" } })).config.agent_auth?.agents[0]?.hs256_secret, "s");
  assert.deepEqual(
    await findings(t, "agent_auth: {enabled: false, agents: [{client_id: a, hs256_secret: 'env:NONE'}]}"),
    [],
  );
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

test("tunnel: nobody is let in from the internet without a token, and what Tailscale cannot do is said", async (t) => {
  const auth = "auth: {enabled: true, bearer_token: a-token-of-some-length}\n";
  const cases: [text: string, says: RegExp | undefined][] = [
    [
      "tunnel: {enabled: true, mode: funnel}",
      /tunnel\.mode would let everybody on the internet in: set "auth\.enabled"/,
    ],
    [`${auth}tunnel: {enabled: true, mode: funnel, https_port: 444}`, /https_port must be one of 443, 8443, 10000/],
    ["tunnel: {enabled: true}", /lets every device of the tailnet in with all rights/],
    [`${auth}tunnel: {enabled: true, mode: funnel, https_port: 8443}`, undefined],
    [`${auth}tunnel: {enabled: true, https_port: 444}`, undefined],
    ["tunnel: {enabled: false, mode: funnel}", undefined],
  ];
  for (const [text, says] of cases) {
    const found = await findings(t, text);
    assert.equal(found.length, says === undefined ? 0 : 1, found.join("\n"));
    if (says !== undefined) assert.match(found[0] ?? "", says);
  }
  const tls = "mtls: {enabled: true, server_cert: s, server_key: k, require_client_cert: false}\n";
  assert.match(
    (await findings(t, `${auth}${tls}tunnel: {enabled: true}`)).join(),
    /tunnel\.enabled works only without/,
  );
});

test("control_plane: roles for nobody, and rules that never decide, are said; a role that is none is an error", async (t) => {
  const good = issuers(`{issuer: https://a.test, audiences: [x], ${rule}}`);
  const roles = (text: string) => `${good}control_plane: {role_mapping: {rules: [${text}]}}\n`;
  const cases: [text: string, says: RegExp][] = [
    [roles("{issuer: https://b.test, role: viewer}"), /rules\[0\]\.issuer is none of "auth\.issuers"/],
    [
      roles("{issuer: https://a.test, role: viewer}, {issuer: https://a.test, group: ops, role: admin}"),
      /rules\[1\]\.issuer never decides/,
    ],
    [roles("{issuer: https://a.test, role: auditor}"), /rules\[0\]\.role .*viewer/],
    [roles("{role: viewer}"), /issuer/],
  ];
  for (const [text, says] of cases) {
    const found = await findings(t, text);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", says);
  }
  const fine = "{issuer: https://a.test, group: ops, role: operator}, {issuer: https://a.test, role: viewer}";
  assert.deepEqual(await findings(t, roles(fine)), []);
});

test("control_plane.export: its file is found wherever the gateway is started", async (t) => {
  const { config } = await loadText(t, "control_plane: {export: {enabled: true, sink_path: siem.ndjson}}\n");
  assert.match(config.control_plane?.export.sink_path ?? "", /^[/\\A-Z].*siem\.ndjson$/);
  const home = await loadText(t, "control_plane: {export: {enabled: true}}\n", { env: { HOME: "/home/ada" } });
  assert.equal(home.config.control_plane?.export.sink_path, "/home/ada/.mcp-gateway/export/siem.ndjson");
});
