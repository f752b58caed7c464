/** `streaming.auto_subscribe`: what is watched of a backend, and which sessions are told under which address. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { announceUpdate } from "../../src/clients/fan-out.ts";
import { Answer } from "../../src/core/answer.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Upstream } from "../../src/core/upstream.ts";
import { AutoSubscriber } from "../../src/gateway/auto-subscriber.ts";
import { Route } from "../../src/gateway/dispatch.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { Lazy } from "../../src/lib/lazy.ts";
import { fakeHost, type Lists } from "../clients/fake-host.ts";

const resources = (...uris: string[]) => ({ resources: uris.map((uri) => ({ uri })) });

function setUp(
  own: string[] = ["file:///a", "shared://one"],
  capabilities: JsonObject = { resources: { subscribe: true } },
) {
  const lists: Lists = { files: resources(...own), web: resources("shared://one") };
  const host = fakeHost(lists, async () => Answer.ofText("{}"));
  const description = { protocolVersion: "2025-11-25" as const, serverInfo: {}, capabilities, instructions: undefined };
  host.describe = () => description;
  const sent: string[] = [];
  const tell = (method: string, uri: unknown) => void sent.push(`${method.replace("resources/", "")} ${uri}`);
  host.unwatch = ({ uri }) => tell("unsubscribe", uri);
  const upstream = {
    isReady: true,
    request: async ({ method, params }) => {
      tell(method, params?.["uri"]);
      return Answer.ofText("{}");
    },
  } as Partial<Upstream> as Upstream;
  const route = new Route(new Lazy(() => upstream), () => [], 1_000);
  assert.equal(route.upstream, upstream, "it runs");
  const settings = { names: ["files"] };
  const warnings: string[] = [];
  const auto = new AutoSubscriber({
    names: () => settings.names,
    host,
    subscriptions: host.subscriptions,
    log: { ...silentLogger, warn: (message) => void warnings.push(message) },
    routeOf: (name) => (name in lists ? route : undefined),
  });
  const open = (caller: Partial<Caller> | undefined = {}, backend?: string) => {
    const init = { principal: "anonymous", backend, protocolVersion: "2025-11-25" as const };
    const session = host.sessions.open({ ...init, clientInfo: {}, clientCapabilities: {} });
    session.caller = caller && { ...anonymousCaller, ...caller };
    const heard: unknown[] = [];
    session.attach(
      (text) => void heard.push(JSON.parse(text).params.uri),
      () => {},
    );
    return { session, heard };
  };
  return { lists, host, auto, sent, settings, warnings, open };
}

test("auto_subscribe: what the backend lists is watched once, and follows the list and the configuration", () => {
  const { lists, host, auto, sent, settings, open } = setUp();
  const { session } = open();
  host.subscriptions.add(session, { server: "files", uri: "file:///a" }, "file:///a");
  auto.follow("files");
  auto.follow("files");
  auto.follow("web");
  assert.deepEqual(sent.splice(0), ["subscribe shared://one"], "what a session watches is watched already");
  lists["files"] = resources("file:///a", "file:///b");
  auto.follow("files");
  assert.deepEqual(sent.splice(0), ["unsubscribe shared://one", "subscribe file:///b"]);
  assert.ok(host.subscriptions.hasAny("files"));
  settings.names = [];
  for (const server of auto.servers) auto.follow(server);
  assert.deepEqual(sent.splice(0), ["unsubscribe file:///b"], "the session goes on watching");
  assert.deepEqual([...auto.servers], []);
  delete lists["files"];
  settings.names = ["files"];
  auto.follow("files");
  assert.deepEqual(sent, []);
});

test("auto_subscribe: no more than 200 resources are watched, and none where they cannot be", () => {
  const many = setUp(Array.from({ length: 250 }, (_, at) => `file:///${at}`));
  many.auto.follow("files");
  assert.equal(many.sent.length, 200);
  assert.deepEqual(many.warnings, ["A backend of streaming.auto_subscribe lists more resources than are watched"]);
  for (const capabilities of [{}, { resources: {} }, { resources: { subscribe: false } }]) {
    const { auto, sent, host } = setUp(undefined, capabilities);
    auto.follow("files");
    assert.deepEqual(sent, []);
    assert.equal(host.subscriptions.hasAny("files"), false);
  }
});

test("auto_subscribe: sessions that may use the backend are told once, each under the address it knows", () => {
  const { host, auto, open } = setUp();
  auto.follow("files");
  const all = open();
  const onlyFiles = open({ admin: false, backends: ["files"] });
  const endpoint = open({}, "files");
  const itself = open();
  host.subscriptions.add(itself.session, { server: "files", uri: "shared://one" }, "gw+files:shared://one");
  const untold = [
    open({ admin: false, backends: ["web"] }),
    open({}, "web"),
    open({ grants: { allow: () => false, missing: { subject: "", path: "" } } }),
    open(undefined),
  ];
  untold[3]!.session.caller = undefined;
  announceUpdate(host, "files", { uri: "shared://one" });
  announceUpdate(host, "files", { uri: "file:///a/part" });
  announceUpdate(host, "web", { uri: "shared://one" });
  assert.deepEqual(all.heard, ["gw+files:shared://one", "file:///a/part"]);
  assert.deepEqual(onlyFiles.heard, ["shared://one", "file:///a/part"]);
  assert.deepEqual(endpoint.heard, ["shared://one", "file:///a/part"]);
  assert.deepEqual(itself.heard, ["gw+files:shared://one", "file:///a/part"]);
  for (const { heard } of untold) assert.deepEqual(heard, []);
});

test("auto_subscribe: a part of two things that are watched is told once", () => {
  const { host, auto, open } = setUp(["file:///a", "file:///a/b"]);
  auto.follow("files");
  const { heard } = open();
  announceUpdate(host, "files", { uri: "file:///a/b/c" });
  assert.deepEqual(heard, ["file:///a/b/c"]);
});
