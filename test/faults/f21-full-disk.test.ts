import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { binaryPath, type GatewayOptions, type GatewayProcess } from "../e2e/harness.ts";
import { type Client, httpClient } from "./client.ts";
import { eventually, health, rawBackend, withGateway } from "./gateway.ts";

const config = { backends: { plain: rawBackend() } };

/** Whatever the disk does, clients notice nothing. */
async function serves(gateway: GatewayProcess): Promise<Client> {
  const client = await httpClient(gateway);
  assert.equal((await client.invoke("plain", "echo", { text: "served" })).text, "served");
  const found = await client.call("gateway_search_tools", { query: "echo" });
  assert.match(found.text, /"tool": ?"echo"/);
  return client;
}

async function shows(gateway: GatewayProcess, reason: RegExp): Promise<void> {
  const { status } = await eventually(
    () => health(gateway),
    ({ degraded }) => degraded.some((one) => reason.test(one)),
  );
  assert.equal(status, "degraded");
  const response = await fetch(`http://127.0.0.1:${gateway.port}/readiness`);
  assert.equal(response.status, 200, "it is as ready as ever");
}

/** Everything below the catalog directory, each file as one that parses. */
function saved(state: string): Record<string, string> {
  const directory = join(state, "catalog");
  const files = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), "utf8")] as const);
  for (const [, text] of files) JSON.parse(text);
  return Object.fromEntries(files);
}

/** The same, nothing while the directory is not there yet or a file of it is being replaced. */
function savedSoFar(state: string): Record<string, string> {
  try {
    return saved(state);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return {};
    throw error;
  }
}

const inState = (state: string): GatewayOptions => ({ env: { MCP_GATEWAY_CONFIG_DIR: state } });
/** Starts the gateway from a shell that has done something to itself. */
const shell = (preparation: string): string[] => ["/bin/sh", "-c", `${preparation}; exec "$@"`, "sh", binaryPath];

describe("F21 state that cannot be written", () => {
  test("a directory that cannot be made: serving goes on, /health says what is missing", () =>
    withGateway(
      config,
      async (gateway) => {
        await serves(gateway);
        await shows(gateway, /Tool lists cannot be saved: .*ENOTDIR/);
        await shows(gateway, /Sessions cannot be saved: .*ENOTDIR/);
      },
      inState("/dev/null/state"),
    ));

  test("a file that may not grow: the old one stays whole, nothing half-written is left", async () => {
    const state = mkdtempSync(join(tmpdir(), "mcp-gateway-state-"));
    try {
      await withGateway(
        config,
        async (gateway) => {
          await serves(gateway);
          await gateway.stop();
        },
        inState(state),
      );
      const before = saved(state);
      assert.equal(Object.keys(before).length, 1);
      const limited = { ...inState(state), command: shell("trap '' XFSZ; ulimit -f 1") };
      await withGateway(
        config,
        async (gateway) => {
          const client = await serves(gateway);
          assert.equal((await client.invoke("plain", "changed", { add: "later" })).text, "told");
          await shows(gateway, /Tool lists cannot be saved: .*EFBIG/);
          await serves(gateway);
          assert.equal((await client.invoke("plain", "later", { text: "known" })).text, "known");
          assert.deepEqual(saved(state), before);
        },
        limited,
      );
      // What the next start reads is the old list, not a broken one.
      await withGateway(config, serves, inState(state));
    } finally {
      rmSync(state, { recursive: true, force: true });
    }
  });

  const mount = (...args: string[]) => execFileSync("mount", args, { stdio: "ignore" });
  test("a disk that is full, then read-only, then well: the flag comes and goes, no write is lost for good", async (t) => {
    const state = mkdtempSync(join(tmpdir(), "mcp-gateway-state-"));
    try {
      mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", state);
    } catch {
      rmSync(state, { recursive: true });
      return t.skip("this user may not mount a small file system");
    }
    try {
      await withGateway(
        config,
        async (gateway) => {
          const client = await serves(gateway);
          const healthy = () =>
            eventually(
              () => health(gateway),
              ({ status, degraded }) => status === "healthy" && degraded.length === 0,
            );
          await eventually(
            () => savedSoFar(state),
            (files) => Object.keys(files).length === 1,
          );
          // What is being replaced right now would give its room back once the disk is full.
          await new Promise((resolve) => setTimeout(resolve, 300));
          const before = saved(state);
          assert.throws(() => writeFileSync(join(state, "filler"), Buffer.alloc(1_000_000)), /ENOSPC/);
          await client.invoke("plain", "changed", { add: "whileFull" });
          await shows(gateway, /ENOSPC/);
          assert.deepEqual(saved(state), before);

          rmSync(join(state, "filler"));
          await client.invoke("plain", "changed");
          await healthy();
          assert.match(JSON.stringify(saved(state)), /whileFull/);

          mount("-o", "remount,ro", state);
          await client.invoke("plain", "changed", { add: "whileReadOnly" });
          await shows(gateway, /EROFS/);
          await serves(gateway);
          mount("-o", "remount,rw", state);
          await client.invoke("plain", "changed");
          await healthy();
          assert.match(JSON.stringify(saved(state)), /whileReadOnly/);
        },
        inState(state),
      );
    } finally {
      execFileSync("umount", ["-l", state]);
      rmSync(state, { recursive: true });
    }
  });
});

describe("F21 log that cannot be written", () => {
  const ways: Record<string, { options?: GatewayOptions; begin?(gateway: GatewayProcess): void }> = {
    "to a full disk": { options: { command: shell("exec 2>/dev/full") } },
    "to nowhere": { options: { command: shell("exec 2>&-") } },
    "to a reader that stopped reading": { begin: ({ child }) => void child.stderr!.removeAllListeners("data").pause() },
    "to a reader that went away": { begin: ({ child }) => void child.stderr!.destroy() },
  };
  for (const [way, { options = {}, begin }] of Object.entries(ways))
    test(`${way}: serving goes on, the end is in good order`, () =>
      withGateway(
        config,
        async (gateway) => {
          begin?.(gateway);
          const client = await serves(gateway);
          // More than a pipe holds.
          await client.invoke("plain", "mutter", { bytes: 1_000_000 });
          await serves(gateway);
          assert.equal(await gateway.stop(), 0);
        },
        { ...options, args: ["--log-level", "debug"] },
      ));
});
