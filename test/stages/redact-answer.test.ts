import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import { redactAnswer } from "../../src/stages/redact-answer.ts";

const redact = (text: string) => text.replaceAll("12345", "[hidden]");

test("redactAnswer: where nothing is hit, the answer is the very same", () => {
  const answer = Answer.ofText('{"text":"none"}');
  assert.equal(redactAnswer(answer, redact), answer);
});

test("redactAnswer: a secret of digits goes out of texts, and numbers keep all of theirs", () => {
  const answer = Answer.ofText('{"text":"pin 12345","id":98712345678901234567}');
  assert.equal(redactAnswer(answer, redact).text, '{"text":"pin [hidden]","id":98712345678901234567}');
});

test("redactAnswer: no escape hides a secret", () => {
  const answer = Answer.ofText('{"text":"1\\u0032345"}');
  assert.equal(redactAnswer(answer, redact).text, '{"text":"[hidden]"}');
});
