import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSessionStore } from "../../src/gateway/session-store.ts";
import { systemClock } from "../../src/lib/clock.ts";

test("createSessionStore gives back everything a session is, its routing profile and its state included", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-sessions-"));
  try {
    const saved = {
      principal: "key:1",
      backend: undefined,
      protocolVersion: "2025-11-25",
      clientInfo: { name: "c" },
      clientCapabilities: { roots: {} },
      profile: "reader",
      state: "checkout",
      logLevel: "debug",
      seenAt: 5,
      watches: [{ server: "files", uri: "a:b", shownAs: "a:b" }],
    } as const;
    const store = createSessionStore(folder, systemClock, (error) => assert.fail(String(error)));
    store.save("one", saved);
    store.save("two", { ...saved, profile: undefined });
    await store.flush();
    const again = createSessionStore(folder, systemClock, (error) => assert.fail(String(error)));
    assert.deepEqual(await again.load("one"), saved);
    assert.equal((await again.load("two"))?.profile, undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
