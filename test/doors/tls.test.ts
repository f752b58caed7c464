/** TLS in front of the HTTP door, and callers known by their certificates. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request } from "node:https";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import * as v from "valibot";
import type { Caller } from "../../src/core/caller.ts";
import { openHttpDoor } from "../../src/doors/http/listen.ts";
import { mtlsSchema } from "../../src/doors/tls/schema.ts";
import { type Authority, createAuthority, hasOpenssl, type Pair } from "../fixtures/certificates.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { bothTypes, initializeMessage } from "./http-client.ts";

const skip = hasOpenssl ? false : "openssl is not there";
let authority: Authority;
let server: Pair;
let ada: Pair;
let eve: Pair;
before(() => {
  if (!hasOpenssl) return;
  authority = createAuthority();
  server = authority.issue("server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1");
  ada = authority.issue("ada", "/OU=ops/CN=ada", "URI:spiffe://test/ada,DNS:ada.test");
  eve = authority.issue("eve", "/CN=eve", "DNS:eve.test");
});
after(() => authority?.remove());

const policies = [
  { match: { cn: "a*", ou: "ops" }, allow: { backends: ["one"], tools: ["read_*"] }, deny: { tools: ["read_secret"] } },
  { match: { san_dns: "*.test", cn: "nobody" }, allow: { backends: ["*"] } },
];

async function setUp(settings: object = {}, auth: object = {}) {
  const gateway = fakeGateway({ auth: auth as Record<string, unknown> });
  const mtls = v.parse(mtlsSchema, {
    enabled: true,
    server_cert: server.certPath,
    server_key: server.keyPath,
    ca_cert: authority.ca.certPath,
    ...settings,
  });
  gateway.config = { ...gateway.config, mtls };
  const seen: Caller[] = [];
  const { initialize } = gateway.face;
  gateway.face.initialize = (params, context) => {
    seen.push(context.caller);
    return initialize(params, context);
  };
  const door = await openHttpDoor(gateway);
  const ask = (client?: Pair, headers: Record<string, string> = {}, path = "/mcp") =>
    new Promise<number>((resolve, reject) => {
      const outgoing = request(
        {
          host: "127.0.0.1",
          port: door.port,
          path,
          method: "POST",
          agent: false,
          ca: authority.ca.cert,
          servername: "localhost",
          headers: { host: "localhost", "content-type": "application/json", accept: bothTypes, ...headers },
          ...(client && { cert: client.cert, key: client.key }),
        },
        (response) => {
          response.resume();
          response.on("end", () => resolve(response.statusCode ?? 0));
        },
      );
      outgoing.on("error", reject);
      outgoing.end(JSON.stringify(initializeMessage()));
    });
  return { gateway, mtls, door, seen, ask };
}

test("TLS: without client certificates it is encryption and nothing else", { skip }, async () => {
  const { door, ask, seen } = await setUp({ require_client_cert: false, ca_cert: "" });
  try {
    assert.match(door.url, /^https:/);
    assert.equal(await ask(), 200);
    assert.equal(seen[0]?.name, "anonymous");
    await assert.rejects(
      new Promise((resolve, reject) =>
        httpRequest({ host: "127.0.0.1", port: door.port, agent: false }, resolve).on("error", reject).end(),
      ),
      "plain HTTP is not answered",
    );
  } finally {
    await door.close(0);
  }
});

test("mTLS: the first policy that matches in everything it names gives the rights", { skip }, async () => {
  const { door, ask, seen, gateway, mtls } = await setUp({ policies });
  try {
    assert.equal(await ask(ada), 200);
    const { principal, validUntil, ...rights } = seen[0] as Caller;
    assert.match(principal, /^cert:[0-9a-f]{32}$/);
    assert.ok((validUntil ?? 0) > Date.now());
    assert.deepEqual(rights, {
      name: "ada",
      admin: false,
      backends: ["one"],
      deniedBackends: [],
      allowedTools: ["read_*"],
      deniedTools: ["read_secret"],
      identity: { issuer: undefined, subject: principal, name: "ada" },
    });
    assert.equal(await ask(eve), 403, "no policy matches");
    const all = v.parse(mtlsSchema, { policies: [{ match: { san_dns: "eve.*" }, allow: { backends: ["*"] } }] });
    gateway.config = { ...gateway.config, mtls: { ...mtls, policies: all.policies } };
    assert.equal(await ask(eve), 200, "policies follow a reload");
    assert.equal(await ask(ada), 403);
    assert.equal(seen.at(-1)?.backends, undefined);
    const none = v.parse(mtlsSchema, { policies: [{ match: { any: true } }] });
    gateway.config = { ...gateway.config, mtls: { ...mtls, policies: none.policies } };
    assert.equal(await ask(eve), 200);
    assert.deepEqual(seen.at(-1)?.backends, [], "what is not allowed is not given");
  } finally {
    await door.close(0);
  }
});

test("mTLS: who shows no certificate, or one of another authority, does not come in", { skip }, async () => {
  const { door, ask, seen } = await setUp({ policies });
  const other = createAuthority();
  try {
    const forged = other.issue("ada", "/OU=ops/CN=ada", "DNS:ada.test");
    await assert.rejects(ask());
    await assert.rejects(ask(forged));
    assert.equal(seen.length, 0);
  } finally {
    other.remove();
    await door.close(0);
  }
});

test("mTLS: where certificates are optional, a token will do, and nothing will not", { skip }, async () => {
  const optional = { require_client_cert: false, policies };
  const token = { authorization: "Bearer root-token" };
  const { door, ask, seen } = await setUp(optional, { enabled: true, bearer_token: "root-token" });
  const open = await setUp(optional);
  try {
    assert.equal(await ask(), 401);
    assert.equal(await ask(ada), 200);
    assert.equal(await ask(undefined, token), 200);
    assert.equal(await ask(ada, token), 200);
    assert.deepEqual(
      seen.map(({ name }) => name),
      ["ada", "bearer", "bearer"],
    );
    assert.equal(await ask(ada, { authorization: "Bearer wrong" }), 401, "a token that is shown is checked");
    assert.equal(await open.ask(), 401, "nor without tokens");
    assert.equal(await open.ask(undefined, token), 401);
    assert.equal(await open.ask(ada), 200);
  } finally {
    await Promise.all([door.close(0), open.door.close(0)]);
  }
});

test("mTLS: revoked certificates are refused, or the door stays shut where that cannot be done", { skip }, async () => {
  const gone = authority.issue("gone", "/OU=ops/CN=ada-gone", "DNS:gone.test");
  const crl_path = authority.revoke(gone);
  const opening = setUp({ policies, crl_path });
  if (!("Bun" in globalThis)) return assert.rejects(opening, /crl_path/);
  const { door, ask } = await opening;
  try {
    assert.equal(await ask(ada), 200);
    await assert.rejects(ask(gone));
  } finally {
    await door.close(0);
  }
});

test("TLS: a new certificate in the files is used for new connections, a broken one is not", { skip }, async () => {
  const mine = authority.issue("renewed", "/CN=before", "DNS:localhost");
  const { door } = await setUp({
    require_client_cert: false,
    ca_cert: "",
    server_cert: mine.certPath,
    server_key: mine.keyPath,
  });
  const subject = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connectTls({ host: "127.0.0.1", port: door.port, servername: "localhost", ca: authority.ca.cert });
      socket.on("error", reject);
      socket.on("secureConnect", () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
    });
  try {
    assert.equal(await subject(), "before");
    writeFileSync(mine.certPath, "-----BEGIN CERTIFICATE-----\nbroken");
    const next = authority.issue("next", "/CN=after", "DNS:localhost");
    assert.equal(await subject(), "before");
    writeFileSync(mine.keyPath, next.key);
    writeFileSync(mine.certPath, next.cert);
    while ((await subject()) !== "after");
  } finally {
    await door.close(0);
  }
});

test("TLS: files that cannot be used are named", { skip }, async () => {
  const other = authority.issue("other", "/CN=x", "DNS:x");
  await assert.rejects(setUp({ server_cert: "/nowhere.crt" }), /mtls\.server_cert: "\/nowhere\.crt" cannot be read/);
  await assert.rejects(
    setUp({ server_key: server.certPath }),
    /mtls\.server_key: ".*server\.crt" has no "BEGIN PRIVATE/,
  );
  await assert.rejects(setUp({ server_key: other.keyPath }), /server\.crt" and ".*other\.key" cannot be used for TLS/);
});

test("TLS: half a handshake, an end in the middle and rubbish leave the door as it was", { skip }, async () => {
  const { door, ask } = await setUp({ require_client_cert: false, ca_cert: "" });
  try {
    for (const bytes of ["", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01", "\0".repeat(70_000)])
      await new Promise<void>((resolve) => {
        const socket = connect(door.port, "127.0.0.1", () => socket.end(bytes));
        socket.on("error", () => {});
        socket.on("close", () => resolve());
        socket.resume();
      });
    assert.equal(await ask(), 200);
  } finally {
    await door.close(0);
  }
});
