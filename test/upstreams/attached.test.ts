/** Secrets of the operator in headers and addresses: with which requests of each transport they go, byte by byte. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attachment } from "../../src/core/call.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { withQuery } from "../../src/upstreams/http/attaching-exchange.ts";
import { httpConnect } from "../../src/upstreams/http/connect-http.ts";
import { until } from "../fixtures/processes.ts";
import { chunk, eventStream, json, type RawServer, rawServer, status } from "../fixtures/raw-http-server.ts";
import { initializeResult, type Message, rawMcpServer, result } from "../fixtures/raw-mcp-server.ts";

const never = new Cancellation();
const always: Attachment = { headers: { "x-all": "a1", "x-key": "of all" }, query: { all: "a 2" } };
const attached: Attachment = { headers: { "x-key": "of one" }, query: { key: "k&3" } };

async function called(server: RawServer, attachedToAll: Attachment = always): Promise<string[]> {
  const settings = { name: "raw", maxResultBytes: 100_000, clock: systemClock, log: silentLogger };
  const headers = { "X-Key": "configured" };
  const connect = httpConnect({
    ...settings,
    url: `${server.url}?v=%201`,
    headers,
    attached: async () => attachedToAll,
  });
  let connection: Connection | undefined;
  try {
    connection = await connect(never, { onNotification() {} });
    await connection.request({ method: "tools/call", params: { name: "one" }, signal: never, attached });
    await connection.request({ method: "tools/call", params: { name: "other" }, signal: never });
  } finally {
    await connection?.close();
    await server.close();
  }
  return server.requests.map(({ method, path, headers, body }) => {
    const { method: rpc, params } = body === "" ? ({} as Message) : (JSON.parse(body) as Message);
    const what = rpc === "tools/call" ? params?.["name"] : (rpc ?? method);
    return `${what} ${path} ${headers["x-all"]} ${headers["x-key"]}`;
  });
}

const ofAll = "/mcp?v=%201&all=a%202";
const ofOne = `${ofAll}&key=k%263`;

test("Streamable HTTP: what is for all goes with everything, what is for one call with its POST", async () => {
  const server = await rawMcpServer({
    sessionId: () => "s1",
    onMessage: (socket, { id, method }) =>
      id !== undefined && socket.write(method === "server/discover" ? status(404) : json(result(id, {}))),
  });
  const seen = await called(server);
  assert.deepEqual(
    seen.filter((line) => !/^(?:GET|notifications)/.test(line)),
    [
      `server/discover ${ofAll} a1 of all`,
      `initialize ${ofAll} a1 of all`,
      `one ${ofOne} a1 of one`,
      `other ${ofAll} a1 of all`,
      `DELETE ${ofAll} a1 of all`,
    ],
  );
  assert.ok(seen.includes(`GET ${ofAll} a1 of all`), "the stream for notifications");
});

test("Streamable HTTP: where nothing is for all, only the one call has something", async () => {
  const server = await rawMcpServer({ onMessage: (socket, { id }) => socket.write(json(result(id, {}))) });
  const seen = await called(server, { headers: {}, query: {} });
  assert.deepEqual(
    seen.filter((line) => /^o/.test(line)),
    ["one /mcp?v=%201&key=k%263 undefined of one", "other /mcp?v=%201 undefined configured"],
  );
});

test("2026-07-28: the same, on its single requests", async () => {
  const server = await rawMcpServer({
    onMessage: (socket, { id, method }) => {
      const discovered = { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: { tools: {} } };
      return socket.write(json(result(id, method === "server/discover" ? discovered : { resultType: "complete" })));
    },
  });
  assert.deepEqual(await called(server), [
    `server/discover ${ofAll} a1 of all`,
    `one ${ofOne} a1 of one`,
    `other ${ofAll} a1 of all`,
  ]);
});

test("HTTP+SSE: stream and messages have what is for all, the message of the one call the rest", async () => {
  let say = (_text: string) => {};
  const server = await rawServer((socket, { method, path, body }) => {
    if (method === "GET") {
      say = (text) => void socket.write(chunk(text));
      socket.write(eventStream + chunk("event: endpoint\ndata: /in?sessionId=1\n\n"));
    } else if (path.startsWith("/in")) {
      const message = JSON.parse(body) as Message;
      socket.write(status(202, "Accepted"));
      if (message.id === undefined) return;
      say(`data: ${result(message.id, message.method === "initialize" ? initializeResult : {})}\n\n`);
    } else socket.write(status(404));
  });
  const seen = await called(server);
  assert.deepEqual(
    seen.filter((line) => / \/in|^GET/.test(line) && !line.startsWith("notifications")),
    [
      `GET ${ofAll} a1 of all`,
      "initialize /in?sessionId=1&all=a%202 a1 of all",
      "one /in?sessionId=1&all=a%202&key=k%263 a1 of one",
      "other /in?sessionId=1&all=a%202 a1 of all",
    ],
  );
});

/** Calls `one`, which is never answered, and cancels it; resolves with what the server is told of that. */
async function cancelled(server: RawServer): Promise<string | undefined> {
  const settings = { name: "raw", maxResultBytes: 100_000, clock: systemClock, log: silentLogger };
  const connection = await httpConnect({ ...settings, url: server.url, headers: {}, attached: async () => always })(
    never,
    { onNotification() {} },
  );
  try {
    const abort = new Cancellation();
    const sent = (method: string) => server.requests.find(({ body }) => body.includes(`"${method}"`));
    const call = connection.request({ method: "tools/call", params: { name: "one" }, signal: abort, attached });
    await until(() => sent("tools/call") !== undefined);
    abort.abort();
    await assert.rejects(call, { code: "CANCELLED" });
    await until(() => sent("notifications/cancelled") !== undefined);
    return sent("notifications/cancelled")?.headers["x-key"];
  } finally {
    await connection.close();
    await server.close();
  }
}

test("what ends a call comes with what the call had, over either transport", async () => {
  const streamable = await rawMcpServer({
    onMessage: (socket, { id, method }) => id !== undefined && (method === "tools/call" || socket.write(status(404))),
  });
  assert.equal(await cancelled(streamable), "of one");
  let say = (_text: string) => {};
  const sse = await rawServer((socket, { method, path, body }) => {
    if (method === "GET") {
      say = (text) => void socket.write(chunk(text));
      socket.write(eventStream + chunk("event: endpoint\ndata: /in?sessionId=1\n\n"));
    } else if (path.startsWith("/in")) {
      const { id, method: rpc } = JSON.parse(body) as Message;
      socket.write(status(202, "Accepted"));
      if (rpc === "initialize") say(`data: ${result(id, initializeResult)}\n\n`);
    } else socket.write(status(404));
  });
  assert.equal(await cancelled(sse), "of one");
});

test("a login is neither sent with requests that say themselves who asks, nor asked for when they are refused", async () => {
  const server = await rawMcpServer({
    onMessage: (socket, { id, method }) =>
      id !== undefined && socket.write(method === "tools/call" ? status(401) : json(result(id, {}))),
  });
  let refusals = 0;
  const access = {
    header: async () => "Bearer of-the-owner",
    async refused() {
      refusals++;
      return false;
    },
  };
  const settings = { name: "raw", maxResultBytes: 100_000, clock: systemClock, log: silentLogger };
  const nothing: Attachment = { headers: {}, query: {} };
  const connect = httpConnect({ ...settings, url: server.url, headers: {}, attached: async () => nothing, access });
  const connection = await connect(never, { onNotification() {} });
  try {
    const request = { method: "tools/call", params: { name: "one" }, signal: never };
    const ofCaller = { headers: { authorization: "Bearer of-ada" }, query: {} };
    await assert.rejects(connection.request({ ...request, attached: ofCaller }), { code: "UPSTREAM_START_FAILED" });
    assert.equal(refusals, 0);
    await assert.rejects(connection.request(request));
    assert.equal(refusals, 1);
    const sent = server.requests.filter(({ body }) => body.includes("tools/call"));
    assert.deepEqual(
      sent.map(({ headers }) => headers["authorization"]),
      ["Bearer of-ada", "Bearer of-the-owner"],
    );
  } finally {
    await connection.close();
    await server.close();
  }
});

test("withQuery: takes the place of a parameter of the same name, and leaves the others as they are written", () => {
  const url = new URL("http://x/mcp?a=%20b");
  assert.equal(withQuery(url, { k: "ä", "n=": "" }).href, "http://x/mcp?a=%20b&k=%C3%A4&n%3D=");
  assert.equal(withQuery(new URL("http://x/mcp?k=old&k=older"), { k: "new" }).href, "http://x/mcp?k=new");
  assert.equal(url.href, "http://x/mcp?a=%20b");
});
