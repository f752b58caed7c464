import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createCatalog } from "../../src/catalog/create-catalog.ts";
import { Answer } from "../../src/core/answer.ts";
import { UpstreamError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Upstream, UpstreamStatus } from "../../src/core/upstream.ts";
import { Route } from "../../src/gateway/dispatch.ts";
import { createListKeeper } from "../../src/gateway/list-keeper.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { Lazy } from "../../src/lib/lazy.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";

/** A keeper over one backend whose answers the test decides. */
function setting(capabilities: JsonObject = { tools: {} }) {
  const clock = new FakeClock();
  const catalog = createCatalog({ now: () => 0 });
  catalog.setServers([{ name: "files", description: "", key: "k" }]);
  const asked: string[] = [];
  const waiting: { resolve: (tools: JsonObject[]) => void; reject: (error: unknown) => void }[] = [];
  const changed: string[] = [];
  const warnings: string[] = [];
  const state: { is: "ready" | "stopped" } = { is: "ready" };
  const upstream = {
    name: "files",
    isReady: true,
    status: () => ({ state }) as UpstreamStatus,
    start: async () => ({ protocolVersion: "2025-11-25", serverInfo: {}, capabilities, instructions: undefined }),
    request: ({ method }) => {
      asked.push(method);
      return new Promise<Answer>((resolve, reject) =>
        waiting.push({ resolve: (tools) => resolve(Answer.of({ tools })), reject }),
      );
    },
  } as Partial<Upstream> as Upstream;
  const route = new Route(new Lazy(() => upstream), () => [], 1_000);
  assert.equal(route.upstream, upstream, "it was used before");
  const keeper = createListKeeper({
    catalog,
    routeOf: (name) => (name === "files" ? route : undefined),
    clock,
    log: { ...silentLogger, warn: (message) => warnings.push(message) },
    maxAgeMs: () => 1_000,
    onChanged: (server, kind) => changed.push(`${server} ${kind}`),
  });
  return { clock, catalog, asked, waiting, changed, keeper, warnings, state };
}

const echo = { name: "echo" };

describe("list keeper", () => {
  test("all who need a list never seen share one question, and later ones need none", async () => {
    const { keeper, waiting, asked, catalog, changed } = setting();
    const both = [keeper.ensureListed("files", "tools"), keeper.ensureListed("files", "tools")];
    await settle();
    waiting[0]?.resolve([echo]);
    await Promise.all(both);
    await keeper.ensureListed("files", "tools");
    assert.deepEqual(asked, ["tools/list"]);
    assert.deepEqual(catalog.list("files", "tools"), [echo]);
    assert.deepEqual(changed, ["files tools"]);
  });

  test("a refresh that fails is a warning, unless the backend was stopped on purpose", async () => {
    const { keeper, waiting, warnings, state, clock } = setting();
    for (const is of ["ready", "stopped"] as const) {
      state.is = is;
      keeper.onNotification("files", "notifications/tools/list_changed");
      await clock.advance(100);
      await settle();
      waiting.shift()?.reject(new UpstreamError("UPSTREAM_CLOSED", "Gone"));
      await settle();
    }
    assert.deepEqual(warnings, ["Asking a backend for its list failed, the last known one stays"]);
    assert.equal(waiting.length, 0);
  });

  test("what the server does not offer is empty without asking", async () => {
    const { keeper, asked, catalog } = setting({});
    await keeper.ensureListed("files", "prompts");
    assert.deepEqual(catalog.list("files", "prompts"), []);
    assert.deepEqual(asked, []);
  });

  test("listedSoon waits three seconds in all for a server that is silent, and not at all after it failed", async () => {
    const { keeper, waiting, clock } = setting();
    const outcomes: string[] = [];
    const look = (name: string) => void keeper.listedSoon("files", "tools").then(() => outcomes.push(name));
    look("first");
    await clock.advance(2_000);
    look("second");
    await clock.advance(999);
    assert.deepEqual(outcomes, []);
    await clock.advance(1);
    assert.deepEqual(outcomes, ["first", "second"]);
    look("third");
    await settle();
    assert.deepEqual(outcomes, ["first", "second", "third"]);
    waiting[0]?.reject(new UpstreamError("TIMEOUT", "Too slow"));
    await settle();
    look("fourth");
    await settle();
    assert.equal(outcomes.length, 4);
    assert.equal(waiting.length, 2, "it is asked again all the same");
  });

  test("a burst of list_changed is one question, and a change while one is asked leads to another", async () => {
    const { keeper, waiting, clock, asked, changed } = setting();
    for (let at = 0; at < 50; at++) keeper.onNotification("files", "notifications/tools/list_changed");
    await clock.advance(100);
    assert.equal(asked.length, 1);
    keeper.onNotification("files", "notifications/tools/list_changed");
    await clock.advance(100);
    waiting[0]?.resolve([echo]);
    await settle();
    assert.equal(asked.length, 2);
    waiting[1]?.resolve([echo, { name: "more" }]);
    await settle();
    assert.deepEqual(changed, ["files tools", "files tools"]);
  });

  test("an old list of a running server is asked for in the background, a fresh one is not", async () => {
    const { keeper, waiting, asked, catalog } = setting();
    catalog.update("files", "tools", [echo]);
    // The catalog's calendar stands at 0, so the list is as old as the epoch.
    keeper.refreshIfStale("files", "tools");
    await settle();
    assert.deepEqual(asked, ["tools/list"]);
    waiting[0]?.resolve([echo]);
    await settle();
    keeper.refreshIfStale("files", "prompts");
    await settle();
    assert.equal(asked.length, 1, "a list never seen is not stale");
  });
});

describe("list keeper: replicas", () => {
  const tool = (name: string, description = "") => ({ name, description });

  /** Three replicas that list what the test says, or fail. */
  function replicas(...lists: (JsonObject[] | undefined)[]) {
    const clock = new FakeClock();
    const catalog = createCatalog({ now: () => 0 });
    catalog.setServers([{ name: "files", description: "", key: "k" }]);
    const warnings: unknown[] = [];
    const admitted: (readonly JsonObject[])[] = [];
    const settled: string[] = [];
    const sources = lists.map((_list, at) => ({
      name: "files",
      request: async () => {
        const tools = lists[at];
        if (tools === undefined) throw new UpstreamError("UPSTREAM_CLOSED", "gone");
        return Answer.of({ tools, resources: tools });
      },
    }));
    const upstream = {
      name: "files",
      isReady: true,
      group: { sources, isSound: true },
      status: () => ({ state: { is: "ready" } }),
      start: async () => ({ capabilities: { tools: {}, resources: {} } }),
      request: async () => Promise.reject(new UpstreamError("UPSTREAM_START_FAILED", "No replica")),
    } as unknown as Upstream;
    const route = new Route(new Lazy(() => upstream), () => [], 1_000);
    const keeper = createListKeeper({
      catalog,
      routeOf: () => route,
      clock,
      log: { ...silentLogger, warn: (_message, fields) => warnings.push(fields) },
      maxAgeMs: () => 1_000,
      onChanged: () => {},
      admit: async (_server, tools, deviations) => {
        admitted.push(deviations);
        return tools;
      },
      onAsked: (server) => settled.push(server),
    });
    const ask = (kind: "tools" | "resources" = "tools") => keeper.ensureListed("files", kind, true);
    return { lists, sources, catalog, warnings, admitted, settled, keeper, ask };
  }

  test("the first that answers says what there is, differences are said once and judged each time", async () => {
    const { lists, catalog, warnings, admitted, ask } = replicas(
      [tool("a"), tool("b")],
      [tool("a", "other"), tool("c")],
      [tool("a"), tool("b")],
    );
    await ask();
    await ask();
    assert.deepEqual(catalog.list("files", "tools"), [tool("a"), tool("b")]);
    assert.deepEqual(admitted, [[tool("a", "other")], [tool("a", "other")]]);
    assert.deepEqual(warnings, [{ server: "files", list: "tools", not_everywhere: "b, c", defined_otherwise: "a" }]);
    lists[1] = lists[0];
    await ask();
    assert.deepEqual(admitted[2], []);
    assert.equal(warnings.length, 1);
    lists[0] = undefined;
    lists[1] = [tool("d")];
    lists[2] = [tool("d")];
    await ask();
    assert.deepEqual(catalog.list("files", "tools"), [tool("d")]);
  });

  test("where none can list, one says why", async () => {
    await assert.rejects(replicas(undefined, undefined).ask(), /gone/);
    await assert.rejects(replicas().ask(), /No replica/);
  });

  test("other lists are those of the first that answers", async () => {
    const resource = (uri: string) => ({ uri, name: uri });
    const { catalog, ask } = replicas(undefined, [resource("a:x")], [resource("a:y")]);
    await ask("resources");
    assert.deepEqual(catalog.list("files", "resources"), [resource("a:x")]);
  });

  test("one that comes while what the others list is judged is asked too", async () => {
    const { sources, keeper, admitted, settled } = replicas([tool("a")], [tool("a", "late")]);
    const late = sources.pop() as (typeof sources)[number];
    const admit = admitted.push.bind(admitted);
    admitted.push = (...judged) => {
      if (admitted.length === 0) {
        sources.push(late);
        keeper.onConnected("files");
      }
      return admit(...judged);
    };
    await keeper.ensureListed("files", "tools");
    assert.deepEqual([admitted.length, admitted[1], settled], [2, [tool("a", "late")], ["files"]]);
  });

  test("one that comes while the others are asked is asked too", async () => {
    const { sources, keeper, catalog, admitted, settled } = replicas([tool("a")], [tool("a")]);
    const late = sources.pop() as (typeof sources)[number];
    late.request = async () => Answer.of({ tools: [tool("a", "late")] });
    const [first] = sources as [(typeof sources)[number]];
    const slow = Promise.withResolvers<void>();
    const { request } = first;
    first.request = () => slow.promise.then(request);
    const asked = keeper.ensureListed("files", "tools");
    await settle();
    sources.push(late);
    keeper.onConnected("files");
    slow.resolve();
    await asked;
    assert.deepEqual(admitted, [[], [tool("a", "late")]]);
    assert.deepEqual(settled, ["files"], "whoever waits for the judgement waits for both");
    assert.deepEqual(catalog.list("files", "tools"), [tool("a")]);
  });
});
