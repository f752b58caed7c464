/** Traces of the compiled gateway, from the client through the gateway to the server. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { startCollector } from "../fixtures/otlp-collector.ts";
import { until } from "../fixtures/processes.ts";
import { root, startGateway } from "./harness.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("a call is one trace from its client to its server; a reload switches traces off and on, and what is left is sent at the end", async (t) => {
  const collector = await startCollector();
  t.after(() => collector.close());
  const backend = join(root, "test", "fixtures", "stdio-backend.mjs");
  const gateway = await startGateway(
    {
      capabilities: { enabled: false },
      tracing: { otlp_endpoint: collector.url, headers: { authorization: "env:COLLECTOR_TOKEN" } },
      backends: { box: { command: ["node", backend] } },
    },
    { env: { COLLECTOR_TOKEN: "Bearer token-of-the-collector", OTEL_SERVICE_NAME: "gate" } },
  );
  t.after(() => gateway.stop());
  const client = new Client({ name: "e2e", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`)) as Transport);
  const args = { server: "box", tool: "echo", arguments: { text: "hello" } };
  const call = () => client.callTool({ name: "gateway_invoke", arguments: args, _meta: { traceparent } });
  // Its code is loaded beside the first requests.
  for (let count = 0; count < 3; count++) await call();
  await client.callTool({ name: "gateway_invoke", arguments: { server: "box", tool: "nothing" } });
  const reload = async (change: (text: string) => string, times: number) => {
    writeFileSync(gateway.configPath, change(readFileSync(gateway.configPath, "utf8")));
    await until(() => gateway.stderr().split("Configuration reloaded").length > times);
  };
  await reload((text) => text.replace('"tracing"', '"_tracing"'), 1);
  await until(() => collector.spans.length >= 3);
  const ofServers = collector.spans.filter(({ kind }) => kind === 2);
  const calls = ofServers.filter(({ name }) => name === "tools/call gateway_invoke");
  const traced = calls.find(({ parentSpanId }) => parentSpanId === "b7ad6b7169203331");
  assert.equal(traced?.traceId, "0af7651916cd43dd8448eb211c80319c");
  const made = collector.spans.find(({ kind, parentSpanId }) => kind === 3 && parentSpanId === traced?.spanId);
  assert.deepEqual([made?.name, made?.attributes["mcp_gateway.server"]], ["tools/call echo", "box"]);
  const failed = calls.find(({ isError }) => isError);
  assert.equal(failed?.attributes["error.type"], "TOOL_NOT_FOUND");
  assert.equal(collector.service[0], "gate");
  assert.equal(collector.headers[0]?.authorization, "Bearer token-of-the-collector");
  assert.doesNotMatch(collector.text(), /hello/);
  const before = collector.spans.length;
  await call();
  await reload((text) => text.replace('"_tracing"', '"tracing"'), 2);
  await client.close();
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`)) as Transport);
  await call();
  await client.close();
  await gateway.stop();
  const after = collector.spans.slice(before).filter(({ name }) => name.startsWith("tools/call"));
  assert.equal(after.length, 2, "the request and its call, and nothing of the time it was switched off");
  assert.doesNotMatch(gateway.stderr(), /token-of-the-collector/);
});
