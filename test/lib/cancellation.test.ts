import assert from "node:assert/strict";
import { test } from "node:test";
import { Cancellation } from "../../src/lib/cancellation.ts";

test("Cancellation tells every listener once, in order, with the first reason", () => {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  const first = () => heard.push(`first ${cancellation.reason}`);
  const second = { handleEvent: () => heard.push("second") };
  for (const listener of [first, second, first, second, () => heard.push("third")])
    cancellation.addEventListener("abort", listener);
  cancellation.abort("a");
  cancellation.abort("b");
  cancellation.addEventListener("abort", first);
  assert.deepEqual(heard, ["first a", "second", "third"]);
  assert.equal(cancellation.reason, "a");
  assert.equal(cancellation.aborted, true);
});

test("Cancellation forgets removed listeners, the first like the others", () => {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  const listeners = ["a", "b", "c"].map((name) => () => heard.push(name));
  for (const listener of listeners) cancellation.addEventListener("abort", listener);
  cancellation.removeEventListener("abort", listeners[0]!);
  cancellation.removeEventListener("abort", listeners[2]!);
  cancellation.addEventListener("abort", listeners[0]!);
  cancellation.removeEventListener("abort", () => {});
  cancellation.abort();
  assert.deepEqual(heard.sort(), ["a", "b"]);
});
