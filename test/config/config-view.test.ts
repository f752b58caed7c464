import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { configView } from "../../src/config/config-view.ts";
import { loadConfig } from "../../src/config/load.ts";

const file = `
auth:
  enabled: true
  bearer_token: canary-1
  api_keys: [{ key: "env:KEY", name: ci, rate_limit: 5 }]
failsafe: { retry: { initial_backoff: 250ms } }
backends:
  one:
    command: [run, --port, "80"]
    env: { HARMLESS: canary-3 }
    timeout: 90s
  two: { http_url: "http://example.com", headers: { X: canary-4 } }
key_server: { admin_token: canary-5, token_ttl_secs: 60 }
security: { message_signing: { shared_secret: canary-6, key_id: canary-7 } }
`;

test("configView: durations as the file has them, every secret hidden, the rest as it is", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-view-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "gateway.yaml");
  writeFileSync(path, file);
  const { config } = await loadConfig({ path, env: { KEY: "canary-2" }, cwd: folder });
  const view = JSON.parse(JSON.stringify(await configView(config, (text) => text.replace("80", "redacted"))));
  assert.ok(!JSON.stringify(view).includes("canary"), JSON.stringify(view, null, 1));
  assert.deepEqual(view.auth.api_keys[0].name, "ci");
  assert.equal(view.failsafe.retry.initial_backoff, "250ms");
  assert.equal(view.backends.one.timeout, "90s");
  assert.deepEqual(view.backends.one.command, ["run", "--port", "redacted"]);
  assert.deepEqual(Object.keys(view.backends.one.env), ["HARMLESS"], "that there is one may be known");
  assert.equal(view.key_server.token_ttl_secs, 60);
});
