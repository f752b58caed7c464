/** `backends.<name>.secrets` from the file: where values come from, and what cannot work. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { effectiveConfig } from "../../src/config/effective.ts";
import { findings, loadText, temporaryFolder } from "./fixture.ts";

const expanded = `$${"{KEY}"}`;
const secret = (value: string, more = "") => `{name: k, value: "${value}", inject_key: key${more}}`;
const program = (entry: string) => `backends:\n  a: {command: x, secrets: [${entry}]}\n`;
const server = (url: string, entry: string, more = "") =>
  `backends:\n  a: {http_url: "${url}", secrets: [${entry}]${more}}\n`;
const web = (entry: string, more?: string) => server("http://x/mcp", entry, more);

test("loadConfig: the value of a secret is filled in from wherever it is", async (t) => {
  const env = { KEY: "from env" };
  const values: Record<string, string> = {
    literal: "literal",
    "env:KEY": "from env",
    [expanded]: "from env",
    "{env.KEY}": "from env",
    "a {env.KEY} b {env.KEY}": "a from env b from env",
  };
  for (const [written, value] of Object.entries(values)) {
    const { config, warnings } = await loadText(t, program(secret(written)), { env });
    assert.equal(config.backends["a"]?.secrets?.[0]?.value, value, written);
    assert.deepEqual(warnings, []);
  }
});

test("loadConfig: a secret that is not there is a located error, unless nobody needs it", async (t) => {
  const at = "gateway.yaml:2:39  backends.a.secrets[0].value";
  const missing = 'refers to the environment variable "KEY", which is';
  for (const written of ["env:KEY", expanded, "{env.KEY}", "Token {env.KEY}"]) {
    assert.deepEqual(await findings(t, program(secret(written))), [`${at} ${missing} not set`], written);
    const off = program(secret(written)).replace("command: x", "command: x, enabled: false");
    assert.ok((await loadText(t, off)).config, written);
  }
  assert.deepEqual(await findings(t, program(secret("{env.KEY}")), { env: { KEY: "" } }), [`${at} ${missing} empty`]);
  assert.deepEqual(await findings(t, program(secret(""))), [`${at} must not be empty`]);
  assert.deepEqual(await findings(t, program(secret("12345"))), [
    `${at} has less than 6 characters: it cannot be taken out of what the server says`,
  ]);
});

test("loadConfig: a secret can be in the keychain of the system", {
  skip: process.platform !== "linux" && "other systems are asked by the full path of their tool",
}, async (t) => {
  const folder = temporaryFolder(t);
  const tool = join(folder, "secret-tool");
  writeFileSync(tool, '#!/bin/sh\n[ "$*" = "lookup service weather" ] && echo from-keychain || exit 1\n');
  chmodSync(tool, 0o755);
  const env = { PATH: `${folder}:/usr/bin:/bin` };
  const { config } = await loadText(t, program(secret("{keychain.weather}")), { env });
  assert.equal(config.backends["a"]?.secrets?.[0]?.value, "from-keychain");
  assert.deepEqual(await findings(t, program(secret("{keychain.other}")), { env }), [
    'gateway.yaml:2:39  backends.a.secrets[0].value refers to "other" of the keychain, where it is not found',
  ]);
});

test("loadConfig: where a secret cannot go is said, and what it is is not", async (t) => {
  const header = (key: string, more = "") =>
    `{name: k, value: "s3cr3t", inject_as: header, inject_key: "${key}"${more}}`;
  const query = (more = "") => secret("s3cr3t", `, inject_as: query${more}`);
  const wrong: [text: string, problem: RegExp][] = [
    [
      program(header("X-Key")),
      /^gateway.yaml:2:\d+ {2}backends\.a\.secrets\[0\]\.inject_as works only with "http_url"/,
    ],
    [program(query()), /inject_as works only with "http_url"/],
    [server("ws://x/mcp", header("X-Key", ", tools: [a]")), /secrets\[0\]\.tools must be \["\*"\]: a WebSocket/],
    [server("unix:///x.sock", query()), /inject_as needs an HTTP server on the socket: name its path/],
    [web(header("X Key")), /inject_key cannot be sent as a header: the name is not an HTTP token/],
    [web(header("Transfer-Encoding")), /inject_key cannot be sent as a header: it belongs to the connection/],
    [web(header("Mcp-Session-Id")), /inject_key is a header of the transport itself/],
    [web(header("X-Key").replace("s3cr3t", "s3cr3t\\n")), /inject_key cannot be sent as a header: the value holds/],
    [web(header("Authorization"), ", oauth: {}"), /inject_key is the header in which "oauth" of the backend sends/],
  ];
  for (const [text, problem] of wrong) {
    const lines = await findings(t, text);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.match(lines[0] as string, problem);
    assert.doesNotMatch(lines[0] as string, /s3cr3t/);
  }
  const right = [
    server("ws://x/mcp", header("X-Key")),
    server("unix:///x.sock:/mcp", query(", tools: [a]")),
    web(header("Authorization", ", credential_type: bearer, tools: [a]")),
    web(header("Mcp-Api-Key")),
  ];
  for (const text of right) assert.deepEqual(await findings(t, text), [], text);
});

test("effectiveConfig: a secret is hidden, where it comes from is not", async (t) => {
  const folder = temporaryFolder(t);
  const entries = ["s3cr3t", "env:KEY", "{env.KEY}", "Bearer {env.KEY}"].map((value) => secret(value)).join(", ");
  writeFileSync(join(folder, "gateway.yaml"), program(entries));
  const { settings } = await effectiveConfig({ env: { HOME: folder, KEY: "v" }, cwd: folder });
  const shown = settings.find(({ path }) => path.join(".") === "backends.a.secrets")?.value as { value: string }[];
  assert.deepEqual(
    shown.map(({ value }) => value),
    ["[redacted]", "env:KEY", "{env.KEY}", "[redacted]"],
  );
});
