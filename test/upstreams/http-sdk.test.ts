import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelledError, GatewayError, UpstreamRpcError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { httpConnect } from "../../src/upstreams/http/connect-http.ts";
import { until } from "../fixtures/processes.ts";
import { type SdkServer, sdkV1Sse, sdkV1Streamable, sdkV2Streamable } from "../fixtures/sdk-servers.ts";

const never = new AbortController().signal;

const servers: Record<string, () => Promise<SdkServer>> = {
  "SDK v1, Streamable HTTP, event streams": () => sdkV1Streamable({ enableJsonResponse: false }),
  "SDK v1, Streamable HTTP, JSON": () => sdkV1Streamable({ enableJsonResponse: true }),
  "SDK v1, HTTP+SSE": sdkV1Sse,
};

interface Setting {
  readonly server: SdkServer;
  readonly connection: Connection;
  readonly notifications: string[];
}

async function connected(
  start: () => Promise<SdkServer>,
  run: (setting: Setting) => Promise<void>,
  maxResultBytes = 16_777_216,
): Promise<void> {
  const server = await start();
  const notifications: string[] = [];
  const settings = { name: "sdk", headers: {}, maxResultBytes, clock: systemClock, log: silentLogger };
  const connection = await httpConnect({ ...settings, url: server.url })(never, {
    onNotification: (method) => void notifications.push(method),
  });
  try {
    await run({ server, connection, notifications });
  } finally {
    await connection.close();
    await server.close();
  }
}

const tool = (name: string, signal = never) => ({ method: "tools/call", params: { name, arguments: {} }, signal });

for (const [name, start] of Object.entries(servers)) {
  test(`${name}: lists, calls, is told errors, hears of changes, and ends its session`, async () => {
    await connected(start, async ({ server, connection, notifications }) => {
      assert.equal(connection.description.protocolVersion, "2025-11-25");
      assert.equal(connection.description.serverInfo["name"], "sdk-v1");
      const list = await connection.request({ method: "tools/list", params: undefined, signal: never });
      assert.equal((list.value["tools"] as JsonObject[]).length, 4);
      assert.equal((await connection.request(tool("echo"))).text, '{"content":[{"type":"text","text":"echo"}]}');
      await assert.rejects(
        connection.request({ method: "no/such", params: {}, signal: never }),
        (error) => error instanceof UpstreamRpcError && error.rpc.code === -32601,
      );
      // Where the GET stream comes a moment later than the session, the news could be missed.
      await until(() => {
        server.changeTools();
        return notifications.includes("notifications/tools/list_changed");
      });
      assert.equal(server.sessions.size, 1);
      await connection.close();
      await until(() => server.sessions.size === 0);
    });
  });

  test(`${name}: cancels`, async () => {
    await connected(start, async ({ server, connection }) => {
      const controller = new AbortController();
      const waiting = connection.request(tool("hang", controller.signal));
      const failed = assert.rejects(waiting, CancelledError);
      setTimeout(() => controller.abort(), 50);
      await failed;
      await until(() => server.ends.includes("aborted"));
      assert.equal((await connection.request(tool("echo"))).text.length > 0, true);
    });
  });

  test(`${name}: a result of 10 MB arrives whole, and is refused where the limit is 1 MB`, async () => {
    await connected(start, async ({ connection }) => {
      const { text } = await connection.request(tool("big"));
      assert.equal(text, `{"content":[{"type":"text","text":"${"x".repeat(10_000_000)}"}]}`);
    });
    await connected(
      start,
      async ({ connection }) =>
        void (await assert.rejects(
          connection.request(tool("big")),
          (error) => error instanceof GatewayError && error.code === "RESULT_TOO_LARGE",
        )),
      1_000_000,
    );
  });

  if (!name.endsWith("JSON"))
    test(`${name}: progress and log messages come before the answer`, async () => {
      await connected(start, async ({ connection, notifications }) => {
        const seen: JsonObject[] = [];
        const answer = await connection.request({
          ...tool("count"),
          onProgress: (params) => void seen.push(params),
          onNotification: (method) => void notifications.push(`own ${method}`),
        });
        assert.match(answer.text, /"3"/);
        assert.deepEqual(
          seen,
          [1, 2, 3].map((progress) => ({ progress, total: 3 })),
        );
        assert.deepEqual(notifications, ["own notifications/message"]);
      });
    });
}

test("SDK v1, Streamable HTTP: a session the server dropped is renewed", async () => {
  await connected(
    servers["SDK v1, Streamable HTTP, JSON"] as () => Promise<SdkServer>,
    async ({ server, connection }) => {
      server.sessions.clear();
      const answers = await Promise.all([1, 2, 3].map(() => connection.request(tool("echo"))));
      assert.equal(answers.length, 3);
      assert.equal(server.sessions.size, 1);
    },
  );
});

test("SDK v2, Streamable HTTP: connects, calls and ends its session", async () => {
  await connected(sdkV2Streamable, async ({ server, connection }) => {
    assert.equal(connection.description.serverInfo["name"], "sdk-v2");
    assert.match((await connection.request(tool("echo"))).text, /echo/);
    await connection.close();
    assert.equal(server.sessions.size, 0);
  });
});
