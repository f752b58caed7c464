import assert from "node:assert/strict";
import { test } from "node:test";
import { createFace } from "../../src/clients/create-face.ts";
import { announceUpdate } from "../../src/clients/fan-out.ts";
import { Answer } from "../../src/core/answer.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import { UpstreamRpcError } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { contextOf, fakeHost, type Lists, request } from "./fake-host.ts";

const lists: Lists = {
  files: { resources: [{ uri: "file:///a" }, { uri: "shared://one" }] },
  web: { resources: [{ uri: "shared://one" }, { uri: "web://page" }] },
};

function setUp() {
  const host = fakeHost(lists, (call) =>
    call.upstream === "web" && call.params?.["uri"] === "web://page"
      ? Promise.reject(new UpstreamRpcError({ code: -32601, message: "Method not found" }, "web"))
      : Promise.resolve(Answer.ofText("{}")),
  );
  const face = createFace(host);
  const open = (backend?: string) => {
    const session = host.sessions.open({
      principal: "anonymous",
      backend,
      protocolVersion: "2025-11-25",
      clientInfo: {},
      clientCapabilities: {},
    });
    const heard: JsonObject[] = [];
    session.attach(
      (text) => void heard.push(JSON.parse(text).params),
      () => {},
    );
    const send = async (method: "subscribe" | "unsubscribe", uri: string) => {
      const text = await face.handle(request(`resources/${method}`, { uri }), contextOf({ session, backend }));
      return JSON.parse(text as string) as { result?: JsonObject; error?: { code: number } };
    };
    return { session, heard, send };
  };
  const sent = () => host.calls.map(({ upstream, method, params }) => `${upstream} ${method} ${params?.["uri"]}`);
  return { host, open, sent };
}

test("a backend is asked once for all who watch, and again only when nobody does", async () => {
  const { host, open, sent } = setUp();
  const [first, second] = [open(), open("files")];
  assert.deepEqual(await first.send("subscribe", "file:///a"), { jsonrpc: "2.0", id: 1, result: {} });
  await second.send("subscribe", "file:///a");
  await second.send("subscribe", "file:///a");
  announceUpdate(host, "files", { uri: "file:///a", vendor: [1] });
  announceUpdate(host, "web", { uri: "file:///a" });
  announceUpdate(host, "files", { uri: "file:///other" });
  assert.deepEqual(first.heard, [{ uri: "file:///a", vendor: [1] }]);
  assert.deepEqual(second.heard, first.heard);
  await first.send("unsubscribe", "file:///a");
  await first.send("unsubscribe", "file:///a");
  await first.send("unsubscribe", "never://watched");
  announceUpdate(host, "files", { uri: "file:///a" });
  assert.deepEqual([first.heard.length, second.heard.length], [1, 2]);
  await second.send("unsubscribe", "file:///a");
  assert.deepEqual(sent(), ["files resources/subscribe file:///a", "files resources/unsubscribe file:///a"]);
  assert.equal(host.subscriptions.hasAny("files"), false);
});

test("who was granted the backend is told of it only as long as that lasts", async () => {
  const { host, open } = setUp();
  const client = open();
  await client.send("subscribe", "file:///a");
  let isGranted = true;
  const grants = { allow: () => isGranted, missing: { subject: "", path: "" } };
  client.session.caller = { ...anonymousCaller, grants };
  announceUpdate(host, "files", { uri: "file:///a" });
  isGranted = false;
  announceUpdate(host, "files", { uri: "file:///a" });
  assert.equal(client.heard.length, 1);
});

test("a resource two backends list is watched and told under its own address", async () => {
  const { host, open, sent } = setUp();
  const client = open();
  await client.send("subscribe", "gw+web:shared://one");
  assert.deepEqual(sent(), ["web resources/subscribe shared://one"]);
  announceUpdate(host, "files", { uri: "shared://one" });
  announceUpdate(host, "web", { uri: "shared://one" });
  assert.deepEqual(client.heard, [{ uri: "gw+web:shared://one" }]);
});

test("a change of a part is told to those who watch the whole", async () => {
  const { host, open } = setUp();
  const client = open();
  await client.send("subscribe", "file:///a");
  announceUpdate(host, "files", { uri: "file:///a/part" });
  announceUpdate(host, "files", { uri: "file:///ab" });
  assert.deepEqual(client.heard, [{ uri: "file:///a/part" }]);
});

test("a refusal of the backend is the answer, and nothing is remembered", async () => {
  const { host, open } = setUp();
  const client = open("web");
  assert.equal((await client.send("subscribe", "web://page")).error?.code, -32601);
  assert.equal(host.subscriptions.hasAny("web"), false);
});

test("a session that ends watches nothing any more; what nobody watches is given back", () => {
  const { host, open } = setUp();
  const [first, second] = [open(), open()];
  const watched = { server: "files", uri: "file:///a" };
  host.subscriptions.add(first.session, watched, watched.uri);
  host.subscriptions.add(second.session, watched, watched.uri);
  host.subscriptions.add(first.session, { server: "web", uri: "web://page" }, "web://page");
  assert.deepEqual(host.subscriptions.removeWatcher(first.session), [{ server: "web", uri: "web://page" }]);
  assert.deepEqual(host.subscriptions.removeWatcher(second.session), [watched]);
  assert.deepEqual(host.subscriptions.removeWatcher(second.session), []);
});
