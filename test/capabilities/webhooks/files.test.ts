import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Webhook } from "../../../src/capabilities/webhooks/webhook.ts";
import { Folder, KeptLog, listTools, upstreamOver } from "../fixture.ts";

const tool = "description: Works\nproviders: {primary: {config: {base_url: http://api.example}}}\n";
const only = "description: Events\nproviders: {}\n";

/** An upstream over these files, and what it said of webhooks last. */
async function over(files: Readonly<Record<string, string>>) {
  const folder = await Folder.with(files);
  const log = new KeptLog();
  let webhooks: readonly Webhook[] = [];
  const upstream = upstreamOver([folder.path], {
    log,
    onWebhooks(found) {
      webhooks = found;
    },
  });
  const names = async () => (await listTools(upstream)).map(({ name }) => name);
  return {
    folder,
    upstream,
    names,
    webhooks: () => webhooks,
    lines: () => log.lines.map((line) => line.replaceAll(`${folder.path}/`, "")),
    async [Symbol.asyncDispose]() {
      await upstream.close(0);
      await folder[Symbol.asyncDispose]();
    },
  };
}

test("webhooks: beside a tool, and in a file of their own; everything but the path has a default", async () => {
  await using files = await over({
    "both.yaml": `${tool}webhooks: {w: {path: both/}}\n`,
    "hooks.yaml": `${only}webhooks:
  push: {path: /a/b, method: put, secret: "\${HOOK}", signature_header: Stripe-Signature, notify: false, transform: {event_type: "x.{a}", data: {k: "{b.0.c}"}}}
  bare: {path: /c, secret: , transform: }
`,
  });
  assert.deepEqual(await files.names(), ["both"]);
  const audience = { states: [] };
  const common = { audience, method: "POST", secret: undefined, signatureHeader: "x-hub-signature-256", notify: true };
  const transform = {};
  const found = files.webhooks().map(({ place, ...webhook }) => [place.replace(/^.*\//, ""), webhook]);
  assert.deepEqual(found, [
    ["both.yaml:3:12", { ...common, capability: "both", name: "w", path: "/both", transform }],
    [
      "hooks.yaml:4:3",
      {
        capability: "hooks",
        audience,
        name: "push",
        path: "/a/b",
        method: "PUT",
        secret: { from: "environment", name: "HOOK" },
        signatureHeader: "stripe-signature",
        notify: false,
        transform: { event_type: "x.{a}", data: { k: "{b.0.c}" } },
      },
    ],
    ["hooks.yaml:5:3", { ...common, capability: "hooks", name: "bare", path: "/c", transform }],
  ]);
  assert.deepEqual(files.lines(), []);
});

test("webhooks: what is wrong is said with its place, all at once, and no secret is shown", async () => {
  await using files = await over({
    "t.yaml": `${only}webhooks:
  none: {}
  odd: {path: "/a b", method: GET, signature_header: "a b", notify: maybe}
  secret: {path: /s, secret: sk-canary-0123}
  login: {path: /l, secret: "oauth:google"}
  env: {path: /e, transform: {data: {home: "{env.HOME}"}}}
  typo: {path: /t, singature_header: X}
`,
  });
  assert.deepEqual(await files.names(), []);
  assert.deepEqual(files.webhooks(), []);
  assert.deepEqual(files.lines()[0]!.split("\n"), [
    'warn t.yaml:4:3  "webhooks.none.path" is missing',
    't.yaml:5:9  "webhooks.odd.path" must be a path such as /github',
    't.yaml:5:23  "webhooks.odd.method" must be POST, PUT or PATCH',
    't.yaml:5:36  "webhooks.odd.signature_header" must be the name of a header',
    't.yaml:5:61  "webhooks.odd.notify" must be boolean',
    't.yaml:6:22  "webhooks.secret.secret" must say where the secret is, e.g. env:WEBHOOK_SECRET; a secret itself does not belong in the file',
    't.yaml:7:21  "webhooks.login.secret" must say where the secret is, e.g. env:WEBHOOK_SECRET; a secret itself does not belong in the file',
    't.yaml:8:19  "webhooks.env.transform" has only what arrives, neither {env.NAME} nor {keychain.NAME}',
    't.yaml:9:20  "webhooks.typo.singature_header" is not a key of capability files: did you mean "signature_header"?; the file is left out',
  ]);
});

test("webhooks: a path belongs to one, the first; the log names both", async () => {
  await using files = await over({
    "a.yaml": `${only}webhooks: {one: {path: /x}}\n`,
    "b.yaml": `${tool}webhooks: {two: {path: x}, three: {path: /y}}\n`,
  });
  assert.deepEqual(await files.names(), ["b"]);
  assert.deepEqual(
    files.webhooks().map(({ name }) => name),
    ["one", "three"],
  );
  assert.deepEqual(files.lines(), ['warn b.yaml:3:12  The path "/x" belongs to the webhook at a.yaml:3:12 already']);
});

test("webhooks: follow their file: added, changed, broken, removed", async () => {
  await using files = await over({ "a.yaml": `${only}webhooks: {one: {path: /x}}\n` });
  await files.names();
  const paths = () => files.webhooks().map(({ path }) => path);
  assert.deepEqual(paths(), ["/x"]);
  const reread = async (write: Promise<unknown>) => {
    await write;
    await files.upstream.restart();
    return paths();
  };
  assert.deepEqual(await reread(files.folder.write("b.yaml", `${only}webhooks: {two: {path: /y}}\n`)), ["/x", "/y"]);
  assert.deepEqual(await reread(files.folder.write("a.yaml", `${only}webhooks: {one: {path: /z}}\n`)), ["/z", "/y"]);
  assert.deepEqual(await reread(rm(join(files.folder.path, "a.yaml"))), ["/y"]);
});

test("webhooks: a pinned file that changes loses its webhooks as well as its tool", async () => {
  await using files = await over({ "a.yaml": `sha256: ${"0".repeat(64)}\n${only}webhooks: {one: {path: /x}}\n` });
  await files.names();
  assert.deepEqual(files.webhooks(), []);
  assert.match(files.lines()[0]!, /^error RUG-PULL DETECTED: "a\.yaml" is not what its pin says/);
});
