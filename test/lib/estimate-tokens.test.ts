import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { configJsonSchema } from "../../src/config/generate.ts";
import { estimateTokens } from "../../src/lib/estimate-tokens.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Texts as the gateway counts them, and prose and code beside. */
const samples: Readonly<Record<string, string>> = {
  "a large JSON Schema": JSON.stringify(configJsonSchema()),
  "a long text": readFileSync(`${root}/README.md`, "utf8").slice(0, 12_000),
  "a tool": JSON.stringify({
    name: "create_pull_request_review_comment",
    description:
      "Create a review comment on a specific line of a pull request. Requires write access to the repository.",
    inputSchema: {
      type: "object",
      properties: {
        owner: { type: "string", description: "Repository owner (username or organization)" },
        pullNumber: { type: "integer", minimum: 1, description: "Number of the pull request" },
        commentBody: { type: "string", description: "Text of the comment, Markdown allowed" },
        side: { type: "string", enum: ["LEFT", "RIGHT"], default: "RIGHT" },
      },
      required: ["owner", "pullNumber", "commentBody"],
      additionalProperties: false,
      $schema: "http://json-schema.org/draft-07/schema#",
    },
  }),
};

for (const [name, text] of Object.entries(samples))
  test(`estimateTokens: within 8 % of the o200k tokenizer on ${name}`, () => {
    const exact = encode(text).length;
    const ratio = estimateTokens(text) / exact;
    assert.ok(ratio > 0.92 && ratio < 1.08, `${(ratio * 100).toFixed(1)} % of ${exact}`);
  });

test("estimateTokens: nothing costs nothing, and a megabyte of anything is counted in one pass", () => {
  assert.equal(estimateTokens(""), 0);
  assert.equal(estimateTokens(" \t".repeat(5e5)), 0);
  for (const text of ["a".repeat(1e6), '"\\'.repeat(5e5), "aA".repeat(5e5), `${" \t".repeat(5e5)}"`])
    assert.ok(estimateTokens(text) > 0);
});
