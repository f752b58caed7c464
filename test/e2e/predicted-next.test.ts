/** B13: tools that usually come next, as clients see them. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { signedText } from "../../src/core/signed-result.ts";
import { backendCommand, HttpClient, type Loose } from "../security/clients.ts";
import { startGateway } from "./harness.ts";

const metaKey = "mcp-gateway/predicted_next";
const tools = ["list", "read", "note", "send"];
const signing = { enabled: true, shared_secret: "0123456789abcdef0123456789abcdef", key_id: "k" };

test("B13: gateway_invoke names what usually comes next, of the caller's tools, and nothing else does", async (t) => {
  const gateway = await startGateway({
    capabilities: { enabled: false },
    meta_mcp: { predict_next: true, surfaced_tools: [{ server: "files", tool: "list" }] },
    security: { message_signing: { ...signing, require_nonce: false } },
    auth: {
      enabled: true,
      api_keys: [
        { key: "all-0123456789abcdef", name: "all" },
        { key: "few-0123456789abcdef", name: "few", denied_tools: ["note"] },
      ],
    },
    backends: { files: { command: backendCommand(`--offer=${JSON.stringify({ tools })}`) } },
  });
  t.after(() => gateway.stop());
  const open = (who: string, path = "/mcp") =>
    HttpClient.open(`${gateway.url}${path}`, { authorization: `Bearer ${who}-0123456789abcdef` });
  const invoke = async (client: HttpClient, tool: string): Promise<Loose> =>
    (await client.invoke("files", tool, {})).message.result;
  const walk = async (...path: string[]) => {
    const client = await open("all");
    for (const tool of path) await invoke(client, tool);
  };

  for (let session = 0; session < 3; session++) await walk("list", "read");
  assert.equal((await invoke(await open("all"), "read"))._meta?.[metaKey], undefined);
  for (let session = 0; session < 4; session++) await walk("list", "note");
  const one = await open("all");
  const result = await invoke(one, "list");
  assert.deepEqual(result._meta[metaKey], [
    { server: "files", tool: "note", confidence: 0.57 },
    { server: "files", tool: "read", confidence: 0.43 },
  ]);
  assert.equal(JSON.parse(result.content[0].text).name, "list");
  // They are signed with the rest.
  const { sig, nonce, ts } = result._meta["mcp-gateway/signature"];
  const text = signedText({ server: "files", tool: "list", nonce, ts, key_id: "k" }, result);
  assert.equal(createHmac("sha256", signing.shared_secret).update(text).digest("hex"), sig);
  assert.deepEqual((await invoke(await open("few"), "list"))._meta[metaKey], [
    { server: "files", tool: "read", confidence: 0.43 },
  ]);
  const byName = (await one.tool("list")).message.result;
  const direct = (await (await open("all", "/mcp/files")).tool("list")).message.result;
  for (const { content, _meta } of [byName, direct]) {
    assert.equal(content.length, 1);
    assert.equal(_meta?.[metaKey], undefined);
  }
});

test("B13: without the setting no answer names anything", async (t) => {
  const gateway = await startGateway({
    capabilities: { enabled: false },
    security: { firewall: { anomaly_detection: true } },
    backends: { files: { command: backendCommand(`--offer=${JSON.stringify({ tools })}`) } },
  });
  t.after(() => gateway.stop());
  for (let session = 0; session < 4; session++) {
    const client = await HttpClient.open(`${gateway.url}/mcp`);
    for (const tool of ["list", "read", "list"])
      assert.equal((await client.invoke("files", tool)).message.result._meta, undefined);
  }
});
