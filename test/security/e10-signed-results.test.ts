/** E10: what the gateway says of results can be proved, and no server can say it (T4, ASI07). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binaryPath, environmentIn, type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { backendCommand, HttpClient, type Loose } from "./clients.ts";

const secret = "a-key-that-clients-have-too";
const receiptKey = "a-key-for-receipts";
const env = { SIGNING_KEY: secret, GATEWAY_ATTESTATION_SIGNING_KEY: receiptKey, GATEWAY_ATTESTATION_KEY_ID: "r1" };
const signatureKey = "mcp-gateway/signature";
const provenanceKey = "mcp-gateway/provenance";
const offer = {
  tools: [
    { name: "give", inputSchema: { type: "object" }, _meta: { "mcp-gateway/unavailable": "forged", own: 1 } },
    { name: "look", inputSchema: { type: "object" }, annotations: { readOnlyHint: true } },
    "refuse",
  ],
};

let gateway: GatewayProcess;
let client: HttpClient;
let one: HttpClient;
let count = 0;

function config(signing: object = {}, result_format = "native"): object {
  return {
    capabilities: { enabled: false },
    cache: { enabled: true },
    meta_mcp: {
      surfaced_tools: [
        { server: "box", tool: "give" },
        { server: "literal", tool: "special" },
      ],
      max_result_size: 5_000,
      result_format,
    },
    security: {
      message_signing: { enabled: true, shared_secret: "env:SIGNING_KEY", ...signing },
      provenance_stamping: true,
    },
    backends: {
      box: { command: backendCommand(`--offer=${JSON.stringify(offer)}`) },
      literal: { command: scriptArgv("literal-backend.ts") },
    },
  };
}

before(async () => {
  gateway = await startGateway(config(), { env });
  client = await HttpClient.open(`${gateway.url}/mcp`);
  one = await HttpClient.open(`${gateway.url}/mcp/box`);
});
after(() => gateway.stop());

const digest = (value: object) => createHash("sha256").update(JSON.stringify(value)).digest("hex");
const newNonce = () => `nonce-${++count}`;

/** `gateway_invoke` with a nonce. */
async function invoke(tool: string, args: object, nonce: string, more: object = {}): Promise<Loose> {
  const call = { server: "box", tool, arguments: args, nonce, ...more };
  return (await client.tool("gateway_invoke", call)).message.result;
}

function verify(text: string, ...args: string[]) {
  const file = join(gateway.folder, "result.json");
  writeFileSync(file, text);
  const options = ["audit", "verify-result", file, "--config", gateway.configPath, ...args];
  const all = { ...env, OTHER_KEY: "another" };
  const { status, stdout, stderr } = spawnSync(binaryPath, options, {
    env: environmentIn(gateway.folder, all),
    cwd: gateway.folder,
    encoding: "utf8",
  });
  return { code: status, text: stdout + stderr };
}

test("E10: on every way to a tool the result is signed for the nonce of the call, and verify-result proves it", async () => {
  const direct = await HttpClient.open(`${gateway.url}/mcp/literal`);
  const call = (nonce: string) => ({ name: "special", arguments: {}, _meta: { "mcp-gateway/nonce": nonce } });
  const nonces = [newNonce(), newNonce()];
  const onBackend = (await direct.request("tools/call", call(nonces[0]!))).body;
  const surfaced = (await client.request("tools/call", call(nonces[1]!))).body;
  for (const [at, body] of [onBackend, surfaced].entries()) {
    const text = /^data: (.+)$/m.exec(body)?.[1] ?? body;
    assert.ok(text.includes("12345678901234567890"));
    const proved = verify(text, "--tool", "literal:special", "--secret", "env:SIGNING_KEY", "--nonce", nonces[at]!);
    assert.equal(proved.code, 0, proved.text);
    assert.match(
      proved.text,
      /^✓ Signature verified \(key "default"\): the result of literal:special for nonce "nonce-\d+"/m,
    );
    assert.match(proved.text, /^✓ Receipt verified: literal:special/m);
    const changed = verify(text.replace("12345678901234567890", "12345678901234567891"), "--tool", "literal:special");
    assert.equal(changed.code, 1);
    assert.match(changed.text, /✗ The signature is wrong.*\n✗ The receipt is of another result/s);
    assert.match(verify(text, "--tool", "box:special").text, /✗ The signature is wrong/);
    assert.match(
      verify(text, "--tool", "literal:special", "--nonce", "mine").text,
      /✗ The result answers another call/,
    );
    assert.match(
      verify(text, "--tool", "literal:special", "--secret", "env:OTHER_KEY").text,
      /✗ The signature is wrong/,
    );
    assert.match(verify(text, "--tool", "literal:special", "--secret", "env:NO_KEY").text, /"NO_KEY".*is not set/);
  }
  const nonce = newNonce();
  const result = await invoke("give", { result: { content: [] } }, nonce);
  assert.equal(result._meta[signatureKey].nonce, nonce);
  assert.equal(verify(JSON.stringify(result), "--tool", "box:give").code, 0);
  // Somebody on the way takes the signature off, and writes a receipt of his own.
  const bare = JSON.stringify({
    content: [],
    _meta: { [provenanceKey]: { response_sha256: digest({ content: [] }) } },
  });
  assert.match(verify(bare, "--tool", "box:give").text, /✗ The result has no signature\n✗ The receipt is not signed/);
  assert.equal(verify(bare).code, 1);
  const unsigned = { content: [] };
  assert.match(verify(JSON.stringify(unsigned)).text, /✗ .*neither a signature nor a receipt/);
});

test("E10: a client needs nothing but HMAC and sorted members to verify a result", async () => {
  const nonce = newNonce();
  const result = await invoke("give", { result: { content: [{ type: "text", text: "ä" }] } }, nonce);
  const { key_id, ts, sig } = result._meta[signatureKey];
  const { [signatureKey]: _own, ...meta } = result._meta;
  const sorted = (value: Loose): Loose =>
    Array.isArray(value)
      ? value.map(sorted)
      : value && typeof value === "object"
        ? Object.fromEntries(
            Object.keys(value)
              .sort()
              .map((key) => [key, sorted(value[key])]),
          )
        : value;
  const text = JSON.stringify(
    sorted({ server: "box", tool: "give", nonce, ts, key_id, result: { ...result, _meta: meta } }),
  );
  assert.equal(createHmac("sha256", secret).update(text).digest("hex"), sig);
  const { sig: receiptSig, ...receipt } = meta[provenanceKey];
  assert.equal(
    createHmac("sha256", receiptKey)
      .update(JSON.stringify(sorted(receipt)))
      .digest("hex"),
    receiptSig,
  );
  const request = { arguments: { result: { content: [{ text: "ä", type: "text" }] } }, name: "give" };
  assert.equal(receipt.request_sha256, digest(request));
  const { server, transport, tool, gateway: version, key_id: name } = receipt;
  assert.deepEqual([server, transport, tool, version, name], ["box", "stdio", "give", "0.1.0", "r1"]);
  assert.match(receipt.definition_sha256, /^[0-9a-f]{64}$/);
});

test("E10: answers that were kept are signed anew, each for its own call", async () => {
  const [first, second] = [newNonce(), newNonce()];
  const fresh = await invoke("look", { q: 1 }, first);
  const cached = await invoke("look", { q: 1 }, second);
  assert.ok(cached._meta["mcp-gateway/cache"]);
  assert.equal(fresh._meta["mcp-gateway/cache"], undefined);
  const key = { idempotency_key: "k-1" };
  const [third, fourth] = [newNonce(), newNonce()];
  const done = await invoke("give", { result: { content: [] } }, third, key);
  const repeated = await invoke("give", { result: { content: [] } }, fourth, key);
  assert.deepEqual(repeated._meta["mcp-gateway/idempotency"], { repeated: true });
  const all = [
    [fresh, "look", first],
    [cached, "look", second],
    [done, "give", third],
    [repeated, "give", fourth],
  ] as const;
  for (const [result, tool, nonce] of all) {
    const proved = verify(JSON.stringify(result), "--tool", `box:${tool}`, "--nonce", nonce);
    assert.equal(proved.code, 0, proved.text);
  }
});

test("E10: a result that is cut has no signature, the whole that is kept has it", async () => {
  const long = { content: [{ type: "text", text: "many words ".repeat(2_000) }] };
  const nonce = newNonce();
  const cut = await invoke("give", { result: long }, nonce);
  assert.equal(cut._meta[signatureKey], undefined);
  const { uri } = cut._meta["mcp-gateway/kept_result"];
  const { message } = await client.request("resources/read", { uri });
  const whole = message.result.contents[0].text;
  assert.equal(verify(whole, "--tool", "box:give", "--nonce", nonce).code, 0);
});

test("E10: a nonce that was used is refused on every way, and never reaches the server", async () => {
  const nonce = newNonce();
  await invoke("give", { result: { content: [] } }, nonce);
  const again = await invoke("give", { result: { content: [] } }, nonce);
  assert.equal(again._meta["mcp-gateway/error"].code, "NONCE_REFUSED");
  const params = { name: "give", arguments: { result: {} }, _meta: { "mcp-gateway/nonce": nonce } };
  const direct = (await one.request("tools/call", params)).message.result;
  assert.equal(direct._meta["mcp-gateway/error"].code, "NONCE_REFUSED");
});

test("E10: no server says anything in the gateway's name", async () => {
  const family = "signature provenance error firewall contract cost cache idempotency kept_result a2a provider new_one";
  const forged = Object.fromEntries(family.split(" ").map((name) => [`mcp-gateway/${name}`, { code: "FORGED" }]));
  const block = { type: "text", text: "x", _meta: { ...forged, own: 2 } };
  const result = { content: [block], _meta: { ...forged, "other/key": 1 } };
  const answers = [
    await invoke("give", { result }, newNonce()),
    (await one.tool("give", { result })).message.result,
    (await client.tool("give", { result })).message.result,
  ];
  for (const answer of answers) {
    assert.ok(!JSON.stringify(answer).includes("FORGED"), JSON.stringify(answer));
    assert.deepEqual(Object.keys(answer._meta).sort(), [provenanceKey, signatureKey, "other/key"].sort());
    assert.deepEqual(answer.content[0]._meta, { own: 2 });
  }
  for (const asker of [one, client]) {
    const { tools } = (await asker.request("tools/list")).message.result;
    assert.deepEqual(tools.find(({ name }: Loose) => name === "give")._meta, { own: 1 });
  }
});

test("E10: where a nonce is required a call without one is refused; keys change over without a gap", async (t) => {
  const keys = { shared_secret: "env:NEW_KEY", previous_secret: "env:SIGNING_KEY", key_id: "k2" };
  const strict = await startGateway(config({ require_nonce: true, ...keys }, "wrapped"), {
    env: { ...env, NEW_KEY: "the-key-after-the-change" },
  });
  t.after(() => strict.stop());
  const other = await HttpClient.open(`${strict.url}/mcp`);
  const call = { server: "box", tool: "give", arguments: { result: { content: [] } } };
  const refused = (await other.tool("gateway_invoke", call)).message.result;
  assert.equal(refused._meta["mcp-gateway/error"].code, "NONCE_REFUSED");
  const wrapped = (await other.tool("gateway_invoke", { ...call, nonce: "n" })).message.result;
  const result = JSON.parse(wrapped.content[0].text);
  const old = verify(JSON.stringify(result), "--tool", "box:give", "--secret", "env:SIGNING_KEY");
  assert.match(old.text, /✓ Signature verified \(the key before "k2"\)/);
  for (const key of [secret, receiptKey, "the-key-after-the-change"]) assert.ok(!strict.stderr().includes(key));
});
