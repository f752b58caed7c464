/** A server of 2026-07-28 over HTTP: what is sent, byte by byte, and what is made of its answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RpcRequest } from "../../src/core/call.ts";
import { GatewayError, type UpstreamRpcError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { httpConnect } from "../../src/upstreams/http/connect-http.ts";
import { until } from "../fixtures/processes.ts";
import { chunk, eventStream, json, type RawRequest, status } from "../fixtures/raw-http-server.ts";
import { type McpServer, type Message, rawMcpServer, result, type Script } from "../fixtures/raw-mcp-server.ts";

const never = new Cancellation();
const version = "2026-07-28";
const settings = {
  name: "raw",
  headers: { "X-Key": "k" },
  maxResultBytes: 100_000,
  clock: systemClock,
  log: silentLogger,
};

const discovered = { resultType: "complete", supportedVersions: [version], capabilities: { tools: {} } };

/** Runs with a connection to a server that answers `server/discover`, and everything else as the test says. */
async function connected(
  onMessage: NonNullable<Script["onMessage"]>,
  run: (
    ask: (request: Partial<RpcRequest>) => Promise<JsonObject>,
    server: McpServer,
    closed: Promise<string>,
  ) => Promise<void>,
): Promise<void> {
  const server = await rawMcpServer({
    onMessage(socket, message, request) {
      if (message.method !== "server/discover") return onMessage(socket, message, request);
      return socket.write(json(result(message.id, discovered))) !== undefined;
    },
  });
  const connection = await httpConnect({ ...settings, url: server.url })(never, { onNotification() {} });
  const ask = async (request: Partial<RpcRequest>) =>
    (await connection.request({ method: "tools/call", params: { name: "x" }, signal: never, ...request })).value;
  try {
    assert.equal(connection.description.protocolVersion, version);
    await run(ask, server, connection.closed);
  } finally {
    await connection.close();
    await server.close();
  }
}

const rpcError = (id: number | undefined, code: number, more: object = {}) =>
  JSON.stringify({ jsonrpc: "2.0", id, error: { code, message: `Error ${code}`, ...more } });

function withStatus(code: number, body: string): string {
  return status(code, body, "Content-Type: application/json\r\n");
}

test("every request says in its headers what it is, and in `_meta` who sends it; none has a session", async () => {
  await connected(
    (socket, { id }) => socket.write(json(result(id, { resultType: "complete", content: [] }))),
    async (ask, server) => {
      await ask({ params: { name: "grüße", arguments: {} } });
      await ask({ method: "resources/read", params: { uri: "a://b" } });
      const picked = server.requests.map(({ headers, path }) => [
        path,
        ...["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "x-key"].map((name) => headers[name]),
      ]);
      assert.deepEqual(picked, [
        ["/mcp", version, "server/discover", undefined, undefined, "k"],
        ["/mcp", version, "tools/call", `=?base64?${Buffer.from("grüße").toString("base64")}?=`, undefined, "k"],
        ["/mcp", version, "resources/read", "a://b", undefined, "k"],
      ]);
      for (const { params } of server.messages) {
        const meta = params?._meta as JsonObject;
        assert.equal(meta["io.modelcontextprotocol/protocolVersion"], version);
        assert.deepEqual(meta["io.modelcontextprotocol/clientCapabilities"], {});
        assert.equal((meta["io.modelcontextprotocol/clientInfo"] as JsonObject)["name"], "mcp-gateway");
      }
    },
  );
});

test("arguments are repeated in headers as the tool's list says, which is asked for again when the server disagrees", async () => {
  let header = "Region";
  const tool = () => ({
    name: "x",
    inputSchema: { type: "object", properties: { r: { type: "string", "x-mcp-header": header } } },
  });
  const broken = { name: "broken", inputSchema: { properties: { r: { type: "object", "x-mcp-header": "R" } } } };
  const onMessage = (socket: { write(text: string): unknown }, { id, method }: Message, request: RawRequest) => {
    if (method === "tools/list") socket.write(json(result(id, { tools: [tool(), broken] })));
    else if (request.headers[`mcp-param-${header.toLowerCase()}`] === "eu")
      socket.write(json(result(id, { content: [] })));
    else socket.write(withStatus(400, rpcError(id, -32_020)));
    return true;
  };
  await connected(onMessage, async (ask, server) => {
    const { tools } = await ask({ method: "tools/list", params: undefined });
    assert.deepEqual(tools, [tool()], "one with an invalid annotation is left out, and no other");
    await ask({ params: { name: "x", arguments: { r: "eu" } } });
    assert.equal(server.requests.length, 3);
    header = "Zone";
    await ask({ params: { name: "x", arguments: { r: "eu" } } });
    assert.deepEqual(
      server.messages.slice(3).map(({ method }) => method),
      ["tools/call", "tools/list", "tools/call"],
    );
    await assert.rejects(ask({ params: { name: "x", arguments: { r: "us" } } }), (error: GatewayError) => {
      assert.equal(error.code, "UPSTREAM_PROTOCOL", "our headers are no business of the client");
      return true;
    });
  });
});

test("cancelling hangs up and sends nothing more", async () => {
  await connected(
    (socket) => {
      const log = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info" } };
      return socket.write(eventStream + chunk(`data: ${JSON.stringify(log)}\n\n`)) !== undefined;
    },
    async (ask, server) => {
      const cancellation = new Cancellation();
      const told: string[] = [];
      const call = ask({ signal: cancellation, onNotification: (method) => told.push(method) });
      await until(() => told.length > 0);
      cancellation.abort(new GatewayError("CANCELLED", "Enough"));
      await assert.rejects(call, /Enough/);
      await until(() => server.open === 0);
      assert.equal(server.messages.length, 2);
    },
  );
});

test("a missing capability is told to a client of the revision as it is, and explained to others", async () => {
  const data = { requiredCapabilities: { sampling: {} } };
  await connected(
    (socket, { id }) => socket.write(withStatus(400, rpcError(id, -32_021, { data }))),
    async (ask) => {
      const codeOf = (request: Partial<RpcRequest>) =>
        ask(request).then(
          () => undefined,
          (error: UpstreamRpcError) => error.rpc.code,
        );
      const envelope = { capabilities: {}, clientInfo: undefined, logLevel: undefined };
      assert.equal(await codeOf({ envelope }), -32_021);
      assert.equal(await codeOf({}), -32_603);
    },
  );
});

test("a server that does not know the revision any more loses its connection, so that it is found anew", async () => {
  await connected(
    (socket, { id }) => socket.write(withStatus(400, rpcError(id, -32_022, { data: { supported: ["2027-01-01"] } }))),
    async (ask, _server, closed) => {
      await assert.rejects(ask({}), /refused the request/);
      assert.match(await closed, /does not support the revision any more/);
    },
  );
});

test("connect asks for the newest revision first, takes what the server knows, and remembers it", async () => {
  const refusals: [name: string, answer: (id: number | undefined) => string][] = [
    ["an error with 400", (id) => withStatus(400, rpcError(id, -32_600))],
    ["an error with 200", (id) => json(rpcError(id, -32_601))],
    ["404", () => status(404)],
    ["500", () => status(500, "What?")],
    ["a result that is none", (id) => json(result(id, {}))],
    ["a page", () => status(200, "<p>Hi", "Content-Type: text/html\r\n")],
  ];
  for (const [name, answer] of refusals) {
    const server = await rawMcpServer({
      onMessage(socket, { id, method }) {
        if (method !== "server/discover") return false;
        return socket.write(answer(id)) !== undefined;
      },
    });
    const connect = httpConnect({ ...settings, url: server.url });
    for (let time = 0; time < 2; time++) {
      const connection = await connect(never, { onNotification() {} });
      assert.equal(connection.description.protocolVersion, "2025-11-25", name);
      await connection.close();
    }
    const discoveries = server.messages.filter(({ method }) => method === "server/discover");
    assert.equal(discoveries.length, 1, `${name}: what was found is not asked for again`);
    await server.close();
  }
});

test("connect does not take a refusal of access for an older server", async () => {
  for (const code of [401, 403, 429]) {
    const server = await rawMcpServer({
      onMessage: (socket) => socket.write(status(code)),
      onInitialize: () => assert.fail("It was not asked who it is"),
    });
    await assert.rejects(httpConnect({ ...settings, url: server.url })(never, { onNotification() {} }), {
      code: "UPSTREAM_START_FAILED",
    });
    await server.close();
  }
});
