import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { house } from "./run-main.ts";

async function healthServer(t: TestContext, status: number, asked: (string | undefined)[] = []): Promise<number> {
  const server = createServer((request, response) => {
    asked.push(request.url, request.headers.authorization);
    response.writeHead(status).end('{"status":"x"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("health: 0 and the answer when the gateway is healthy, 1 when it is not or is not there", async (t) => {
  const asked: (string | undefined)[] = [];
  const [healthy, ill] = await Promise.all([healthServer(t, 200, asked), healthServer(t, 503)]);
  const { folder, run } = house(t, { TOKEN: "secret-token" });
  const config = `server: {host: 0.0.0.0, port: ${healthy}}\nauth: {enabled: true, bearer_token: "env:TOKEN"}\n`;
  writeFileSync(join(folder, "gateway.yaml"), config);
  assert.deepEqual(await run("health"), { code: 0, out: '{"status":"x"}\n', err: "" });
  assert.deepEqual(asked, ["/health", "Bearer secret-token"]);
  const [byUrl, degraded, absent, wrong] = await Promise.all([
    run("health", "--url", `http://127.0.0.1:${healthy}/`),
    run("health", "-u", `http://127.0.0.1:${ill}/health`),
    run("health", "-p", "1"),
    run("health", "--url", "localhost"),
  ]);
  assert.equal(byUrl.code, 0);
  assert.deepEqual([degraded.code, degraded.err], [1, `http://127.0.0.1:${ill}/health answered 503: {"status":"x"}\n`]);
  assert.deepEqual([absent.code, absent.err.startsWith("No answer from http://127.0.0.1:1/health: ")], [1, true]);
  assert.equal(wrong.code, 2);
});
