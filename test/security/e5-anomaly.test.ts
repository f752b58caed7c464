/** Calls that hardly any session makes after the one before, on the compiled gateway. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type GatewayProcess, startGateway, writeConfig } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { backendCommand, HttpClient, initializeMessage, type Loose, StdioClient, toolCall } from "./clients.ts";

const offer = `--offer=${JSON.stringify({ tools: ["list", "read", "send"] })}`;
const configured = (firewall: object) => ({
  capabilities: { enabled: false },
  failsafe: { rate_limit: { enabled: false } },
  security: { firewall: { audit_log: "audit.jsonl", anomaly_detection: true, ...firewall } },
  backends: { files: { command: backendCommand("--record=record.jsonl", offer) } },
});

let gateway: GatewayProcess;
before(async () => {
  gateway = await startGateway(configured({}));
});
after(() => gateway?.stop());

function linesOf(name: string): Loose[] {
  const path = join(gateway.folder, name);
  const text = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line));
}

/** A new session that calls these tools; the last reply. */
async function walk(path: string, ...tools: string[]): Promise<Loose> {
  const client = await HttpClient.open(`${gateway.url}${path}`);
  let reply: Loose;
  for (const tool of tools)
    reply = await (path === "/mcp" ? client.invoke("files", tool, {}) : client.tool(tool)).then(
      ({ message }) => message,
    );
  return reply.result;
}
const codeOf = (result: Loose) => result._meta?.["mcp-gateway/error"]?.code;

test("E5: nothing is unusual before it is learned, and one busy session teaches nothing", async () => {
  const tools = Array.from({ length: 40 }, () => ["list", "send"]).flat();
  await walk("/mcp/files", ...tools);
  await walk("/mcp/files", "list", "read");
  for (let session = 0; session < 24; session++) await walk(session % 2 ? "/mcp" : "/mcp/files", "list", "read");
  assert.deepEqual(linesOf("audit.jsonl"), []);
});

test("E5: an odd step is reported with its score, and the call is made", async () => {
  assert.equal(codeOf(await walk("/mcp", "list", "send")), undefined);
  await until(() => linesOf("audit.jsonl").length > 0);
  const [{ event, server, tool, action, findings, anomaly_score }, ...more] = linesOf("audit.jsonl");
  assert.deepEqual(more, []);
  const where = "the step from files:list";
  assert.deepEqual(
    { event, server, tool, action, findings, anomaly_score },
    {
      event: "firewall_request",
      server: "files",
      tool: "send",
      action: "warn",
      findings: [{ kind: "anomaly", rule: "unusual-step", severity: "medium", where }],
      anomaly_score: 0.71,
    },
  );
  await until(() => /Firewall flagged a request.*anomaly_score/.test(gateway.stderr()));
});

test("E5: with the other threshold it is refused on every way to a tool, and refusals teach nothing", async () => {
  const file = JSON.parse(readFileSync(gateway.configPath, "utf8"));
  const { security } = configured({ anomaly_block_threshold: 0.7 });
  writeFileSync(gateway.configPath, JSON.stringify({ ...file, security }));
  await until(() => gateway.stderr().includes("Configuration reloaded"));
  const calls = () => linesOf("record.jsonl").filter(({ method }) => method === "tools/call").length;
  for (const path of ["/mcp", "/mcp/files", "/mcp", "/mcp/files"]) {
    const before = calls();
    const result = await walk(path, "list", "send", "send");
    assert.equal(codeOf(result), "FIREWALL_BLOCKED");
    assert.match(JSON.stringify(result), /security\.firewall\.anomaly_block_threshold/);
    assert.equal(calls(), before + 1);
    assert.equal(codeOf(await walk(path, "list", "read")), undefined);
  }
  await until(() => linesOf("audit.jsonl").filter(({ action }) => action === "block").length === 8);
});

test("E5: what was learned outlives the gateway, also on stdio", async () => {
  const { folder, configPath } = writeConfig(configured({ anomaly_block_threshold: 0.9 }));
  const state = join(folder, "state", "tool-steps.json");
  mkdirSync(join(folder, "state"));
  writeFileSync(state, JSON.stringify({ version: 1, steps: { "files:list": { "files:read": 99 } } }));
  const client = new StdioClient(configPath, folder);
  await client.ask(initializeMessage(0), 0);
  const call = async (id: number, tool: string) =>
    codeOf((await client.ask(toolCall(id, "gateway_invoke", { server: "files", tool, arguments: {} }), id)).result);
  assert.equal(await call(1, "list"), undefined);
  assert.equal(await call(2, "send"), "FIREWALL_BLOCKED");
  assert.equal(await call(3, "read"), undefined);
  assert.equal(await client.stop(), 0);
  assert.deepEqual(JSON.parse(readFileSync(state, "utf8")).steps, { "files:list": { "files:read": 100 } });
});

test("E5: where it is off nothing is learned or written", async () => {
  const { folder, configPath } = writeConfig(configured({ anomaly_detection: false }));
  const client = new StdioClient(configPath, folder);
  await client.ask(initializeMessage(0), 0);
  for (const [id, tool] of [
    [1, "list"],
    [2, "read"],
  ] as const)
    await client.ask(toolCall(id, "gateway_invoke", { server: "files", tool, arguments: {} }), id);
  assert.equal(await client.stop(), 0);
  assert.equal(existsSync(join(folder, "state", "tool-steps.json")), false);
});
