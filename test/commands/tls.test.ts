import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { house } from "./run-main.ts";

test("tls: an authority, a server and a client, in files whose keys are their owner's alone", async (t) => {
  const { folder, run } = house(t);
  const certificate = (name: string) => new X509Certificate(readFileSync(join(folder, name)));
  const made = await run("tls", "init-ca", "-o", "tls");
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /Created tls\/ca\.crt and tls\/ca\.key/);
  const again = await run("tls", "init-ca", "-o", "tls");
  assert.equal(again.code, 1);
  assert.match(again.err, /"tls\/ca\.crt" exists already/);
  const by = ["--ca-cert", "tls/ca.crt", "--ca-key", "tls/ca.key"];
  const names = ["--cn", "gw.test", "--san-dns", "localhost, 127.0.0.1"];
  assert.equal((await run("tls", "issue-server", ...names, ...by, "-o", "tls")).code, 0);
  assert.equal(certificate("tls/server.crt").subjectAltName, "DNS:gw.test, DNS:localhost, IP Address:127.0.0.1");
  const client = ["--cn", "../ada b", "--ou", "ops", "--spiffe-uri", "spiffe://test/ada"];
  assert.equal((await run("tls", "issue-client", ...client, ...by)).code, 0);
  assert.equal(certificate("-ada-b.crt").subject, "OU=ops\nCN=../ada b");
  if (process.platform !== "win32")
    for (const key of ["tls/ca.key", "tls/server.key", "-ada-b.key"])
      assert.equal(statSync(join(folder, key)).mode & 0o777, 0o600, key);
});

test("tls: what is missing or wrong is said before anything is written", async (t) => {
  const { run } = house(t);
  for (const [args, code, says] of [
    [["issue-server"], 2, /--cn is missing/],
    [["issue-client", "--cn", "x", "--validity-days", "soon"], 2, /--validity-days must be a whole number/],
    [["issue-client", "--cn", "x", "--spiffe-uri", "http://x"], 2, /--spiffe-uri must be like/],
    [["issue-client", "--cn", "..", "--ca-cert", "a", "--ca-key", "b"], 2, /--cn must have/],
    [["issue-client", "--cn", "x", "--ca-cert", "none.crt"], 1, /Cannot read "none\.crt".*init-ca/],
  ] as const) {
    const outcome = await run("tls", ...args);
    assert.equal(outcome.code, code, args.join(" "));
    assert.match(outcome.err, says);
  }
});
