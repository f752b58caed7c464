/** Roles of `control_plane.role_mapping`: who gets which, what each may, and that none reaches beyond its caller. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { JWTPayload } from "jose";
import type { Role } from "../../src/core/role.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import type { ServerView } from "../../src/meta/meta-tool.ts";
import { startTokenIssuer, type TokenIssuer } from "../fixtures/token-issuer.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { errorOf, testApp } from "./http-client.ts";

let provider: TokenIssuer;
before(async () => {
  provider = await startTokenIssuer();
});
after(() => provider.close());

const json = { "content-type": "application/json" };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function setUp(rules: object[], more: Record<string, Record<string, unknown>> = {}) {
  const { auth, ...sections } = more;
  const issuers = [
    {
      issuer: provider.issuer,
      audiences: ["client-1"],
      rules: [
        { claim: "groups", value: "few", backends: ["one"], denied_tools: ["secret"] },
        { claim: "groups", value: "bosses", backends: ["*"], admin: true },
        { claim: "groups", value: "bound", backends: ["*"], profile: "narrow" },
        { backends: ["*"] },
      ],
    },
  ];
  const gateway = fakeGateway({
    auth: { enabled: true, bearer_token: "the-operator", issuers, ...auth },
    control_plane: { role_mapping: { rules: rules.map((rule) => ({ issuer: provider.issuer, ...rule })) } },
    ...sections,
  });
  const status = { state: { is: "dormant" }, inFlight: 0, restartCount: 0, healthy: true } as ServerView["status"];
  const view = { description: "", kind: "stdio", enabled: true, circuit: "closed", status } as const;
  gateway.serverViews = ["one", "two"].map((name) => ({ ...view, name }));
  const app = testApp(gateway);
  const token = (claims: JWTPayload = {}) => provider.sign(claims);
  const read = async (path: string, shown: string) =>
    (await (await app.ask(path, { headers: bearer(shown) })).json()) as JsonObject;
  const roleOf = async (claims: JWTPayload = {}) => (await read("/ui/api/status", await token(claims)))["role"];
  return { ...app, gateway, token, read, roleOf };
}

test("roles: the first rule that fits decides, by group, address and domain, of its own issuer only", async () => {
  const { roleOf } = setUp([
    { issuer: "https://other.test", role: "admin" },
    { group: "ops-*", domain: "example.com", role: "operator" },
    { email: "Ada@Example.com", role: "viewer" },
    { group: "admins", role: "admin" },
  ]);
  assert.equal(await roleOf(), "viewer");
  assert.equal(await roleOf({ groups: ["ops-eu"] }), "operator");
  assert.equal(await roleOf({ groups: ["ops-eu"], email: "ada@example.com.evil.test" }), null);
  assert.equal(await roleOf({ groups: ["admins"] }), "viewer", "the first one decides");
  assert.equal(await roleOf({ groups: ["admins"], email: "eve@example.com" }), "admin");
  assert.equal(await roleOf({ email_verified: false }), null, "an address nobody vouches for");
  assert.equal(await roleOf({ email: undefined, groups: "ops-eu" }), null, "no address, no domain");
  assert.equal(await roleOf({ email: "eve@elsewhere.test" }), null);
});

test("roles: what other rules give stays: an admin by claims is none the less for a lesser role", async () => {
  const { roleOf, read } = setUp([{ role: "viewer" }]);
  assert.equal(await roleOf({ groups: ["bosses"] }), "admin");
  assert.equal((await read("/ui/api/status", "the-operator"))["role"], "admin");
});

/** Each with the least role it takes. */
const routes: readonly (readonly [string, string, Role])[] = [
  ["GET", "/ui/api/config", "viewer"],
  ["GET", "/ui/api/tools", "viewer"],
  ["GET", "/ui/api/calls", "viewer"],
  ["GET", "/ui/api/stats", "viewer"],
  ["GET", "/ui/api/safety", "viewer"],
  ["GET", "/ui/api/costs", "viewer"],
  ["GET", "/ui/api/backends/one", "viewer"],
  ["GET", "/ui/api/control-plane", "viewer"],
  ["GET", "/ui/api/control-plane/export-status", "viewer"],
  ["GET", "/api/v1/connections", "viewer"],
  ["POST", "/ui/api/tools/call", "operator"],
  ["POST", "/ui/api/reload", "operator"],
  ["POST", "/ui/api/backends/one/revive", "operator"],
  ["POST", "/ui/api/backends/one/stop", "operator"],
  ["POST", "/ui/api/backends/one/kill", "operator"],
  ["POST", "/ui/api/quarantine/one/tool/approve", "operator"],
  ["POST", "/ui/api/control-plane/decisions", "operator"],
  ["DELETE", "/api/v1/connections/x", "operator"],
  ["POST", "/ui/api/backends", "admin"],
  ["PATCH", "/ui/api/backends/one", "admin"],
  ["DELETE", "/ui/api/backends/one", "admin"],
];

test("roles: each step of the ladder may what is below it and nothing above, on every route", async () => {
  const ladder = ["nobody", "viewer", "operator", "admin"];
  const { ask, token } = setUp(ladder.slice(1).map((role) => ({ group: role, role })));
  for (const [step, group] of ladder.entries()) {
    const headers = { ...json, ...bearer(await token({ groups: [group] })) };
    for (const [method, path, least] of routes) {
      const response = await ask(path, { method, headers, body: method === "GET" ? undefined : {} });
      const isRefused = response.status === 403 && /^This needs/.test((await errorOf(response)).message);
      assert.equal(isRefused, step < ladder.indexOf(least), `${group}: ${method} ${path} (${response.status})`);
    }
  }
});

test("roles: one reaches no further than its caller's own backends and tools", async () => {
  const { ask, token, read, gateway } = setUp([{ group: "few", role: "operator" }]);
  const tools = [{ name: "open" }, { name: "secret" }];
  gateway.catalog.list = (() => tools) as never;
  const held = ["open", "secret"].flatMap((tool) =>
    ["one", "two"].map((server) => ({
      ...{ server, tool, digest: "d", definition: {}, seenAt: 0, findings: [], approved: undefined },
    })),
  );
  gateway.heldTools = async () => held;
  gateway.approveTool = async () => "approved";
  Object.assign(gateway, { killSwitches: { ...gateway.killSwitches, kill: () => ({ was_already_killed: false }) } });
  for (const server of ["one", "two"])
    gateway.controlPlane.note({ action: "server-restarted", server, detail: `of ${server}` });
  gateway.controlPlane.note({ action: "configuration-reloaded", detail: "of all" });
  const shown = await token({ groups: ["few"] });
  const plane = (await read("/ui/api/control-plane", shown)) as Record<string, JsonObject>;
  const text = JSON.stringify([
    plane,
    await read("/ui/api/status", shown),
    await read("/ui/api/safety", shown),
    await read("/ui/api/tools", shown),
    await read("/ui/api/stats", shown),
  ]);
  assert.ok(!text.includes('"two"') && !text.includes("secret") && !text.includes("of all"), text);
  assert.ok(text.includes('"one"') && text.includes("open") && text.includes("of one"), text);
  assert.deepEqual([plane["inventory"]?.["callers"], plane["policies"]], [null, null]);
  const post = (path: string, body: object = {}) =>
    ask(path, { method: "POST", headers: { ...json, ...bearer(shown) }, body });
  for (const path of ["/ui/api/config", "/ui/api/costs", "/api/v1/connections"])
    assert.match((await errorOf(await ask(path, { headers: bearer(shown) }))).message, /about all backends/);
  assert.match((await errorOf(await post("/ui/api/reload"))).message, /about all backends/);
  for (const action of ["kill", "revive", "stop"])
    assert.equal((await post(`/ui/api/backends/two/${action}`)).status, 404, action);
  assert.equal((await post("/ui/api/quarantine/one/secret/approve", { digest: "d" })).status, 404);
  const decide = { decision: "deny", reason: "x" };
  for (const target of [
    { target_kind: "server", target_id: "two" },
    { target_kind: "tool", target_id: "one:secret@d" },
  ])
    assert.equal((await post("/ui/api/control-plane/decisions", { ...decide, ...target })).status, 404);
});

test("roles: who is bound to a routing profile sees no more than in a session", async () => {
  const { read, token, gateway } = setUp([{ role: "viewer" }]);
  Object.assign(gateway.config, {
    routing_profiles: { narrow: { allow_backends: ["one"], deny_backends: [], allow_tools: undefined } },
    default_routing_profile: "default",
  });
  const { servers } = (await read("/ui/api/status", await token({ groups: ["bound"] }))) as { servers: JsonObject[] };
  assert.deepEqual(
    servers.map(({ name }) => name),
    ["one"],
  );
});

test("roles: a gateway token has them too, but none that would undo what its holder asked for less of", async () => {
  const rules = [{ group: "admins", role: "admin" }];
  const oidc = [{ issuer: provider.issuer, audiences: ["client-1"] }];
  const policies = [{ scopes: { backends: ["one"] } }];
  const key_server = { enabled: true, oidc, policies };
  const { ask, read } = setUp(rules, { key_server, auth: { issuers: [] } });
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    subject_token: await provider.sign({ groups: ["admins"] }),
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const { access_token } = await (await ask("/auth/token", { method: "POST", headers, body: String(form) })).json();
  const status = (await read("/ui/api/status", access_token)) as { role: string; servers: JsonObject[] };
  assert.equal(status.role, "operator");
  assert.deepEqual(
    status.servers.map(({ name }) => name),
    ["one"],
  );
});

test("roles: an agent that signs its own tokens cannot give itself one", async () => {
  const hs256_secret = "a secret of at least thirty-two bytes";
  const agent = { client_id: "bot", name: "bot", hs256_secret, scopes: ["tools:*"], issuer: provider.issuer };
  const { read } = setUp([{ role: "admin" }], {
    agent_auth: { enabled: true, agents: [agent] },
    auth: { issuers: [] },
    server: { public_url: "https://gateway.test" },
  });
  const own = { sub: "bot", client_id: "bot", aud: "https://gateway.test", groups: ["admins"] };
  const shown = await provider.sign(own, { alg: "HS256", key: new TextEncoder().encode(hs256_secret) });
  assert.equal((await read("/ui/api/status", shown))["role"], null);
});
