/** `npm start` as a newcomer runs it, on another port. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { freePort, root } from "./harness.ts";
import { peers } from "./peers.ts";

test("npm start: serves three real servers, prints how to connect, ends with the signal", async () => {
  const port = await freePort();
  const child = spawn("node", [join(root, "deploy", "start.mjs"), "--port", String(port)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise<number | null>((resolve) => child.on("exit", resolve));
  let output = "";
  const announced = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (output.includes("Ctrl-C stops it")) resolve();
    });
    child.on("exit", () => reject(new Error(`npm start ended early:\n${output}`)));
  });
  try {
    await announced;
    const url = `http://localhost:${port}/mcp`;
    assert.ok(output.includes(`claude mcp add --transport http gateway ${url}`), output);
    assert.ok(output.includes(`{"mcpServers":{"gateway":{"type":"http","url":"${url}"}}}`), output);
    const peer = await peers["SDK client v1"]!({ url });
    const servers = await peer.callTool("gateway_list_servers", {});
    await peer.close();
    for (const name of ["everything", "filesystem", "memory"])
      assert.match(servers.content[0]?.text ?? "", new RegExp(`"${name}"`));
  } finally {
    child.kill("SIGTERM");
  }
  assert.equal(await exited, 0, output);
});
