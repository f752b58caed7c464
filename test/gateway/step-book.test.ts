import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as v from "valibot";
import { createCatalog } from "../../src/catalog/create-catalog.ts";
import { configSchema } from "../../src/config/schema.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import { createSessionPaths } from "../../src/gateway/session-paths.ts";
import { openStepBook, type StepBook } from "../../src/gateway/step-book.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { makeCall } from "../stages/fixture.ts";

function setting(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-steps-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "state", "tool-steps.json");
  const clock = new FakeClock();
  const catalog = createCatalog({ now: () => 0 });
  const problems: unknown[] = [];
  const options = { path, clock, catalog, onProblem: (error: unknown) => problems.push(error) };
  return { folder, path, clock, catalog, problems, options, open: () => openStepBook(options) };
}

let ids = 0;
/** So many sessions go that way, and end. */
function walk({ steps, forget }: StepBook, sessions: number, ...tools: string[]): void {
  for (let i = 0; i < sessions; i++) {
    const id = `walker ${++ids}`;
    for (const tool of tools) {
      const from = steps.move(id, tool);
      if (from !== undefined) steps.learn(id, from, tool);
    }
    forget(id);
  }
}

/** How unusual `to` is after `from`. */
function score(book: StepBook, from: string, to: string): number | undefined {
  book.steps.move("judged", from);
  const [upstream, name] = to.split(":") as [string, string];
  return book.judge(makeCall({ sessionId: "judged", upstream, params: { name } }))?.score;
}

const saved = (path: string) => JSON.parse(readFileSync(path, "utf8"));

test("openStepBook: half a minute after a step it is on disk, and the next process goes on", async (t) => {
  const { path, clock, open, problems } = setting(t);
  const first = await open();
  walk(first, 24, "a:list", "a:read");
  assert.equal(existsSync(path), false);
  await clock.advance(30_000);
  await first.flush();
  assert.deepEqual(saved(path), { version: 1, steps: { "a:list": { "a:read": 24 } } });
  const second = await open();
  assert.equal(score(second, "a:list", "a:drop"), 0.7);
  assert.equal(score(second, "a:list", "a:read"), 0);
  assert.equal(second.judge(makeCall({ sessionId: "new" })), undefined, "a session's first call is no step");
  assert.deepEqual(problems, []);
});

test("openStepBook: gateways that share the file add to it, and see what the others learned when they write", async (t) => {
  const { path, open } = setting(t);
  const [one, two] = [await open(), await open()];
  walk(one, 2, "a:list", "a:read");
  walk(two, 2, "a:list", "a:read");
  await one.flush();
  await two.flush();
  assert.equal(saved(path).steps["a:list"]["a:read"], 4);
  assert.equal(score(two, "a:list", "a:drop"), 0.35);
});

test("openStepBook: one session, however busy, makes nothing usual and nothing unusual", async (t) => {
  const { open } = setting(t);
  const book = await open();
  walk(book, 24, "a:list", "a:read");
  const flood = Array.from({ length: 2_000 }, () => ["a:list", "a:drop"]).flat();
  walk(book, 1, ...flood);
  assert.equal(score(book, "a:list", "a:drop"), 0.7);
  walk(book, 1, ...Array.from({ length: 500 }, (_, at) => ["a:list", `b:${at}`]).flat());
  assert.equal(score(book, "a:list", "a:read"), 0);
  assert.equal(score(book, "a:list", "a:drop"), 0.7);
  walk(book, 3, "a:list", "a:drop");
  assert.ok((score(book, "a:list", "a:drop") ?? 1) < 0.5, "what three sessions did is known");
});

test("openStepBook: a file that is broken is begun anew, one that cannot be written costs nothing that was learned", async (t) => {
  const { path, folder, open, clock, problems } = setting(t);
  mkdirSync(join(folder, "state"));
  for (const text of ["", "{", "[]", '{"version":2,"steps":{"a:1":{"a:2":9}}}', '{"version":1,"steps":7}']) {
    writeFileSync(path, text);
    assert.equal(score(await open(), "a:1", "a:3"), undefined);
  }
  const book = await open();
  walk(book, 3, "a:1", "a:2");
  // In place of the file, a folder.
  rmSync(path);
  mkdirSync(path);
  await clock.advance(30_000);
  await book.flush();
  assert.equal(problems.length, 1);
  assert.equal(score(book, "a:1", "a:3"), 0.3);
  rmSync(path, { recursive: true });
  walk(book, 1, "a:1", "a:2");
  await book.flush();
  assert.equal(saved(path).steps["a:1"]["a:2"], 4);
  assert.equal(problems.at(-1), undefined);
});

test("openStepBook: only tools are predicted that are there, on servers that are on, for this caller", async (t) => {
  const { open, catalog } = setting(t);
  const book = await open();
  const servers = (...names: string[]) =>
    catalog.setServers(names.map((name) => ({ name, description: "", key: name })));
  servers("a", "b");
  walk(book, 3, "a:list", "a:read");
  walk(book, 4, "a:list", "b:send");
  walk(book, 3, "a:list", "c:gone");
  const predict = (caller = anonymousCaller) => book.predict(makeCall({ caller }), "a:list");
  assert.deepEqual(predict(), []);
  catalog.update("a", "tools", [{ name: "read" }]);
  catalog.update("b", "tools", [{ name: "send" }, { name: "list" }]);
  assert.deepEqual(predict(), [
    { server: "b", tool: "send", confidence: 0.4 },
    { server: "a", tool: "read", confidence: 0.3 },
  ]);
  assert.deepEqual(
    predict({ ...anonymousCaller, backends: ["a"] }).map(({ server }) => server),
    ["a"],
  );
  servers("b");
  assert.deepEqual(
    predict().map(({ server }) => server),
    ["b"],
  );
  catalog.update("b", "tools", [{ name: "list" }]);
  assert.deepEqual(predict(), []);
});

test("createSessionPaths: nothing is opened unless a setting wants it", async (t) => {
  const { options } = setting(t);
  const paths = createSessionPaths(options);
  const stagesOf = (text: object) => paths.forStages(v.parse(configSchema, text));
  assert.deepEqual(await stagesOf({}), {});
  assert.deepEqual(await stagesOf({ security: { firewall: { enabled: false, anomaly_detection: true } } }), {});
  const judging = await stagesOf({ security: { firewall: { anomaly_detection: true } } });
  assert.equal(judging.predictNext, undefined);
  const both = await stagesOf({ meta_mcp: { predict_next: true } });
  assert.ok(both.predictNext !== undefined && both.steps === judging.steps);
  await paths.flush();
});
