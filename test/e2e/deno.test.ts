/** The same source under Deno: run from source, and compiled by it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { root, serverScript, startGateway } from "./harness.ts";
import { peers } from "./peers.ts";

const deno = process.env["DENO_BINARY"] ?? join(root, "node_modules", ".bin", "deno");
const main = join(root, "src", "main.ts");
const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-deno-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function servesEverything(command: string[]): Promise<void> {
  const everything = { command: ["node", serverScript("everything"), "stdio"] };
  const gateway = await startGateway({ backends: { everything } }, { command, startTimeoutMs: 60_000 });
  try {
    const peer = await peers["SDK client v1"]!({ url: `${gateway.url}/mcp` });
    const args = { server: "everything", tool: "echo", arguments: { message: "from Deno" } };
    const result = await peer.callTool("gateway_invoke", args);
    await peer.close();
    assert.deepEqual(result.content, [{ type: "text", text: "Echo: from Deno" }]);
  } finally {
    assert.equal(await gateway.stop(), 0, gateway.stderr());
  }
}

function compile(output: string, env: Record<string, string> = {}): { ok: boolean; log: string } {
  const args = [
    "compile",
    "-A",
    "--no-check",
    "--include",
    "capabilities",
    "--include",
    "ui",
    "--include",
    "src/sandbox/program-worker.ts",
    "--output",
    output,
    main,
  ];
  const result = spawnSync(deno, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  return { ok: result.status === 0, log: result.stdout + result.stderr };
}

test("deno run: serves the same gateway", () => servesEverything([deno, "run", "-A", main]));

// Deno downloads the run-time part of what it compiles (denort), and no package registry has it. Where it cannot be had,
// everything up to it is still shown: the program resolves whole and is packed, with its files, behind another base.
test("deno compile: packs the whole program, and where its run-time part can be had it serves the same gateway", async (t) => {
  const native = compile(join(folder, "native"));
  const { ok, log } =
    !native.ok && /denort/.test(native.log) ? compile(join(folder, "packed"), { DENORT_BIN: deno }) : native;
  assert.ok(ok, log);
  assert.match(log, /main\.ts/);
  if (native.ok) await servesEverything([join(folder, "native")]);
  else t.diagnostic("Deno's run-time part cannot be downloaded here: the program was packed, not run");
});
