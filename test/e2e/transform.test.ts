/** Tools of a backend as its operator wants them to look, in the compiled gateway. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { type GatewayProcess, serverScript, startGateway } from "./harness.ts";

let gateway: GatewayProcess;
let client: Client;

before(async () => {
  gateway = await startGateway({
    capabilities: { enabled: false },
    backends: {
      memory: {
        command: ["node", serverScript("memory")],
        env: { MEMORY_FILE_PATH: "/nonexistent/memory.jsonl" },
        transform: {
          namespace: "kb_",
          hide: ["delete_*", "create_*"],
          rename: { search_nodes: "find" },
          tools: {
            search_nodes: {
              description: "Finds what is known of a squirrel",
              arguments: { query: "squirrel" },
              response: { project: ["entities"], rename: { entities: "found" } },
            },
          },
        },
      },
    },
  });
  client = new Client({ name: "e2e", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`)) as Transport);
});
after(async () => {
  await client.close();
  await gateway.stop();
});

async function textOf(name: string, args: Record<string, unknown>): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args });
  return (content as { text: string }[]).map(({ text }) => text).join("");
}

test("what is shown, found and called is what the file says", async () => {
  const { tools } = JSON.parse(await textOf("gateway_list_tools", { server: "memory" }));
  const names = tools.map(({ name }: { name: string }) => name);
  assert.ok(names.includes("kb_find") && names.includes("kb_read_graph"), names.join());
  assert.ok(!names.some((name: string) => /delete|create/.test(name)));
  const search = await textOf("gateway_search_tools", { query: "squirrel", include_schema: true });
  assert.match(search, /kb_find/);
  assert.doesNotMatch(search, /"query": \{/);
  const found = await textOf("gateway_invoke", { server: "memory", tool: "kb_find", arguments: {} });
  assert.deepEqual(JSON.parse(found), { found: [] });
  const hidden = { server: "memory", tool: "delete_entities", arguments: { entityNames: ["x"] } };
  assert.match(await textOf("gateway_invoke", hidden), /no tool named "delete_entities"/);
});
