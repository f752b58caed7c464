import assert from "node:assert/strict";
import { test } from "node:test";
import { findings, loadText } from "./fixture.ts";

test("transform: names that are none or taken, patterns and templates that cannot be used", async (t) => {
  const text = `backends:
  a:
    command: x
    transform:
      namespace: a_
      rename: {one: new, two: new, three: "no name"}
      tools:
        one: {response: {redact: [{pattern: "("}]}}
      response: {format: {type: template}}
`;
  const found = await findings(t, text);
  assert.deepEqual(
    found.map((line) => line.replace(/: [A-Z].*/, "")),
    [
      'gateway.yaml:6:26  backends.a.transform.rename.two has the name that "one" gets',
      "gateway.yaml:6:36  backends.a.transform.rename.three is no name for a tool: 1 to 128 letters, digits, _, - and . are",
      "gateway.yaml:8:36  backends.a.transform.tools.one.response.redact[0].pattern cannot be used",
      'gateway.yaml:9:18  backends.a.transform.response.format needs "template", the text with its {path}s',
    ],
  );
});

test("transform: a misspelt key is named, fixed arguments may be anything", async (t) => {
  const text = (key: string) => `backends:
  a: {command: x, transform: {${key}: {search: {arguments: {owner: acme, deep: {a: [1]}}}}}}
`;
  const { config } = await loadText(t, text("tools"));
  assert.deepEqual(config?.backends["a"]?.transform?.tools["search"]?.arguments, { owner: "acme", deep: { a: [1] } });
  assert.match((await findings(t, text("tool"))).join(), /transform\.tool .*did you mean "tools"\?/);
});

test("response_contract: a pattern that cannot be used, with its place", async (t) => {
  const text = `security:
  response_contract: {enabled: true, tools: {"a:*": {forbidden_patterns: [ok, "(x*)*"]}}}
`;
  const [only, ...others] = await findings(t, text);
  assert.match(
    only ?? "",
    /^gateway.yaml:2:\d+ {2}security\.response_contract\.tools.*forbidden_patterns\[1\] cannot be used/,
  );
  assert.deepEqual(others, []);
});
