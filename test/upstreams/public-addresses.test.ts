/** T11 for configured backends: what is not public is not connected to, and what was judged is what is connected to. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createServer } from "node:tls";
import { GatewayError, UnreachedError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { a2aConnect } from "../../src/upstreams/a2a/connect-a2a.ts";
import { httpConnect } from "../../src/upstreams/http/connect-http.ts";
import { openExchange } from "../../src/upstreams/http/http-exchange.ts";
import { publicAddresses } from "../../src/upstreams/http/public-addresses.ts";
import { RequestHead } from "../../src/upstreams/http/request-head.ts";
import { webSocketConnect } from "../../src/upstreams/websocket/connect-websocket.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { json, rawServer } from "../fixtures/raw-http-server.ts";
import { rawMcpServer } from "../fixtures/raw-mcp-server.ts";
import { webSocketServer } from "../fixtures/socket-servers.ts";

const never = new AbortController().signal;
const settings = {
  name: "far",
  headers: {},
  maxResultBytes: 100_000,
  clock: systemClock,
  log: silentLogger,
};
const events = { onNotification() {} };

function refusing(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof GatewayError, String(error));
    assert.equal(error.code, "UPSTREAM_START_FAILED", error.message);
    assert.match(error.message, message);
    return true;
  };
}

test("publicAddresses: a literal needs no resolver, whatever it is written like", async () => {
  const find = publicAddresses("far", () => assert.fail("asked for a literal address"));
  for (const host of ["127.1", "0x7f000001", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254", "100.64.0.1"])
    await assert.rejects(
      find(new URL(`http://${host}/mcp`)),
      refusing(/^Cannot connect to server "far": [\d.:a-f]+, which is a private .*security\.trust_configured_backends/),
    );
  assert.deepEqual(await find(new URL("https://93.184.216.34/mcp")), ["93.184.216.34"]);
});

test("publicAddresses: a name is judged by all its addresses, and IPv4 comes first", async () => {
  const found: Record<string, string[]> = {
    "out.example": ["2606:2800:220:1::1", "93.184.216.34"],
    "in.example": ["10.0.0.5"],
    "both.example": ["93.184.216.34", "fd00::5"],
  };
  const find = publicAddresses("far", async (host) => found[host] ?? Promise.reject(new Error("ENOTFOUND")));
  assert.deepEqual(await find(new URL("ws://out.example/")), ["93.184.216.34", "2606:2800:220:1::1"]);
  await assert.rejects(find(new URL("http://in.example/")), refusing(/"in\.example" leads to 10\.0\.0\.5, which/));
  await assert.rejects(find(new URL("http://both.example/")), refusing(/"both\.example" leads to fd00::5, which/));
  await assert.rejects(find(new URL("http://none.example/")), refusing(/nobody knows the host "none\.example"/));
});

test("connect: no backend with a private address behind its name sees a connection", async () => {
  let connections = 0;
  const canary = await rawServer((socket) => {
    connections++;
    socket.destroy();
  });
  const { port } = new URL(canary.url);
  const findAddresses = publicAddresses("far", async () => ["127.0.0.1"]);
  const at = (scheme: string, path = "/mcp") => ({
    ...settings,
    url: `${scheme}://far.example:${port}${path}`,
    findAddresses,
  });
  try {
    const agent = { ...at("http"), cardPath: undefined, redact: (text: string) => text };
    for (const connect of [
      httpConnect(at("http")),
      httpConnect(at("https")),
      httpConnect(at("http", "/sse")),
      webSocketConnect(at("ws")),
      webSocketConnect(at("wss")),
      a2aConnect(agent),
    ])
      await assert.rejects(connect(never, events), refusing(/"far": "far\.example" leads to 127\.0\.0\.1, which is/));
    assert.equal(connections, 0);
  } finally {
    await canary.close();
  }
});

test("httpConnect: the server is reached at the address that was judged, under its name, redirects included", async () => {
  const hosts: (string | undefined)[] = [];
  const server = await rawMcpServer({
    onMessage(socket, message, { headers, path }) {
      if (message.method !== "tools/call") return false;
      hosts.push(headers["host"]);
      if (path === "/mcp") socket.write("HTTP/1.1 308 Moved\r\nLocation: /mcp/\r\nContent-Length: 0\r\n\r\n");
      else socket.write(json(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: { content: [] } })));
      return true;
    },
  });
  const { port } = new URL(server.url);
  const url = `http://far.example:${port}/mcp`;
  let lookups = 0;
  const findAddresses = async () => {
    // As of a resolver that says another thing the second time.
    assert.equal(++lookups, 1, "the name was looked up again");
    return ["127.0.0.1"];
  };
  const connection = await httpConnect({ ...settings, offer: "2025-11-25", url, findAddresses })(never, events);
  await connection.request({ method: "tools/call", params: { name: "x" }, signal: never });
  assert.deepEqual(hosts, [`far.example:${port}`, `far.example:${port}`]);
  await connection.close();
  await server.close();
});

test("openExchange: a name that moved is judged again, and refused where it leads inside", async () => {
  const clock = new FakeClock();
  const server = await rawServer((socket) => socket.write(json("{}")));
  const url = new URL(`http://far.example:${new URL(server.url).port}/`);
  let addresses = ["127.0.0.1"];
  const find = publicAddresses("far", async () => addresses);
  const findAddresses = (origin: URL) => (addresses[0] === "127.0.0.1" ? Promise.resolve(addresses) : find(origin));
  const http = openExchange(url, { server: "far", maxBodyBytes: 1_000, clock, findAddresses });
  const send = () => http.send({ head: new RequestHead("GET", url, {}), body: undefined, signal: never });
  try {
    assert.equal((await send()).status, 200);
    addresses = ["10.0.0.9"];
    assert.equal((await send()).status, 200, "what was judged stays good for a while");
    await clock.advance(31_000);
    await assert.rejects(send(), refusing(/leads to 10\.0\.0\.9/));
    addresses = ["127.0.0.1"];
    assert.equal((await send()).status, 200, "and it may come back at once");
  } finally {
    http.close();
    await server.close();
  }
  await assert.rejects(send(), (error: GatewayError) => error.code === "UPSTREAM_CLOSED");
});

test("openExchange: where one address does not answer, the next is tried", async () => {
  const server = await rawServer((socket) => socket.write(json("{}")));
  const url = new URL(`http://far.example:${new URL(server.url).port}/`);
  const options = { server: "far", maxBodyBytes: 1_000, clock: systemClock };
  const http = openExchange(url, { ...options, findAddresses: async () => ["127.0.0.2", "127.0.0.1"] });
  const lost = openExchange(url, { ...options, findAddresses: async () => ["127.0.0.2"] });
  const request = { head: new RequestHead("GET", url, {}), body: undefined, signal: never };
  try {
    assert.equal((await http.send(request)).status, 200);
    await assert.rejects(lost.send(request), UnreachedError);
  } finally {
    http.close();
    lost.close();
    await server.close();
  }
});

test("webSocketConnect: the server is reached at the address that was judged", async () => {
  const server = await webSocketServer("far");
  const url = server.url.replace("127.0.0.1", "far.example");
  assert.notEqual(url, server.url);
  const findAddresses = async () => ["127.0.0.2", "127.0.0.1"];
  const connection = await webSocketConnect({ ...settings, url, findAddresses })(never, events);
  assert.ok(connection.description.serverInfo["name"]);
  await connection.close();
  await server.stop();
});

test("webSocketConnect: over TLS it is the name that is asked for, not the address", async (t) => {
  const asked: string[] = [];
  const server = createServer({
    SNICallback(name, done) {
      asked.push(name);
      done(new Error("none"));
    },
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const url = `wss://far.example:${(server.address() as AddressInfo).port}/mcp`;
  const findAddresses = async () => ["127.0.0.1"];
  await assert.rejects(webSocketConnect({ ...settings, url, findAddresses })(never, events), GatewayError);
  assert.deepEqual(asked, ["far.example"]);
});
