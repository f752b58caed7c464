import assert from "node:assert/strict";
import { test } from "node:test";
import { exposeNames, type OwnedName } from "../../src/meta/exposed-names.ts";

const entries: OwnedName[] = [
  { server: "files", name: "read_file" },
  { server: "files", name: "search" },
  { server: "web", name: "search" },
  { server: "a", name: "b" },
  { server: "c", name: "b" },
  { server: "d", name: "a_b" },
  { server: "böse server", name: "größe/messen" },
  { server: "long", name: "a_tool_name_that_goes_on_and_on_beyond_every_limit" },
  { server: "long", name: "a_tool_name_that_goes_on_and_on_beyond_every_bound" },
  { server: "x", name: "gateway_invoke" },
];
const names = exposeNames(entries, ["gateway_invoke"]);
const shown = entries.map(({ server, name }) => names.exposed(server, name));

test("exposeNames shows unique names as they are and prefixes the others", () => {
  assert.deepEqual(shown.slice(0, 3), ["read_file", "files_search", "web_search"]);
  assert.equal(shown[9], "x_gateway_invoke");
});

test("exposeNames gives safe, short and distinct names that lead back", () => {
  assert.equal(new Set(shown).size, entries.length);
  for (const [at, name] of shown.entries()) {
    assert.match(name, /^[A-Za-z0-9_-]{1,40}$/);
    assert.deepEqual(names.find(name), entries[at]);
  }
});

test("exposeNames gives the same names whatever the order", () => {
  const reversed = exposeNames(entries.toReversed(), ["gateway_invoke"]);
  assert.deepEqual(
    entries.map(({ server, name }) => reversed.exposed(server, name)),
    shown,
  );
});

test("exposeNames understands an original name only while one server has it", () => {
  assert.deepEqual(names.find("größe/messen"), entries[6]);
  assert.equal(names.find("search"), undefined);
  assert.equal(names.find("nothing"), undefined);
});
