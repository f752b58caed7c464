import assert from "node:assert/strict";
import { test } from "node:test";
import type { Findings } from "../../src/config/backends.ts";
import { readSettings } from "../../src/config/load.ts";
import { needsRules } from "../../src/config/needs-rules.ts";
import { checkRules } from "../../src/config/rules.ts";
import { loadText } from "./fixture.ts";

const plain = `
server: {host: 127.0.0.1, port: 1, request_timeout: 5s, shutdown_timeout: 5s, max_body_size: 10}
meta_mcp: {enabled: true, cache_tools: true, cache_ttl: 300s, max_result_size: 5000}
capabilities: {enabled: true, directories: [capabilities]}
failsafe: {retry: {enabled: false}}
streaming: {enabled: true}
code_mode: {enabled: false}
playbooks: {enabled: false}
backends:
  files: {command: npx server, args: [x], description: d, env: {A: b}, cwd: /, timeout: 5s, start_timeout: 5s, enabled: true}
  web: {http_url: "https://h/mcp", headers: {a: b}, max_result_size: 5, failsafe: {rate_limit: {enabled: false}}}
`;

test("needsRules: a file of servers has nothing the rules are about, and they find nothing in it", async (t) => {
  for (const text of ["", "server: {port: 1}", plain]) {
    assert.equal(needsRules(await readSettings(text, "gateway.yaml")), false, text);
    const { config } = await loadText(t, text);
    const found: Findings = { problems: [], warnings: [] };
    checkRules(config as never, [], found);
    assert.deepEqual(found, { problems: [], warnings: [] });
  }
});

const unusual = [
  "server: {host: 0.0.0.0}",
  "server: {ws_port: 1}",
  "server: {public_url: x}",
  "server: 5",
  "auth: {enabled: true}",
  "routing_profiles: {a: {}}",
  "default_routing_profile: a",
  "meta_mcp: {warm_start: [a]}",
  "meta_mcp: {surfaced_tools: []}",
  "meta_mcp: {operator_tools: [x]}",
  "capabilities: {name: files}",
  "security: {firewall: {rules: []}}",
  "webhooks: {base_path: /mcp}",
  "unknown: {}",
  "backends: {a/b: {command: x}}",
  "backends: {gateway: {command: x}}",
  'backends: {"": {command: x}}',
  "backends: {a: {}}",
  "backends: {a: 5}",
  "backends: {a: {comand: x}}",
  "backends: {a: {command: x, http_url: http://h}}",
  "backends: {a: {http_url: h}}",
  "backends: {a: {http_url: ws://h}}",
  "backends: {a: {http_url: http://h, args: [x]}}",
  "backends: {a: {a2a_url: http://h}}",
  "backends: {a: {command: x, stop_when_idle_for: 5s}}",
  "backends: {a: {command: x, runtime_profile: p}}",
  "backends: {a: {replicas: [{command: x}]}}",
];
for (const text of unusual)
  test(`needsRules: ${text}`, async () => assert.equal(needsRules(await readSettings(text, "gateway.yaml")), true));
