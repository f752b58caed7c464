import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCapability } from "../../src/capabilities/load.ts";
import { call, Folder, rest, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

test("transform, then response_transform, are what becomes of an answer", async () => {
  const body = JSON.stringify({ items: [{ id: 1, owner: { mail: "ada@example.org" }, noise: "x".repeat(100) }] });
  await using api = await RawApi.start(() => ({ body }));
  const file = {
    description: "d",
    ...rest({ base_url: api.origin, path: "/" }, {}),
    transform: { project: ["items.id", "items.owner.mail"], redact: [{ pattern: "[a-z]+@" }] },
    response_transform: { rename: { items: "issues" }, format: { type: "flat" } },
  };
  await using folder = await Folder.with({ "tool.yaml": JSON.stringify(file) });
  await using upstream = upstreamOver([folder.path]);
  for (let time = 0; time < 2; time++)
    assert.deepEqual(JSON.parse((await call(upstream, "tool", {})).text), {
      "issues.0.id": 1,
      "issues.0.owner.mail": "[REDACTED]example.org",
    });
});

test("a pattern that cannot be used is a problem of the file, with its place", async () => {
  const text = `description: d
providers: {primary: {config: {base_url: https://h}}}
transform:
  redact:
    - pattern: ok
    - pattern: "(a+)+"
response_transform: {format: {type: template}}
`;
  await assert.rejects(loadCapability({ path: "t.yaml", content: { text } }), (error: Error) => {
    assert.deepEqual(
      error.message.split("\n").map((line) => line.replace(/(used|template").*/, "$1")),
      [
        't.yaml:6:7  "transform.redact.1.pattern" cannot be used',
        't.yaml:7:22  "response_transform.format" needs "template"',
      ],
    );
    return true;
  });
});
