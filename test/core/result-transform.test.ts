import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as v from "valibot";
import { ResultTransform } from "../../src/core/transform/result-transform.ts";
import { resultTransformSchema } from "../../src/core/transform/schema.ts";
import { transformProblems } from "../../src/core/transform/transform-problems.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";

const settings = (changes: object) => v.parse(resultTransformSchema, changes);

/** What becomes of a value that is structured as well as text. */
function transformed(changes: object, value: Json): Json {
  const result = new ResultTransform(settings(changes)).apply({
    content: [{ type: "text", text: JSON.stringify(value) }],
    structuredContent: value,
  });
  const [block] = result["content"] as [{ text: string }];
  assert.deepEqual(JSON.parse(block.text), result["structuredContent"]);
  return result["structuredContent"] as Json;
}

const issue = {
  id: 7,
  title: "It breaks",
  user: { login: "ada", email: "ada@example.org", site_admin: false },
  labels: [
    { name: "bug", color: "f00" },
    { name: "ui", color: "0f0" },
  ],
};

describe("ResultTransform", () => {
  const projections: [paths: string[], kept: Json][] = [
    [["title"], { title: "It breaks" }],
    [["labels.name", "id"], { id: 7, labels: [{ name: "bug" }, { name: "ui" }] }],
    [["labels[].name"], { labels: [{ name: "bug" }, { name: "ui" }] }],
    [["labels[*].name", "labels[0].color"], { labels: [{ color: "f00" }, { name: "ui" }] }],
    [["labels[1]"], { labels: [{ name: "ui", color: "0f0" }] }],
    [["user"], { user: issue.user }],
    [["user", "user.login"], { user: issue.user }],
    [["$.user.login"], { user: { login: "ada" } }],
    [["nothing", "title.deeper"], {}],
  ];
  for (const [paths, kept] of projections)
    test(`project ${paths.join(", ")}`, () => assert.deepEqual(transformed({ project: paths }, issue), kept));

  test("project: of a list every element, and an empty list stays one", () => {
    assert.deepEqual(transformed({ project: ["id"] }, [issue, { id: 8, x: 1 }]), [{ id: 7 }, { id: 8 }]);
    assert.deepEqual(transformed({ project: ["items.id"] }, { items: [], more: 1 }), { items: [] });
    assert.deepEqual(transformed({ project: ["zzz"] }, [issue]), []);
  });

  test("rename: at its place, in lists too, and never over another member", () => {
    const rename = { title: "headline", "user.login": "name", "labels.name": "label", id: "title" };
    assert.deepEqual(
      Object.entries(transformed({ rename, project: ["title", "user.login", "labels.name"] }, issue) as JsonObject),
      [
        ["headline", "It breaks"],
        ["user", { name: "ada" }],
        ["labels", [{ label: "bug" }, { label: "ui" }]],
      ],
    );
    assert.deepEqual(transformed({ rename: { a: "b" } }, { a: 1, b: 2 }), { a: 1, b: 2 });
  });

  test("redact: in every text, plain ones too, with groups and (?i)", () => {
    const redact = [{ pattern: "(?i)[a-z]+@(example\\.org)", replacement: "someone@$1" }, { pattern: "bug" }];
    const value = transformed({ redact }, issue) as typeof issue;
    assert.equal(value.user.email, "someone@example.org");
    assert.equal(value.labels[0]?.name, "[REDACTED]");
    const plain = { content: [{ type: "text", text: "write to ADA@EXAMPLE.ORG or Bo@example.org" }] };
    assert.deepEqual(new ResultTransform(settings({ redact })).apply(plain), {
      content: [{ type: "text", text: "write to someone@EXAMPLE.ORG or someone@example.org" }],
    });
  });

  test("format: flat, and nested back again", () => {
    const flat = transformed({ format: { type: "flat" } }, issue) as JsonObject;
    assert.equal(flat["user.login"], "ada");
    assert.equal(flat["labels.1.name"], "ui");
    assert.deepEqual(transformed({ format: { type: "nested" } }, { "a.b": 1, "a.c": { "d.e": 2 }, f: 3 }), {
      a: { b: 1, c: { d: { e: 2 } } },
      f: 3,
    });
    const hostile = transformed({ format: { type: "nested" } }, JSON.parse('{"__proto__.x": 1, "a": 1, "a.b": 2}'));
    assert.deepEqual(JSON.stringify(hostile), '{"__proto__":{"x":1},"a":1}');
    assert.equal(({} as { x?: number }).x, undefined);
  });

  test("format: a template is filled for each element, and what is structured stays", () => {
    const format = { type: "template", template: "#{id} {title} by {user.login} [{labels.name}]{none}" };
    const transform = new ResultTransform(settings({ format, project: ["id", "title", "user.login", "labels.name"] }));
    const { content, structuredContent } = transform.apply({
      content: [{ type: "text", text: JSON.stringify([issue, { id: 8, title: "{id}" }]) }],
      structuredContent: issue,
    });
    assert.deepEqual(content, [{ type: "text", text: "#7 It breaks by ada [bug, ui]\n#8 {id} by  []" }]);
    assert.deepEqual((structuredContent as JsonObject)["user"], { login: "ada" });
  });

  test("an error keeps what it says, but for secrets", () => {
    const transform = new ResultTransform(settings({ project: ["id"], redact: [{ pattern: "ada" }] }));
    const error = { isError: true, content: [{ type: "text", text: '{"message":"ada may not"}' }] };
    assert.match(JSON.stringify(transform.apply(error)), /\[REDACTED\] may not/);
  });

  test("leaves alone what it does not know: images, long numbers, members of the result", () => {
    const transform = new ResultTransform(settings({ project: ["id"], redact: [{ pattern: "secret" }] }));
    const image = { type: "image", data: "c2VjcmV0", mimeType: "image/png" };
    const resource = { type: "resource", resource: { uri: "a:b", text: '{"id":12345678901234567890,"x":1}' } };
    assert.deepEqual(transform.apply({ content: [image, resource], _meta: { x: 1 } }), {
      content: [image, { type: "resource", resource: { uri: "a:b", text: '{\n  "id": 12345678901234567890\n}' } }],
      _meta: { x: 1 },
    });
  });
});

test("transformProblems: patterns that are none, or that take some texts forever; a template that is missing", () => {
  const redact = ["[", "(a+)+$", "(?P<year>\\d{4})-\\d\\d", "\\d+"].map((pattern) => ({ pattern }));
  const problems = transformProblems(settings({ redact, format: { type: "template" } }));
  assert.deepEqual(
    problems.map(({ path }) => path.join(".")),
    ["redact.0.pattern", "redact.1.pattern", "format"],
  );
  assert.match(String(problems[1]?.text), /repetition within a repetition/);
});
