import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Client, httpClient, startStdioGateway } from "./client.ts";
import { eventually, health, linesOf, rawBackend, unlimited, withGateway } from "./gateway.ts";

const backend = { ...rawBackend(), timeout: "30s" };
const config = { failsafe: unlimited, backends: { direct: backend, invoked: backend } };

/** @param call calls a tool of the server */
async function killedMidCall(server: string, call: Client["call"], file: string): Promise<void> {
  const answer = call("work", { file, mark: "once" });
  const [line] = await eventually(
    () => linesOf(file),
    ({ length }) => length > 0,
  );
  const pid = Number(line?.split(" ")[1]);
  const killedAtMs = performance.now();
  process.kill(pid, "SIGKILL");
  const { failed, code, text } = await answer;
  assert.ok(performance.now() - killedAtMs < 5_000, "at once, not at the timeout");
  assert.ok(failed);
  assert.equal(code, "UPSTREAM_CLOSED");
  assert.ok(text.includes(`"${server}" was killed by SIGKILL`), text);

  const next = await call("pid");
  assert.equal(next.failed, false, next.text);
  assert.notEqual(Number(next.text), pid);
  assert.deepEqual(linesOf(file), [line], "the tool ran once");
}

describe("F1 backend killed in the middle of a call", () => {
  test("over HTTP the caller hears the server and the cause at once, the next call starts it again, nothing runs twice", () =>
    withGateway(config, async (gateway) => {
      const direct = await httpClient(gateway, "/mcp/direct");
      await killedMidCall("direct", direct.call, join(gateway.folder, "direct"));
      const meta = await httpClient(gateway);
      const invoke: Client["call"] = (tool, args) => meta.invoke("invoked", tool, args);
      await killedMidCall("invoked", invoke, join(gateway.folder, "invoked"));
    }));

  test("many calls die with it, and the next one is answered all the same: it was one failure", () =>
    withGateway({ ...config, failsafe: { rate_limit: { enabled: false } } }, async (gateway) => {
      const client = await httpClient(gateway, "/mcp/direct");
      const file = join(gateway.folder, "many");
      const answers = Array.from({ length: 12 }, () => client.call("work", { file }));
      const [line] = await eventually(
        () => linesOf(file),
        ({ length }) => length === answers.length,
      );
      process.kill(Number(line?.split(" ")[1]), "SIGKILL");
      for (const { code } of await Promise.all(answers)) assert.equal(code, "UPSTREAM_CLOSED");
      const next = await client.call("pid");
      assert.equal(next.failed, false, next.text);
      assert.equal((await health(gateway)).backends["direct"]?.circuit_state, "closed");
    }));

  test("over stdio likewise", async () => {
    const gateway = await startStdioGateway(config);
    try {
      const invoke: Client["call"] = (tool, args) => gateway.invoke("invoked", tool, args);
      await killedMidCall("invoked", invoke, join(gateway.folder, "invoked"));
    } finally {
      await gateway.stop();
    }
  });

  test("a backend that exits by itself is quoted: exit code and last words", () =>
    withGateway(config, async (gateway) => {
      const client = await httpClient(gateway, "/mcp/direct");
      const { code, text } = await client.call("die", { code: 7 });
      assert.equal(code, "UPSTREAM_CLOSED");
      assert.match(text, /"direct" exited with code 7; last stderr: about to die/);
    }));
});
