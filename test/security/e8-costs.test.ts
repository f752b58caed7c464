/** Budgets as callers meet them, over restarts and edits (T25). */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startGateway } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { backendCommand, HttpClient, type Loose } from "./clients.ts";

const codeOf = ({ message }: { message: Loose }): string | undefined =>
  message.result?._meta?.["mcp-gateway/error"]?.code;

const config = {
  capabilities: { enabled: false },
  auth: {
    enabled: true,
    api_keys: ["one", "two"].map((name) => ({ key: `key-number-${name}`, name })),
  },
  cost_governance: { enabled: true, tool_costs: { "files:*": 1 }, budgets: { daily: 5, per_key: { one: 2 } } },
  backends: { files: { command: backendCommand('--offer={"tools":["echo"]}') } },
};

test("T25: one key's budget ends its calls alone, the day's ends all, a restart forgets nothing, an edit is live", async (t) => {
  const gateway = await startGateway(config);
  t.after(() => gateway.stop());
  const open = (url: string, name: string) =>
    HttpClient.open(`${url}/mcp/files`, { authorization: `Bearer key-number-${name}` });
  const [one, two] = await Promise.all([open(gateway.url, "one"), open(gateway.url, "two")]);
  const first = await one.tool("echo", { token: "a" });
  assert.equal(first.message.result._meta, undefined);
  const second = await one.tool("echo", { token: "a" });
  assert.match(second.message.result._meta["mcp-gateway/cost"].warnings[0], /^100 % of the budget of key "one"/);
  assert.equal(codeOf(await one.tool("echo")), "BUDGET_EXCEEDED");
  for (let count = 0; count < 2; count++) assert.equal(codeOf(await two.tool("echo", { token: "b" })), undefined);
  await until(() => existsSync(join(gateway.folder, "state/costs.json")), 10_000);
  const state = join(gateway.folder, "state");
  const saved = () => JSON.parse(readFileSync(join(state, "costs.json"), "utf8")).days.at(-1).total;
  const dead = new Promise((resolve) => gateway.child.on("exit", resolve));
  await until(() => saved().calls === 4, 10_000);
  gateway.child.kill("SIGKILL");
  await dead;

  const again = await startGateway(config, { env: { MCP_GATEWAY_CONFIG_DIR: state } });
  t.after(() => again.stop());
  const [third, fourth] = await Promise.all([open(again.url, "one"), open(again.url, "two")]);
  assert.equal(codeOf(await third.tool("echo")), "BUDGET_EXCEEDED");
  assert.equal(codeOf(await fourth.tool("echo", { token: "c" })), undefined);
  assert.equal(codeOf(await fourth.tool("echo")), "BUDGET_EXCEEDED");
  await until(() => again.stderr().includes("A budget is used up"));
  const cost_governance = { ...config.cost_governance, budgets: { daily: 50 } };
  const server = { host: "127.0.0.1", port: again.port };
  writeFileSync(again.configPath, JSON.stringify({ ...config, server, cost_governance }));
  await until(() => again.stderr().includes("Configuration reloaded"));
  assert.equal(codeOf(await third.tool("echo", { token: "d" })), undefined);
});
