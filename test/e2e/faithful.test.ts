/** What passes through the executable arrives as it was sent, from the first session on and after a restart. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { page, result, tool } from "../fixtures/literal-backend.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { type GatewayProcess, startGateway } from "./harness.ts";

const config = {
  capabilities: { enabled: false },
  meta_mcp: { surfaced_tools: [{ server: "literal", tool: "special" }] },
  backends: { literal: { command: scriptArgv("literal-backend.ts") } },
};

let gateway: GatewayProcess;
before(async () => {
  gateway = await startGateway(config, { args: ["--log-format", "json"] });
});
after(() => gateway?.stop());

/** Opens a session; requests are given and answered as text. */
async function session(path: string): Promise<(method: string, params: string) => Promise<string>> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  const post = (body: string) => fetch(`${gateway.url}${path}`, { method: "POST", headers, body });
  const opened = await post(
    '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}',
  );
  await opened.text();
  headers["mcp-session-id"] = opened.headers.get("mcp-session-id") ?? "";
  return async (method, params) => {
    const response = await post(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`);
    return response.text();
  };
}

const envelope = (text: string) => `{"jsonrpc":"2.0","id":1,"result":${text}}`;

// First in the file: the gateway never saw the server before.
test("the first list of the first session has the surfaced tool, and claims no number it does not know", async () => {
  const ask = await session("/mcp");
  const list = await ask("tools/list", "{}");
  assert.ok(list.includes(tool), list);
  assert.doesNotMatch(list, /\b0 tools/);
});

test("results, resources and listed tools are byte-equal on /mcp/{backend}, through gateway_invoke and surfaced", async () => {
  const alone = await session("/mcp/literal");
  const all = await session("/mcp");
  assert.equal(await alone("tools/call", '{"name":"special"}'), envelope(result));
  assert.equal(await all("tools/call", '{"name":"special"}'), envelope(result));
  const invoke = '{"name":"gateway_invoke","arguments":{"server":"literal","tool":"special"}}';
  assert.equal(await all("tools/call", invoke), envelope(result));
  for (const ask of [alone, all]) assert.equal(await ask("resources/read", '{"uri":"ui://app"}'), envelope(page));
  assert.ok((await alone("tools/list", "{}")).includes(tool));
});

test("arguments keep every digit, on every way in", async () => {
  const args = '{"id":12345678901234567890,"ids":[-9223372036854775808],"ratio":0.1}';
  const got = (text: string) =>
    (JSON.parse(text) as { result: { content: [{ text: string }] } }).result.content[0].text;
  const alone = await session("/mcp/literal");
  const all = await session("/mcp");
  const invoke = (given: string) =>
    all(
      "tools/call",
      `{"name":"gateway_invoke","arguments":{"server":"literal","tool":"params","arguments":${given}}}`,
    );
  for (const answer of [
    await alone("tools/call", `{"name":"params","arguments":${args}}`),
    await invoke(args),
    await invoke(JSON.stringify(args)),
  ])
    assert.ok(got(answer).includes(`"arguments":${args}`), answer);
});

test("a failed call is in the log under the request id of its answer", async () => {
  const ask = await session("/mcp");
  const text = await ask("tools/call", '{"name":"gateway_invoke","arguments":{"server":"literal","tool":"fail"}}');
  const { _meta } = JSON.parse(text).result;
  const id = _meta["mcp-gateway/error"].request_id;
  const lineOf = () =>
    gateway
      .stderr()
      .split("\n")
      .find((one) => one.includes(`"request_id":"${id}"`));
  for (let tries = 0; tries < 100 && lineOf() === undefined; tries++) await sleep(20);
  const line = lineOf();
  assert.ok(line !== undefined, gateway.stderr());
  const { level, server, tool: called, code } = JSON.parse(line);
  assert.deepEqual([level, server, called, code], ["warn", "literal", "fail", "UPSTREAM_CLOSED"]);
});
