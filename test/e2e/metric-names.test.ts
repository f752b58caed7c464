/** The gateway has the metrics that the alert rules and the dashboard ask for (`deploy/monitoring`). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { metricLabels } from "../fixtures/metric-labels.ts";
import { serverScript, startGateway } from "./harness.ts";

test("/metrics: has every metric of the dashboard, under the labels it is asked for by", async (t) => {
  const backends = { everything: { command: [process.execPath, serverScript("everything"), "stdio"] } };
  const gateway = await startGateway({ backends });
  t.after(() => gateway.stop());
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  const post = async (method: string, params: object) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const response = await fetch(`${gateway.url}/mcp`, { method: "POST", headers, body });
    headers["mcp-session-id"] ??= response.headers.get("mcp-session-id") ?? "";
    assert.match(await response.text(), /"result"/);
  };
  const clientInfo = { name: "test", version: "1" };
  await post("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
  const call = { server: "everything", tool: "echo", arguments: { message: "x" } };
  await post("tools/call", { name: "gateway_invoke", arguments: call });
  await post("tools/call", { name: "gateway_search_tools", arguments: { query: "echo" } });
  const response = await fetch(`${gateway.url}/metrics`);
  const text = await response.text();
  for (const [name, labels] of Object.entries(metricLabels)) {
    if (name === "up") continue;
    const sample = new RegExp(`^${name}(?:_bucket)?(?:\\{(.*)\\})? [\\d.e+-]+$`, "m").exec(text);
    assert.ok(sample, `"${name}" is not in\n${text}`);
    const found = Array.from((sample[1] ?? "").matchAll(/(\w+)="/g), ([, label]) => label);
    assert.deepEqual(found.sort(), [...labels].sort(), name);
  }
});
