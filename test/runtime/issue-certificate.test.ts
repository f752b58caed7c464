import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { createAuthority, issueCertificate } from "../../src/runtime/issue-certificate.ts";
import { hasOpenssl } from "../fixtures/certificates.ts";

const authority = createAuthority({ commonName: "Test Ä CA", validityDays: 30 });
const server = issueCertificate(
  "server",
  { commonName: "localhost", hosts: ["localhost", "127.0.0.1", "2001:db8::7"], validityDays: 2 },
  authority,
);
const client = issueCertificate(
  "client",
  { commonName: "ada", unit: "öps", uri: "spiffe://test/ada", validityDays: 1 },
  authority,
);

test("issueCertificate: says what was asked for, signed by the authority", () => {
  const [ca, ours, theirs] = [authority, server, client].map(({ cert }) => new X509Certificate(cert));
  assert.ok(ca?.ca && ours && theirs);
  assert.ok(!ours.ca);
  for (const one of [ca, ours, theirs]) assert.ok(one.verify(ca.publicKey), one.subject);
  assert.equal(ours.issuer, ca.subject);
  assert.equal(theirs.subject, "OU=öps\nCN=ada");
  assert.equal(theirs.subjectAltName, "URI:spiffe://test/ada");
  assert.match(
    ours.subjectAltName ?? "",
    /^DNS:localhost, IP Address:127\.0\.0\.1, IP Address:2001:db8:(0:0:0:0:0|):7$/i,
  );
  assert.notEqual(ours.serialNumber, theirs.serialNumber);
  const days = (Date.parse(ours.validTo) - Date.now()) / 86_400_000;
  assert.ok(days > 1.9 && days < 2.1);
});

test("issueCertificate: a server and a client let each other in by them", async () => {
  const listener = createServer({ ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
  const accepted = once(listener, "secureConnection") as Promise<[TLSSocket]>;
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  const socket = connect({ host: "127.0.0.1", servername: "localhost", port, ca: authority.cert, ...client });
  await once(socket, "secureConnect");
  assert.ok(socket.authorized);
  const [peer] = await accepted;
  assert.equal(peer.getPeerCertificate().subject.CN, "ada");
  peer.destroy();
  socket.destroy();
  listener.close();
});

test("issueCertificate: openssl takes them in its strictest way", { skip: !hasOpenssl }, () => {
  const folder = mkdtempSync(join(tmpdir(), "certificates-"));
  const far = createAuthority({ commonName: "Far", validityDays: 20_000 });
  const leaf = issueCertificate("client", { commonName: "x", validityDays: 20_000 }, far);
  try {
    for (const [ca, purpose, pair] of [
      [authority, "sslserver", server],
      [authority, "sslclient", client],
      [far, "sslclient", leaf],
    ] as const) {
      writeFileSync(join(folder, "ca.crt"), ca.cert);
      writeFileSync(join(folder, "one.crt"), pair.cert);
      const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.crt", "one.crt"];
      assert.equal(String(execFileSync("openssl", args, { cwd: folder })), "one.crt: OK\n");
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("issueCertificate: works with an authority that others made, and names it as that does", {
  skip: !hasOpenssl,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), "certificates-"));
  const run = (...args: string[]) => String(execFileSync("openssl", args, { cwd: folder, stdio: "pipe" }));
  try {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout", "ca.key"];
    run(
      "req",
      "-x509",
      ...key,
      "-out",
      "ca.crt",
      "-days",
      "9",
      "-subj",
      "/C=DE/O=Some Company/CN=Their CA",
      "-addext",
      "keyUsage=critical,keyCertSign,cRLSign",
    );
    const [cert, theirKey] = [run("x509", "-in", "ca.crt"), run("pkey", "-in", "ca.key")];
    const issued = issueCertificate("client", { commonName: "x", validityDays: 99 }, { cert, key: theirKey });
    writeFileSync(join(folder, "one.crt"), issued.cert);
    assert.equal(run("verify", "-x509_strict", "-CAfile", "ca.crt", "one.crt"), "one.crt: OK\n");
    const ends = (text: string) => new X509Certificate(text).validTo;
    assert.equal(ends(issued.cert), ends(cert), "nothing outlives its authority");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("issueCertificate: what is no authority signs nothing", () => {
  const other = createAuthority({ commonName: "Other", validityDays: 1 });
  const issue = (pair: { cert: string; key: string }) =>
    issueCertificate("client", { commonName: "x", validityDays: 1 }, pair);
  assert.throws(() => issue(server), /not that of an authority/);
  assert.throws(() => issue({ cert: authority.cert, key: other.key }), /not the one in its certificate/);
  assert.throws(() => issue({ cert: "none", key: other.key }));
  const bad = { commonName: "x", hosts: ["bad host"], validityDays: 1 };
  assert.throws(() => issueCertificate("server", bad, authority), /"bad host" has characters/);
});
