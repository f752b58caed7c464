/** The kill switch and what operators are told, through the meta-tools and the management API. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway } from "../e2e/harness.ts";
import { backendCommand, HttpClient, type Loose } from "./clients.ts";

const admin = { authorization: "Bearer the-operators-key" };
const nobody = { authorization: "Bearer somebody-elses-key" };

const config = {
  capabilities: { enabled: false },
  auth: {
    enabled: true,
    api_keys: [
      { key: "the-operators-key", name: "operator", admin: true },
      { key: "somebody-elses-key", name: "somebody" },
    ],
  },
  cost_governance: { enabled: true, tool_costs: { "files:*": 2 }, budgets: { daily: 100 } },
  backends: { files: { command: backendCommand('--offer={"tools":["echo"]}') } },
};

test("D5: a killed server is refused to all, by the tool and by the API, until it is revived; costs are told", async (t) => {
  const gateway = await startGateway(config);
  t.after(() => gateway.stop());
  const open = (headers: typeof admin) => HttpClient.open(`${gateway.url}/mcp`, headers);
  const [operator, somebody] = await Promise.all([open(admin), open(nobody)]);
  const run = async (client: HttpClient, name: string, args = {}): Promise<Loose> =>
    (await client.tool(name, args)).message.result;
  const json = ({ content }: Loose) => JSON.parse(content[0].text);
  const echo = () => run(somebody, "gateway_invoke", { server: "files", tool: "echo", arguments: { token: "a" } });
  const isRefused = (result: Loose) => result._meta?.["mcp-gateway/error"]?.code === "SERVER_DISABLED";
  const api = async (method: string, path: string, headers = admin, body?: object) => {
    const request = {
      method,
      headers: { ...headers, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    };
    const response = await fetch(`${gateway.url}/ui/api/${path}`, request);
    return { status: response.status, body: (await response.json()) as Loose };
  };

  assert.equal(isRefused(await echo()), false);
  assert.equal((await run(somebody, "gateway_kill_server", { server: "files" })).isError, true);
  assert.equal(isRefused(await echo()), false);

  assert.equal(json(await run(operator, "gateway_kill_server", { server: "files" })).was_already_killed, false);
  assert.equal(json(await run(operator, "gateway_kill_server", { server: "files" })).was_already_killed, true);
  assert.equal(isRefused(await echo()), true);
  const { server_safety } = json(await run(operator, "gateway_get_stats"));
  assert.deepEqual(
    server_safety.map(({ server, killed }: Loose) => ({ server, killed })),
    [{ server: "files", killed: true }],
  );
  assert.equal(json(await run(operator, "gateway_revive_server", { server: "files" })).was_killed, true);
  assert.equal(isRefused(await echo()), false);

  assert.equal((await api("POST", "backends/files/kill", nobody)).status, 403);
  assert.equal((await api("POST", "backends/nothing/kill")).status, 404);
  assert.equal((await api("POST", "backends/files/kill")).body.was_already_killed, false);
  assert.equal((await api("GET", "safety")).body.servers[0].killed, true);
  assert.equal(isRefused(await echo()), true);
  assert.equal((await api("POST", "backends/files/revive")).body.status, "revived");
  assert.equal(isRefused(await echo()), false);
  assert.deepEqual(json(await run(somebody, "gateway_list_disabled_capabilities")).disabled_capabilities, []);

  const { total_cost, budgets } = json(await run(operator, "gateway_cost_report"));
  assert.equal(total_cost, 2 * 4);
  assert.equal(budgets[0].percent, 8);
  assert.equal((await api("GET", "costs")).body.total_cost, 8);
  assert.equal((await api("POST", "quarantine/files/echo/approve")).status, 400);
  assert.equal((await api("POST", "quarantine/files/echo/approve", admin, { digest: "0" })).status, 404);
});
