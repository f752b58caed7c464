import assert from "node:assert/strict";
import { test } from "node:test";
import { openHttpDoor } from "../../src/doors/http/listen.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { sendRaw, statusOf, testApp } from "./http-client.ts";

const routes = [
  ["POST", "/mcp"],
  ["GET", "/mcp"],
  ["DELETE", "/mcp"],
  ["POST", "/mcp/fake"],
  ["GET", "/health"],
  ["GET", "/readiness"],
  ["GET", "/liveness"],
  ["GET", "/"],
  ["GET", "/ui/"],
  ["POST", "/sse"],
  ["GET", "/no-such-route"],
  ["OPTIONS", "/mcp"],
] as const;
const goodHosts = ["localhost", "LOCALHOST:39400", "127.0.0.1:1", "[::1]:39400"];
const badHosts = [
  "evil.test",
  "127.0.0.1.nip.io",
  "localhost.evil.test",
  "localhost.",
  "2130706433",
  "evil.test:39400",
  "10.0.0.1",
  "[::2]",
];
const malformedHosts = [
  "",
  "localhost, evil.test",
  "localhost/x",
  "evil@localhost",
  "localhost:",
  "localhost:http",
  "localhost:+80",
  "localhost:123456",
  "localhost:80:80",
  "[::1",
  "[::1]:x",
  "a b",
];
const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "evil", version: "1" } },
});

function bytesOf(method: string, path: string, headers: string): string {
  const body = method === "POST" ? initialize : "";
  return `${method} ${path} HTTP/1.1\r\n${headers}Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

test("T5: every route refuses every foreign host and origin, and nothing is done for them", async () => {
  const gateway = fakeGateway();
  const { ask } = testApp(gateway);
  for (const [method, path] of routes) {
    const body = method === "POST" ? { body: initialize } : {};
    const status = async (headers: Record<string, string>) =>
      (await ask(path, { method, headers: { "content-type": "application/json", ...headers }, ...body })).status;
    for (const host of badHosts) assert.equal(await status({ host }), 403, `${method} ${path} of ${host}`);
    for (const origin of [
      "null",
      "http://evil.test",
      "http://localhost.evil.test",
      "http://localhost:1",
      "file://",
      "",
    ])
      assert.equal(await status({ host: "localhost", origin }), 403, `${method} ${path} from "${origin}"`);
  }
  assert.equal(gateway.seen.length, 0);
  assert.equal(gateway.sessions.size, 0);
});

test("T5: every route answers under the names of loopback, with no origin or its own", async () => {
  const { ask } = testApp(fakeGateway());
  for (const [method, path] of routes)
    for (const host of goodHosts) {
      for (const headers of [{ host }, { host, origin: `http://${host.toLowerCase()}` }])
        assert.notEqual((await ask(path, { method, headers })).status, 403, `${method} ${path} of ${host}`);
    }
});

test("T5: hosts that are missing, doubled or malformed are refused on the wire", async () => {
  const gateway = fakeGateway();
  const door = await openHttpDoor(gateway);
  try {
    for (const host of malformedHosts)
      assert.equal(statusOf(await sendRaw(door.port, bytesOf("POST", "/mcp", `Host: ${host}\r\n`))), 400, host);
    for (const headers of ["", "Host: localhost\r\nHost: evil.test\r\n", "Host: localhost\r\nHost: localhost\r\n"])
      assert.equal(statusOf(await sendRaw(door.port, bytesOf("POST", "/mcp", headers))), 400, headers);
    assert.equal(statusOf(await sendRaw(door.port, bytesOf("POST", "/mcp", "Host: evil.test\r\n"))), 403);
    assert.equal(gateway.seen.length, 0);
    assert.equal(statusOf(await sendRaw(door.port, bytesOf("POST", "/mcp", "Host: [::1]\r\n"))), 200);
  } finally {
    await door.close(0);
  }
});

test("T19: requests whose length is told in two ways never reach the gateway", async () => {
  const gateway = fakeGateway();
  const door = await openHttpDoor(gateway);
  try {
    const length = initialize.length;
    const framings = [
      `Content-Length: ${length}\r\nTransfer-Encoding: chunked\r\n`,
      `Content-Length: ${length}\r\nContent-Length: ${length + 1}\r\n`,
      `Content-Length: +${length}\r\n`,
      "Transfer-Encoding: xchunked\r\n",
      `X-Folded: a\r\n  b\r\nContent-Length: ${length}\r\n`,
    ];
    for (const framing of framings) {
      const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${framing}\r\n`;
      const status = statusOf(await sendRaw(door.port, head + initialize));
      assert.ok(status === "closed" || status >= 400, `${framing} was answered with ${status}`);
    }
    assert.equal(gateway.seen.length, 0);
  } finally {
    await door.close(0);
  }
});

test("guard-origin: configured names, the public address and, bound to the network, addresses are let in", async () => {
  const gateway = fakeGateway({
    server: {
      allowed_hosts: ["Gateway.internal"],
      public_url: "https://gw.example.com",
      allowed_origins: ["https://app.test/"],
    },
  });
  const status = async (listenHost: string, headers: Record<string, string>) =>
    (await testApp(gateway, listenHost).ask("/liveness", { headers })).status;
  assert.equal(await status("127.0.0.1", { host: "gateway.internal:39400" }), 200);
  assert.equal(await status("127.0.0.1", { host: "gw.example.com" }), 200);
  assert.equal(await status("127.0.0.1", { host: "localhost", origin: "https://gw.example.com" }), 200);
  assert.equal(await status("127.0.0.1", { host: "192.168.1.5" }), 403);
  assert.equal(await status("0.0.0.0", { host: "192.168.1.5:39400" }), 200);
  assert.equal(await status("0.0.0.0", { host: "[fd00::5]:39400" }), 200);
  assert.equal(await status("0.0.0.0", { host: "other.internal" }), 403);
});

test("guard-origin: pages of an allowed origin get what a browser needs, others do not", async () => {
  const { ask } = testApp(fakeGateway({ server: { allowed_origins: ["https://app.test"] }, auth: { enabled: true } }));
  const preflight = {
    method: "OPTIONS",
    headers: { origin: "https://app.test", "access-control-request-method": "POST" },
  };
  const allowed = await ask("/mcp", preflight);
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://app.test");
  assert.match(allowed.headers.get("access-control-allow-headers") ?? "", /Mcp-Session-Id/);
  const foreign = await ask("/mcp", { ...preflight, headers: { ...preflight.headers, origin: "https://other.test" } });
  assert.equal(foreign.status, 403);
  assert.equal(foreign.headers.get("access-control-allow-origin"), null);
});
