import assert from "node:assert/strict";
import { test } from "node:test";
import type { Call } from "../../src/core/call.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { argumentsStage } from "../../src/stages/arguments/arguments-stage.ts";
import { answers, makeCall, on } from "./fixture.ts";

/** What the server gets of these arguments. */
async function sent(args: JsonObject, name = "read"): Promise<Call> {
  const seen: Call[] = [];
  const call = makeCall({ params: { name, arguments: args } });
  await on(argumentsStage(true))(call, (inner) => {
    seen.push(inner);
    return answers(inner);
  });
  return seen[0] as Call;
}

const hidden: Record<string, string> = {
  "an ANSI colour": "\u001b[31m",
  "a C1 sequence": "\u009b",
  "a delete": "\u007f",
  "a zero-width space": "\u200b",
  "a joiner between letters": "\u200d",
  "a byte order mark": "\ufeff",
  "a line separator": "\u2028",
  "a right-to-left override": "\u202e",
  "an isolate": "\u2066",
  "tag letters": "\u{e0068}\u{e0069}",
};

for (const [what, text] of Object.entries(hidden))
  test(`argumentsStage: ${what} is taken out of keys and values, at every depth`, async () => {
    const visible = what === "an ANSI colour" ? "[31m" : "";
    const call = await sent({ [`k${text}ey`]: `a${text}b`, list: [{ inner: `${text}c` }], n: 1 });
    assert.deepEqual(call.params?.["arguments"], {
      [`k${visible}ey`]: `a${visible}b`,
      list: [{ inner: `${visible}c` }],
      n: 1,
    });
  });

test("argumentsStage: text in any script, emoji and line breaks pass, and the very same call with them", async () => {
  const texts = [
    "line one\r\n\tline two",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\u0915\u094d\u200d\u0937",
    "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}",
    "\u2764\ufe0f",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "Größe, naïve, 日本語, العربية, עברית\u200f",
  ];
  const params = { name: "read", arguments: { texts } };
  const call = makeCall({ params });
  const seen: Call[] = [];
  await on(argumentsStage(true))(call, (inner) => {
    seen.push(inner);
    return answers(inner);
  });
  assert.equal(seen[0], call);
});

test("argumentsStage: NUL is refused", async () => {
  await assert.rejects(sent({ path: "a\0b" }), { code: "INVALID_PARAMS" });
  await assert.rejects(sent({ "a\0b": 1 }), { code: "INVALID_PARAMS" });
});

test("argumentsStage: names stay as they are, because the stages before decided by them", async () => {
  assert.equal((await sent({ a: "\u200b" }, "pay\u200b")).params?.["name"], "pay\u200b");
});

test("argumentsStage: long numbers keep their digits", async () => {
  const exact = (JSON as unknown as { rawJSON(text: string): JsonObject }).rawJSON("12345678901234567890");
  const call = await sent({ id: exact, text: "\u200bx" });
  assert.equal(JSON.stringify(call.params?.["arguments"]), '{"id":12345678901234567890,"text":"x"}');
});
