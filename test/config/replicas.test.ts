import assert from "node:assert/strict";
import { test } from "node:test";
import { replicasOf } from "../../src/config/replicas.ts";
import type { BackendConfig } from "../../src/config/schema.ts";
import { knownSecrets } from "../../src/gateway/known-secrets.ts";
import { findings, loadText } from "./fixture.ts";

test("replicas: each is the backend with its own address, and inherits the rest", async (t) => {
  const { config, warnings } = await loadText(
    t,
    `
backends:
  search:
    env: { A: shared, B: shared }
    headers: { X-Team: red }
    cwd: sub
    timeout: 5s
    stop_when_idle_for: 1m
    replicas:
      - command: node server.js "with space"
        args: [--port, "$PORT_HERE"]
        env: { B: own }
        cwd: other
      - { url: "http://user:secret@10.0.0.1:3000/mcp", weight: 50, headers: { X-Own: "1" } }
      - { http_url: "http://10.0.0.1:3000/other" }
      - { id: four, http_url: "unix:///run/four.sock" }
`.replace("$PORT_HERE", () => "$" + "{PORT}"),
    { env: { PORT: "1 2" } },
  );
  assert.deepEqual(
    warnings.filter((line) => !line.includes('is read as "http_url"')),
    [],
  );
  const backend = config.backends["search"] as BackendConfig;
  assert.deepEqual(backend.load_balancing, { strategy: "round_robin", failure_threshold: 3, reset_timeout: 10_000 });
  const [node, first, second, socket] = replicasOf(backend);
  assert.deepEqual(
    replicasOf(backend).map(({ id, address, weight }) => [id, address, weight]),
    [
      ["node", "node", 100],
      ["10.0.0.1:3000", "http://10.0.0.1:3000", 50],
      ["10.0.0.1:3000-2", "http://10.0.0.1:3000", 100],
      ["four", "unix:///run/four.sock", 100],
    ],
  );
  assert.deepEqual(node?.backend.command, ["node", "server.js", "with space", "--port", "1 2"]);
  assert.deepEqual(node?.backend.env, { A: "shared", B: "own" });
  assert.match(node?.backend.cwd ?? "", /other$/);
  assert.match(first?.backend.cwd ?? "", /sub$/);
  assert.deepEqual(first?.backend.headers, { "X-Team": "red", "X-Own": "1" });
  assert.deepEqual([node?.backend.stop_when_idle_for, first?.backend.stop_when_idle_for], [60_000, undefined]);
  assert.deepEqual(
    [second?.backend.timeout, second?.backend.name, socket?.backend.replicas],
    [5_000, "search", undefined],
  );
  assert.ok([...knownSecrets(config, {})].includes("secret"));
});

test("replicas: what is wrong is said at its place", async (t) => {
  const text = (lines: string) => `backends:\n  search:\n${lines}`;
  const said = async (lines: string) => (await findings(t, text(lines))).join("\n");
  assert.match(
    await said("    replicas:\n      - htp_url: http://x/mcp"),
    /:4:9 +backends\.search\.replicas\[0\] needs one of "command", "http_url" or "a2a_url": did you mean "http_url" for "htp_url"\?/,
  );
  assert.match(
    await said("    replicas:\n      - { http_url: http://x/mcp, wieght: 3 }"),
    /replicas\[0\]\.wieght is not a known setting: did you mean "weight"\?/,
  );
  assert.match(
    await said("    replicas: [{ command: a, http_url: http://x/mcp }]"),
    /replicas\[0\] has "command" and "http_url": keep one of them/,
  );
  assert.match(await said("    replicas: []"), /replicas must be a list with at least one entry/);
  assert.match(await said("    replicas: [{ http_url: nowhere }]"), /replicas\[0\]\.http_url must be an address/);
  assert.match(
    await said("    command: a\n    replicas: [{ command: b }]"),
    /backends\.search has "command" and "replicas": keep one of them/,
  );
  assert.match(
    await said("    command: a\n    load_balancing: { strategy: round_robin }"),
    /load_balancing works only with "replicas"/,
  );
  assert.match(
    await said("    replicas: [{ command: b }]\n    load_balancing: { strategy: round-robin }"),
    /load_balancing\.strategy must be one of .*did you mean "round_robin"\?/,
  );
  assert.match(
    await said("    replicas: [{ id: a, command: b }, { id: a, command: c }]"),
    /replicas\[1\]\.id is the name of another replica: "a"/,
  );
  assert.match(
    await said("    replicas: [{ command: b, weight: 0 }]"),
    /weight must be a whole number of at least 1, not 0/,
  );
  assert.match(
    await said("    replicas: [{ http_url: http://x/mcp, args: [a] }]"),
    /replicas\[0\]\.args works only with/,
  );
  assert.match(await said("    args: [a]\n    replicas: [{ command: b }]"), /search\.args works only with "command"/);
  assert.match(
    await said("    stop_when_idle_for: 1m\n    replicas: [{ http_url: http://x/mcp }]"),
    /stop_when_idle_for works only with "command"/,
  );
  assert.match(
    await said("    replicas: [{ command: 'a \"b' }]"),
    /replicas\[0\]\.command has a quote \("\) at character 3 that is never closed/,
  );
  assert.match(await said("    replicas:\n      - command: a $" + "{NOT_SET_HERE}"), /replicas\[0\]\.command uses/);
});

test("replicas: what needs an address or a program asks for it in each of them", async (t) => {
  const said = async (entry: object) => (await findings(t, JSON.stringify({ backends: { search: entry } }))).join("\n");
  const replicas = [{ http_url: "http://x/mcp" }, { command: "a" }];
  const secret = { name: "s", value: "long-enough-secret", inject_as: "header", inject_key: "x-key" };
  assert.match(await said({ replicas, secrets: [secret] }), /secrets\[0\]\.inject_as works only with "http_url"/);
  assert.equal(await said({ replicas: replicas.slice(0, 1), secrets: [secret] }), "");
  assert.match(await said({ replicas, a2a_agent_card_path: "/card" }), /a2a_agent_card_path works only with "a2a_url"/);
  assert.equal(await said({ replicas: [{ a2a_url: "http://x/" }], a2a_agent_card_path: "/card" }), "");
});
