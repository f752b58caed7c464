/** `security.remote_server_signing`: an address that nobody vouches for is refused with its place, before anything connects. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serverStatement } from "../../src/config/server-signing/server-statement.ts";
import { newSigningPair, signEd25519 } from "../../src/runtime/ed25519.ts";
import { findings, loadText } from "./fixture.ts";

const pair = newSigningPair();
const url = "https://issues.example.com/mcp";
const about = { subject: "Issues Inc", issuer: "ops", issued_at: "2026-11-26T00:00:00Z" };

function signature(
  changes: object = {},
  address: { transport: "http" | "websocket" | "a2a"; url: string } = { transport: "http", url },
) {
  const signed = signEd25519(pair.privateKey, serverStatement("issues", address, about));
  return { ...about, key_id: "k1", signature: signed, ...changes };
}

function file(backends: object, signatures: object, changes: object = {}): string {
  const trusted_keys = { k1: { algorithm: "ed25519", public_key: pair.publicKey } };
  const signing = { require_for_remote_backends: true, trusted_keys, backends: signatures, ...changes };
  return `backends: ${JSON.stringify(backends)}\nsecurity:\n  remote_server_signing: ${JSON.stringify(signing)}\n`;
}

const issues = (http_url = url) => ({ issues: { http_url } });
const wrong =
  /^gateway\.yaml:3:\d+ {2}security\.remote_server_signing\.backends\.issues\.signature is not that of the key "k1" for this backend/;

test("loadConfig: a remote backend needs a signature of its own by a trusted key", async (t) => {
  assert.deepEqual(await findings(t, file(issues(), { issues: signature() })), []);
  const [missing] = await findings(t, file(issues(), {}));
  assert.match(
    missing as string,
    /^gateway\.yaml:1:\d+ {2}backends\.issues needs a signature of "issues" for http.*trust sign-backend" makes one$/,
  );
  for (const http_url of ["wss://issues.example.com/mcp", "http://127.0.0.1:9/mcp"])
    assert.match((await findings(t, file(issues(http_url), {})))[0] as string, /needs a signature/);
  assert.match(
    (await findings(t, file({ issues: { a2a_url: url } }, {})))[0] as string,
    /needs a signature of "issues" for a2a/,
  );
});

test("loadConfig: whatever is changed after it was signed, the signature does not fit any more", async (t) => {
  for (const http_url of [`${url}/`, "https://issues.example.com.evil.test/mcp", "wss://issues.example.com/mcp"])
    assert.match((await findings(t, file(issues(http_url), { issues: signature() })))[0] as string, wrong);
  for (const changes of [{ subject: "Others" }, { issuer: "me" }, { issued_at: 1 }, { signature: "AAAA" }])
    assert.match((await findings(t, file(issues(), { issues: signature(changes) })))[0] as string, wrong);
  const other = { trusted_keys: { k1: { public_key: newSigningPair().publicKey } } };
  assert.match((await findings(t, file(issues(), { issues: signature() }, other)))[0] as string, wrong);
  const otherName = file({ other: { http_url: url } }, { other: signature() });
  assert.match((await findings(t, otherName))[0] as string, /backends\.other\.signature is not that of the key/);
  const swapped = signature({}, { transport: "a2a", url });
  assert.match((await findings(t, file(issues(), { issues: swapped })))[0] as string, wrong);
});

test("loadConfig: keys that are not trusted, or none, are named", async (t) => {
  for (const key_id of ["k2", "constructor"])
    assert.match(
      (await findings(t, file(issues(), { issues: signature({ key_id }) })))[0] as string,
      new RegExp(`backends\\.issues\\.key_id names "${key_id}", which "trusted_keys" does not have`),
    );
  const bad = { trusted_keys: { k1: { public_key: "not a key" } } };
  assert.match(
    (await findings(t, file(issues(), { issues: signature() }, bad)))[0] as string,
    /trusted_keys\.k1\.public_key must be an Ed25519 key in base64/,
  );
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(pair.publicKey, "base64")]);
  const keys = { trusted_keys: { k1: { public_key: der.toString("base64") } } };
  assert.deepEqual(await findings(t, file(issues(), { issues: signature() }, keys)), []);
});

test("loadConfig: what is on this machine or switched off needs none, and a name like a property of objects is one", async (t) => {
  const local = {
    program: { command: "x" },
    socket: { http_url: "unix:///run/x.sock" },
    sleeping: { http_url: url, enabled: false },
  };
  assert.deepEqual(await findings(t, file(local, {})), []);
  assert.match((await findings(t, file({ valueOf: { http_url: url } }, {})))[0] as string, /needs a signature/);
});

test("loadConfig: each replica in the network is signed by its own name", async (t) => {
  const group = {
    issues: {
      replicas: [{ id: "eu", http_url: url }, { id: "us", http_url: "https://us.example.com" }, { command: "x" }],
    },
  };
  const sign = (name: string, address: string) => ({
    ...about,
    key_id: "k1",
    signature: signEd25519(pair.privateKey, serverStatement(name, { transport: "http", url: address }, about)),
  });
  const both = { "issues/eu": sign("issues/eu", url), "issues/us": sign("issues/us", "https://us.example.com") };
  assert.deepEqual(await findings(t, file(group, both)), []);
  const one = { "issues/eu": both["issues/eu"] };
  assert.match(
    (await findings(t, file(group, one)))[0] as string,
    /backends\.issues needs a signature of "issues\/us"/,
  );
  const swapped = { "issues/eu": both["issues/us"], "issues/us": both["issues/eu"] };
  assert.equal((await findings(t, file(group, swapped))).length, 2);
});

test("loadConfig: where signatures are not required a wrong one is a warning", async (t) => {
  const relaxed = { require_for_remote_backends: false };
  const { config, warnings } = await loadText(
    t,
    file(issues("https://new.example.com"), { issues: signature(), gone: signature() }, relaxed),
  );
  assert.equal(config.backends["issues"]?.http_url, "https://new.example.com");
  assert.match(warnings[0] as string, wrong);
  assert.match(warnings[1] as string, /remote_server_signing\.backends\.gone is for no remote backend/);
});

test("loadConfig: message signing needs a key, and another one before it", async (t) => {
  const signing = (text: string) => `security: {message_signing: {enabled: true${text}}}\n`;
  assert.match(
    (await findings(t, signing("")))[0] as string,
    /message_signing\.shared_secret is missing: name it as "env:VAR"/,
  );
  assert.match(
    (await findings(t, signing(", shared_secret: a, previous_secret: a")))[0] as string,
    /previous_secret is the same as "shared_secret"/,
  );
  assert.deepEqual(await findings(t, signing(", shared_secret: a, previous_secret: b")), []);
  assert.match((await findings(t, signing(", shared_secret: 'env:NO'")))[0] as string, /"NO", which is not set/);
});
