import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { httpClient } from "./client.ts";
import { eventually, rawBackend, withGateway } from "./gateway.ts";

const budget = { window: "1m", cool_down: "500ms" };

describe("error budgets", () => {
  test("a tool that never answers is left alone for a while, its neighbours are not, and it is tried again", () =>
    withGateway(
      {
        failsafe: { retry: { enabled: false }, circuit_breaker: { enabled: false }, tool_error_budget: budget },
        backends: { rude: { ...rawBackend(), timeout: "50ms" } },
      },
      async (gateway) => {
        const client = await httpClient(gateway, "/mcp/rude");
        assert.equal((await client.call("echo", { text: "a" })).text, "a");
        for (let count = 0; count < 5; count++) assert.equal((await client.call("sleep", { ms: 400 })).code, "TIMEOUT");
        assert.equal((await client.call("sleep", { ms: 1 })).code, "TOOL_RESTING");
        assert.equal((await client.call("echo", { text: "b" })).text, "b");
        await eventually(
          () => client.call("sleep", { ms: 1 }),
          ({ code }) => code === undefined,
        );
        assert.match(
          gateway.stderr(),
          /Most calls of a tool fail: it is left alone server=rude tool=sleep error_rate=1/,
        );
      },
    ));

  test("a server whose calls fail at every tool is switched off for a while, and says so in the list of servers", () =>
    withGateway(
      {
        failsafe: {
          retry: { enabled: false },
          circuit_breaker: { enabled: false },
          tool_error_budget: { enabled: false },
          error_budget: { ...budget, min_calls: 3 },
        },
        backends: { rude: { ...rawBackend(), timeout: "50ms" } },
      },
      async (gateway) => {
        const client = await httpClient(gateway);
        for (let count = 0; count < 3; count++) await client.invoke("rude", "sleep", { ms: 400 });
        assert.equal((await client.invoke("rude", "echo", { text: "a" })).code, "SERVER_DISABLED");
        const { text } = await client.call("gateway_list_servers");
        assert.match(text, /"name": ?"rude"[^}]*"status": ?"disabled"/);
        await eventually(
          () => client.invoke("rude", "echo", { text: "b" }),
          ({ text: answer }) => answer === "b",
        );
      },
    ));
});
