/** OAuth towards an HTTP server, against a real authorization server on loopback. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as v from "valibot";
import { GatewayError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { httpConnect } from "../../src/upstreams/http/connect-http.ts";
import { guardedFetch } from "../../src/upstreams/oauth/guarded-fetch.ts";
import { OAuthSession } from "../../src/upstreams/oauth/oauth-session.ts";
import { type OAuthSettings, oauthSchema } from "../../src/upstreams/oauth/schema.ts";
import { createTokenStore, type TokenStore } from "../../src/upstreams/oauth/token-store.ts";
import { type OAuthServer, oauthServer } from "../fixtures/oauth-server.ts";

const never = new Cancellation();
const folder = mkdtempSync(join(tmpdir(), "oauth-"));
after(() => rmSync(folder, { recursive: true }));
let folders = 0;

/** A gateway's side of it; the same `directory` twice is the same gateway restarted, or a second one beside it. */
function setUp(
  server: OAuthServer,
  directory = join(folder, String(++folders)),
  around: (store: TokenStore) => TokenStore = (store) => store,
  oauth?: Partial<OAuthSettings>,
) {
  const secrets: string[] = [];
  const url = new URL(server.url);
  let now = 0;
  const session = new OAuthSession({
    server: "guarded",
    url,
    settings: oauth && { ...v.getDefaults(oauthSchema), ...oauth },
    store: around(
      createTokenStore({
        directory,
        server: "guarded",
        url: url.href,
        onProblem: (error) => assert.fail(String(error)),
      }),
    ),
    clock: systemClock,
    calendar: () => Date.now() + now,
    log: silentLogger,
    onSecret: (value) => secrets.push(value),
  });
  const settings = {
    name: "guarded",
    url: server.url,
    headers: {},
    maxResultBytes: 100_000,
    clock: systemClock,
    log: silentLogger,
  };
  const connect = () => httpConnect({ ...settings, access: session })(never, { onNotification() {} });
  return {
    directory,
    secrets,
    session,
    connect,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const call = async (connection: Connection) =>
  JSON.stringify((await connection.request({ method: "tools/call", params: { name: "secret" }, signal: never })).value);

async function loginUrlOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => assert.fail("It was let in"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof GatewayError, String(error));
  assert.equal(error.code, "LOGIN_REQUIRED", error.message);
  assert.match(error.hint ?? "", /mcp-gateway auth login guarded/);
  const url = error.data?.["login_url"];
  assert.equal(typeof url, "string", error.message);
  return url as string;
}

/** What the user's browser does. */
async function browse(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

test("the first call says where to log in, and the next one after the login is let in", async () => {
  const server = await oauthServer();
  const { connect, session, secrets, directory } = setUp(server);
  const url = await loginUrlOf(connect());
  assert.equal(await loginUrlOf(connect()), url, "one login at a time");
  const authorization = new URL(url);
  assert.equal(authorization.searchParams.get("code_challenge_method"), "S256");
  assert.equal(authorization.searchParams.get("resource"), server.url);
  const page = await browse(url);
  assert.deepEqual([page.status, /logged in to "guarded"/.test(page.text)], [200, true], page.text);
  const connection = await connect();
  assert.match(await call(connection), /the secret/);
  await connection.close();
  assert.equal([...server.clients.values()][0]?.client_name, "MCP Gateway - guarded");
  for (const secret of server.secrets) assert.ok(secrets.includes(secret), "every token is known to the redactor");
  const files = readdirSync(directory).filter((name) => name.endsWith("_tokens.json"));
  assert.match(files[0] ?? "", /^[0-9a-f]{64}_tokens\.json$/);
  const kept = readFileSync(join(directory, files[0] as string), "utf8");
  for (const secret of server.secrets) assert.ok(!kept.includes(secret), "nothing is kept in the clear");
  assert.match(await session.describe(), /logged in until/);
  await server.close();
});

async function loggedIn(server: OAuthServer, around?: (store: TokenStore) => TokenStore) {
  const setting = setUp(server, undefined, around);
  await browse(await loginUrlOf(setting.connect()));
  const connection = await setting.connect();
  return { ...setting, connection };
}

const grants = ({ requests }: OAuthServer) => requests.filter((line) => line.startsWith("POST /token"));

test("a refused token is renewed, once for all calls that wait, and the calls go through", async () => {
  const server = await oauthServer();
  const { connection } = await loggedIn(server);
  server.revoke("access");
  const answers = await Promise.all(Array.from({ length: 20 }, () => call(connection)));
  for (const answer of answers) assert.match(answer, /the secret/);
  assert.deepEqual(grants(server), ["POST /token authorization_code", "POST /token refresh_token"]);
  await connection.close();
  await server.close();
});

test("what was read before a token was renewed does not take its place", async () => {
  const server = await oauthServer();
  const saving = Promise.withResolvers<void>();
  let loads = Number.NEGATIVE_INFINITY;
  const { connection } = await loggedIn(server, (store) => ({
    ...store,
    async load() {
      const found = await store.load();
      if (++loads === 2) await saving.promise;
      return found;
    },
    save(access) {
      if (loads > 0) saving.resolve();
      return store.save(access);
    },
  }));
  server.revoke("access");
  loads = 0;
  const answers = await Promise.all(Array.from({ length: 8 }, () => call(connection)));
  for (const answer of answers) assert.match(answer, /the secret/);
  await connection.close();
  await server.close();
});

test("a token is renewed before it ends, and one that cannot be is used to its end", async () => {
  const server = await oauthServer();
  const { connection, pass } = await loggedIn(server);
  pass((3_600 - 299) * 1_000);
  assert.match(await call(connection), /the secret/);
  assert.equal(grants(server).at(-1), "POST /token refresh_token");
  await connection.close();
  await server.close();
});

test("a second process that renewed it first is believed: a refresh token is good once", async () => {
  const server = await oauthServer();
  const first = await loggedIn(server);
  const second = setUp(server, first.directory);
  const connection = await second.connect();
  server.revoke("access");
  assert.match(await call(connection), /the secret/);
  assert.match(await call(first.connection), /the secret/);
  assert.equal(grants(server).length, 2);
  await connection.close();
  await first.connection.close();
  await server.close();
});

test("when nothing can be renewed any more, the call says where to log in again", async () => {
  const server = await oauthServer();
  const { connection } = await loggedIn(server);
  server.revoke("all");
  const url = await loginUrlOf(call(connection));
  assert.equal((await browse(url)).status, 200);
  assert.match(await call(connection), /the secret/);
  await connection.close();
  await server.close();
});

test("more rights are asked for together with those there are", async () => {
  const server = await oauthServer();
  const { connection } = await loggedIn(server);
  server.wantedScope = "write";
  const url = await loginUrlOf(call(connection));
  assert.equal(new URL(url).searchParams.get("scope"), "write");
  await browse(url);
  assert.match(await call(connection), /the secret/);
  server.wantedScope = "admin";
  assert.equal(new URL(await loginUrlOf(call(connection))).searchParams.get("scope"), "write admin");
  await connection.close();
  await server.close();
});

test("T10: an answer of another login, a second one, and a refusal change nothing", async () => {
  const server = await oauthServer();
  const { connect } = setUp(server);
  const url = await loginUrlOf(connect());
  const back = new URL(new URL(url).searchParams.get("redirect_uri") as string);
  for (const query of ["code=x&state=wrong", "code=x", `error=x&state=${"a".repeat(43)}`]) {
    const page = await browse(`${back.href}?${query}`);
    assert.deepEqual([page.status, /no login that was begun here/.test(page.text)], [400, true]);
  }
  assert.equal((await browse(new URL("/else", back).href)).status, 404);
  server.consent = "no";
  const refused = await browse(url);
  assert.match(refused.text, /refused: access_denied/);
  server.consent = "yes";
  const again = await loginUrlOf(connect());
  assert.notEqual(again, url);
  assert.equal((await browse(again)).status, 200);
  await (await connect()).close();
  await server.close();
});

test("T10: a server whose metadata names another issuer is not trusted", async () => {
  const server = await oauthServer();
  server.metadata = { issuer: "https://evil.example" };
  const { connect } = setUp(server);
  await assert.rejects(connect(), (error: GatewayError) => {
    assert.equal(error.code, "LOGIN_REQUIRED");
    assert.match(error.message, /cannot begin/);
    assert.equal(error.data?.["login_url"], undefined);
    return true;
  });
  assert.ok(!server.requests.includes("POST /register"));
  await server.close();
});

test("without a word of OAuth a refusal is a refusal", async () => {
  const server = await oauthServer();
  const { session } = setUp(server);
  assert.equal(await session.refused(401, 'Basic realm="x"', undefined), false);
  assert.equal(await session.refused(403, undefined, undefined), false);
  await server.close();
});

test("guardedFetch goes from a public server to public addresses over TLS alone", async () => {
  const addresses: Record<string, string> = {
    "mcp.example": "93.184.216.34",
    "auth.example": "93.184.216.35",
    "inside.example": "10.0.0.5",
  };
  const resolve = async (host: string) => [addresses[host] ?? "192.0.2.1"];
  const fromPublic = guardedFetch(new URL("https://mcp.example/mcp"), true, resolve);
  for (const url of [
    "https://inside.example/token",
    "http://auth.example/token",
    "https://127.0.0.1/token",
    "https://[::1]/token",
    "https://169.254.169.254/latest",
  ])
    await assert.rejects(fromPublic(url), /no public address over TLS/, url);
});

test("guardedFetch asks a server that is not trusted at public addresses alone, its own included", async () => {
  const addresses: Record<string, string> = { "mcp.example": "10.0.0.5", "auth.example": "192.168.0.1" };
  const resolve = async (host: string) => [addresses[host] ?? "192.0.2.1"];
  const untrusted = guardedFetch(new URL("http://mcp.example/mcp"), false, resolve);
  for (const url of ["http://mcp.example/.well-known/oauth-protected-resource", "https://auth.example/token"])
    await assert.rejects(untrusted(url), /no public address/, url);
});

const robot = { client_id: "robot", client_secret: "0xC0FFEE-and-milk" };

test("client_credentials: a token before the first request, renewed without a person", async () => {
  const server = await oauthServer();
  const settings: Partial<OAuthSettings> = { ...robot, grant_type: "client_credentials", scopes: ["read"] };
  const { connect, session, secrets, directory, pass } = setUp(server, undefined, undefined, settings);
  assert.equal(await session.describe(), "needs no login");
  const connection = await connect();
  assert.match(await call(connection), /the secret/);
  assert.deepEqual(grants(server), ["POST /token client_credentials"]);
  assert.ok(!server.requests.some((line) => /authorize|register/.test(line)), "nobody is asked");
  assert.match(await session.describe(), /logged in until .*, renewed by itself/);
  server.revoke("access");
  const answers = await Promise.all(Array.from({ length: 20 }, () => call(connection)));
  for (const answer of answers) assert.match(answer, /the secret/);
  assert.equal(grants(server).length, 2, "once for all calls that wait");
  pass(3_400_000);
  await call(connection);
  assert.equal(grants(server).length, 3, "before it ends");
  server.wantedScope = "write";
  assert.match(await call(connection), /the secret/);
  assert.equal(grants(server).length, 4, "with the rights the server asks for");
  for (const secret of server.secrets) assert.ok(secrets.includes(secret), "every token is known to the redactor");
  const again = await setUp(server, directory, undefined, settings).connect();
  assert.match(await call(again), /the secret/);
  assert.equal(grants(server).length, 4, "a token that is kept is used");
  await connection.close();
  await again.close();
  await server.close();
});

test("client_credentials: where the authorization server has nothing else, and never at another one", async () => {
  const server = await oauthServer();
  server.metadata = { grant_types_supported: ["client_credentials"] };
  const connection = await setUp(server, undefined, undefined, robot).connect();
  assert.match(await call(connection), /the secret/);
  assert.deepEqual(grants(server), ["POST /token client_credentials"]);
  await connection.close();
  const elsewhere = { ...robot, issuer: "https://login.example.com" };
  for (const settings of [elsewhere, { ...elsewhere, grant_type: "client_credentials" } as const])
    await assert.rejects(setUp(server, undefined, undefined, settings).connect(), /names http:\/\/127.*"oauth.issuer"/);
  assert.equal(grants(server).length, 1, "no other authorization server hears of the secret");
  const right = { ...robot, issuer: new URL(server.url).origin };
  await (await setUp(server, undefined, undefined, right).connect()).close();
  server.machine = "robot:another";
  await assert.rejects(
    setUp(server, undefined, undefined, { ...robot, grant_type: "client_credentials" }).connect(),
    /cannot be renewed: .*invalid_client/s,
  );
  await server.close();
});

test("client id and secret alone lead to a login where the authorization server wants one", async () => {
  const server = await oauthServer();
  const url = await loginUrlOf(setUp(server, undefined, undefined, robot).connect());
  assert.equal(new URL(url).searchParams.get("client_id"), "robot");
  assert.deepEqual(grants(server), []);
  await server.close();
});

test("a token of five minutes is renewed at half its time, not for every request", async () => {
  const server = await oauthServer();
  server.lifetime = 300;
  const { connection, pass } = await loggedIn(server);
  await call(connection);
  await call(connection);
  assert.equal(grants(server).length, 1);
  pass(160_000);
  await call(connection);
  assert.equal(grants(server).length, 2);
  await connection.close();
  await server.close();
});

test("TokenStore keeps tokens for one name and address, under its key", async () => {
  const directory = join(folder, "store");
  const store = (server: string, url: string, key?: string) =>
    createTokenStore({ directory, server, url, key, onProblem: (error) => assert.fail(String(error)) });
  const access = { tokens: { access_token: "abc" }, expiresAt: 5 };
  await store("a", "https://a.example/").save(access);
  assert.deepEqual(await store("a", "https://a.example/").load(), access);
  assert.deepEqual(await store("a", "https://b.example/").load(), {});
  assert.deepEqual(await store("b", "https://a.example/").load(), {});
  assert.deepEqual(await store("a", "https://a.example/", "another key").load(), {});
  await store("a", "https://a.example/").remove();
  assert.deepEqual(await store("a", "https://a.example/").load(), {});
});
