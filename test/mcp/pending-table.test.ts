import assert from "node:assert/strict";
import { test } from "node:test";
import { PendingTable } from "../../src/mcp/pending-table.ts";

function add(table: PendingTable<{ readonly id: number }>) {
  const entry = { id: table.nextId() };
  table.add(entry);
  return entry;
}

test("PendingTable never gives an id twice, and finds every entry however many stay for long", () => {
  const table = new PendingTable<{ readonly id: number }>();
  const seen = new Set<number>();
  const staying: { readonly id: number }[] = [];
  for (let count = 0; count < 20_000; count++) {
    const entry = add(table);
    assert.ok(!seen.has(entry.id));
    seen.add(entry.id);
    if (count % 10 === 0) staying.push(entry);
    else table.delete(entry);
  }
  assert.equal(table.size, staying.length);
  for (const entry of staying) assert.equal(table.get(entry.id), entry);
  assert.deepEqual(
    table.all().sort((a, b) => a.id - b.id),
    staying,
  );
});

test("an id that is not waiting finds nothing, whatever it is", () => {
  const table = new PendingTable<{ readonly id: number }>();
  const first = add(table);
  const second = add(table);
  table.delete(first);
  table.delete(first);
  assert.equal(table.size, 1);
  for (const id of [first.id, second.id + 64, -second.id, second.id + 0.5, String(second.id), null, Number.NaN])
    assert.equal(table.get(id), undefined, String(id));
  table.clear();
  assert.equal(table.size, 0);
  assert.equal(table.get(second.id), undefined);
  assert.ok(add(table).id > second.id);
});
