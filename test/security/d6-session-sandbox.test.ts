/** Limits of a session, as two clients meet them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startGateway } from "../e2e/harness.ts";
import { backendCommand, HttpClient, type Loose } from "./clients.ts";

const codeOf = ({ message }: { message: Loose }): string | undefined =>
  message.result?._meta?.["mcp-gateway/error"]?.code;

test("D6: a session that has made its calls is refused on every way to a tool, another one is not", async (t) => {
  const gateway = await startGateway({
    capabilities: { enabled: false },
    security: { session_sandbox: { enabled: true, max_calls: 2, max_payload_bytes: 500, allowed_backends: ["files"] } },
    backends: { files: { command: backendCommand() }, web: { command: backendCommand() } },
  });
  t.after(() => gateway.stop());
  const [one, two] = await Promise.all([1, 2].map(() => HttpClient.open(`${gateway.url}/mcp`)));
  const echo = (client: HttpClient | undefined, token = "a", server = "files") =>
    (client as HttpClient).invoke(server, "echo", { token });
  assert.equal(codeOf(await echo(one, "a".repeat(1_000))), "SESSION_LIMIT");
  assert.equal(codeOf(await echo(one, "a", "web")), "FORBIDDEN");
  for (const expected of [undefined, undefined, "SESSION_LIMIT"]) assert.equal(codeOf(await echo(one)), expected);
  assert.equal(codeOf(await echo(two)), undefined);
});
