import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { call, Folder, listTools, rest, upstreamOver } from "./fixture.ts";
import { type RawAnswer, RawApi } from "./raw-api.ts";

interface Setup {
  readonly login?: JsonObject;
  readonly env?: Record<string, string>;
  readonly auth?: JsonObject;
  readonly token?: (form: URLSearchParams) => RawAnswer;
  /** Tokens the API takes. */
  readonly accepted?: readonly string[];
}

async function withApi(setup: Setup, use: (parts: Parts) => Promise<void>): Promise<void> {
  const endpoint = setup.token ?? (() => ({ body: '{"access_token":"at-canary-1","expires_in":3600}' }));
  await using tokens = await RawApi.start(({ body }) => endpoint(new URLSearchParams(body)));
  await using api = await RawApi.start(({ headers }) => {
    const token = headers.get("authorization")?.slice("Bearer ".length) ?? "";
    return setup.accepted?.includes(token) === false ? { status: 401, body: `not ${token}` } : {};
  });
  const auth = {
    required: true,
    type: "oauth",
    key: "oauth:acme",
    token_endpoint: `${tokens.origin}/token`,
    ...setup.auth,
  };
  const file = JSON.stringify({ description: "d", ...rest({ base_url: api.origin }, {}, { auth }) });
  await using folder = await Folder.with({ "files/tool.yaml": file });
  if (setup.login !== undefined) await folder.write("state/oauth/acme.json", JSON.stringify(setup.login));
  const options = { stateDirectory: join(folder.path, "state"), env: setup.env ?? {} };
  await using upstream = upstreamOver([join(folder.path, "files")], options);
  await use({
    api,
    tokens,
    call: () => call(upstream, "tool"),
    list: () => listTools(upstream),
    loginPath: join(folder.path, "state/oauth/acme.json"),
  });
}

interface Parts {
  readonly api: RawApi;
  readonly tokens: RawApi;
  call(): ReturnType<typeof call>;
  list(): ReturnType<typeof listTools>;
  readonly loginPath: string;
}

const variables = { ACME_CLIENT_ID: "id", ACME_CLIENT_SECRET: "s3cret-canary", ACME_REFRESH_TOKEN: "rt-canary" };

test("oauth: a refresh token from the environment becomes an access token, once for many calls", async () => {
  await withApi({ env: variables }, async ({ api, tokens, call }) => {
    await Promise.all([call(), call(), call()]);
    await call();
    assert.equal(tokens.requests.length, 1);
    assert.equal(tokens.last.line, "POST /token HTTP/1.1");
    assert.equal(tokens.last.headers.get("content-type"), "application/x-www-form-urlencoded");
    assert.equal(
      tokens.last.body,
      "grant_type=refresh_token&refresh_token=rt-canary&client_id=id&client_secret=s3cret-canary",
    );
    assert.equal(api.requests.length, 4);
    assert.equal(api.last.headers.get("authorization"), "Bearer at-canary-1");
  });
});

test("oauth: a login file is used while its token lives, then renewed, and what was rotated is kept", async () => {
  const fresh = { access_token: "at-canary-0", expires_at: Math.floor(Date.now() / 1_000) + 3_600 };
  await withApi({ login: fresh }, async ({ api, tokens, call }) => {
    await call();
    assert.equal(api.last.headers.get("authorization"), "Bearer at-canary-0");
    assert.equal(tokens.requests.length, 0);
  });
  const login = { access_token: "old", expires_at: 1, refresh_token: "rt-1", client_id: "id", note: "mine" };
  const token = (form: URLSearchParams) => ({
    body: JSON.stringify({
      access_token: `at for ${form.get("refresh_token")}`,
      refresh_token: "rt-2",
      expires_in: 60,
    }),
  });
  await withApi({ login, token }, async ({ api, call, loginPath }) => {
    await call();
    assert.equal(api.last.headers.get("authorization"), "Bearer at for rt-1");
    const kept = JSON.parse(await readFile(loginPath, "utf8"));
    assert.deepEqual([kept.refresh_token, kept.access_token, kept.note], ["rt-2", "at for rt-1", "mine"]);
    // A minute is within the margin: the next call asks anew, with the new refresh token.
    await call();
    assert.equal(api.last.headers.get("authorization"), "Bearer at for rt-2");
    if (process.platform !== "win32") assert.ok((await stat(loginPath)).isFile());
  });
});

test("oauth: a token the API no longer takes is renewed once", async () => {
  const login = { access_token: "revoked", refresh_token: "rt", client_id: "id" };
  await withApi({ login, accepted: ["at-canary-1"] }, async ({ api, tokens, call }) => {
    assert.equal((await call()).isError, false);
    assert.deepEqual([api.requests.length, tokens.requests.length], [2, 1]);
  });
  await withApi({ login, accepted: [] }, async ({ api, tokens, call }) => {
    assert.equal((await call()).text, "The API answered HTTP 401\nnot [redacted]");
    assert.deepEqual([api.requests.length, tokens.requests.length], [2, 1]);
  });
});

test("oauth: without a refresh token it is the client's own grant, with the scopes of the file", async () => {
  const auth = { client_id: "env:MY_ID", client_secret: "env:MY_SECRET", scopes: ["read", "write"] };
  const login = {};
  await withApi({ auth, login, env: { MY_ID: "me", MY_SECRET: "canary" } }, async ({ tokens, call }) => {
    assert.equal((await call()).isError, false);
    assert.equal(tokens.last.body, "grant_type=client_credentials&client_id=me&client_secret=canary&scope=read+write");
  });
});

test("oauth: no login, a withdrawn one and a broken endpoint are told apart, without a secret", async () => {
  await withApi({}, async ({ api, call, list, loginPath }) => {
    const { text } = await call();
    assert.equal(
      text,
      `There is no login for "acme"\nSet ACME_CLIENT_ID, ACME_CLIENT_SECRET, ACME_REFRESH_TOKEN, or put client_id, client_secret and refresh_token into "${loginPath}"`,
    );
    assert.equal(api.requests.length, 0);
    assert.deepEqual((await list())[0]?.["_meta"], { "mcp-gateway/unavailable": "needs a login for acme" });
  });
  const answers: readonly (readonly [RawAnswer, RegExp])[] = [
    [
      { status: 400, body: '{"error":"invalid_grant","error_description":"rt-canary"}' },
      /^The login for "acme" has ended or was withdrawn\nLog in again/,
    ],
    [{ status: 500, body: "rt-canary" }, /^No access token for "acme" from its token endpoint: it answered HTTP 500$/],
    [{ body: "{}" }, /its answer has no access_token$/],
  ];
  for (const [answer, message] of answers)
    await withApi({ env: variables, token: () => answer }, async ({ call, list }) => {
      const { text, isError } = await call();
      assert.equal(isError, true);
      assert.match(text, message);
      assert.doesNotMatch(text, /canary/);
      assert.equal((await list())[0]?.["_meta"], undefined);
    });
});
