import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSettings } from "../../src/config/check.ts";
import { knownServerEntry, knownServers, requiredVariables } from "../../src/setup/known-servers.ts";

test("knownServers: 48, each a valid entry of which nothing is left out when its variables are set", async () => {
  assert.equal(Object.keys(knownServers).length, 48);
  for (const [name, server] of Object.entries(knownServers)) {
    const env = Object.fromEntries(requiredVariables(server).map((variable) => [variable, "set"]));
    const settings = { backends: { [name]: knownServerEntry(server) } };
    const checked = await checkSettings(settings, { env, toAbsolute: async (path) => path, strict: true });
    assert.deepEqual([name, checked.problems, checked.warnings], [name, [], []]);
  }
});

test("requiredVariables: what has a default, or is there twice, need not be provided again", () => {
  assert.deepEqual(requiredVariables(knownServers["github"]!), ["GITHUB_TOKEN"]);
  assert.deepEqual(requiredVariables(knownServers["cloudflare-workers"]!), [
    "CLOUDFLARE_ACCOUNT_ID",
    "CLOUDFLARE_API_TOKEN",
  ]);
  assert.deepEqual(requiredVariables(knownServers["qdrant"]!), []);
});
