/**
 * T16: text that comes from outside must not decide how long a pattern looks at it. Counted in steps of a backtracking
 * engine, not in time: twice the text may take twice the steps, and so many for a character at most.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { injectionPatterns } from "../../src/lib/injection-patterns.ts";
import {
  destructivePatterns,
  escalationPatterns,
  exfiltrationPatterns,
} from "../../src/stages/context-integrity/instruction-patterns.ts";
import {
  accountName,
  ibanStart,
  numberPatterns,
  plainNumber,
} from "../../src/stages/context-integrity/number-patterns.ts";
import {
  bearerToken,
  namedSecret,
  passwordInUrl,
  privateKey,
  tokens,
} from "../../src/stages/firewall/credential-patterns.ts";
import { encodedBlob, memoryPattern, requestPatterns } from "../../src/stages/firewall/request-patterns.ts";
import { CountingRegExp } from "../fixtures/counting-regexp.ts";

const fragments = (
  "a|0| |\\n|;|; |;rm |&& |$(|$(a|`|` |'|' |' or |1 or |'1'='|union |../|..%2f|%2e|/etc/|-|_|.|=|:|://|://a|://a:|@|eyJ|eyJa-|" +
  "eyJaaaaaaaa.|sk-|-sk-|ghp_|bearer |Bearer a|api_key=|key: |-----BEGIN |-----BEGIN PRIVATE KEY-----|<|<|im_|[|ignore all |" +
  "ignore the |do not tell |do not tell this of |you are now |send |send conversation |you must now |reveal me your |<important |" +
  '"role": |system: |http://|postgres://a:|new instructions |attention |\\\\n|passwd:|' +
  "delete all of the |grant yourself as |turn off all the user |without asking for the |send all data to |curl -d |wget a|![a](http://a?|" +
  "1 |1234 |+1 |+1-|(415) |111.|111111-|12345678|DE89 |account number: "
).split("|");

function steps(pattern: RegExp, text: string): number {
  const counting = new CountingRegExp(pattern);
  counting.test(text);
  return counting.steps;
}

const shortText = 400;
const mostPerCharacter = 2_500;

const patterns: [string, RegExp][] = [
  ...Object.entries(requestPatterns).flatMap(([kind, list]) =>
    list.map(({ rule, pattern }): [string, RegExp] => [`${kind} ${rule}`, pattern]),
  ),
  ["memory", memoryPattern],
  ["encoded blob", encodedBlob],
  ...[privateKey, ...tokens, bearerToken, namedSecret, passwordInUrl].map(({ rule, pattern }): [string, RegExp] => [
    rule,
    pattern,
  ]),
  ...[...injectionPatterns, ...destructivePatterns, ...escalationPatterns, ...exfiltrationPatterns].map(
    ({ rule, pattern }): [string, RegExp] => [rule, pattern],
  ),
  ...numberPatterns.map(({ rule, pattern }, at): [string, RegExp] => [`${rule} ${at}`, pattern]),
  ["name of an account", accountName],
  ["start of an IBAN", ibanStart],
  ["plain number", plainNumber],
];

test("CountingRegExp: matches as the real one does, and finds what is not linear", () => {
  for (const [name, pattern] of patterns)
    for (const fragment of fragments)
      assert.equal(
        new CountingRegExp(pattern).test(fragment.repeat(8)),
        new RegExp(pattern.source, pattern.flags.replace(/[gy]/, "")).test(fragment.repeat(8)),
        `${name} on ${JSON.stringify(fragment)}`,
      );
  assert.ok(steps(/(?:a+)+$/, `${"a".repeat(16)}!`) > 50_000);
  assert.ok(steps(/a*b/, "a".repeat(2_000)) / steps(/a*b/, "a".repeat(1_000)) > 3.5);
});

for (const [name, pattern] of patterns)
  test(`T16: ${name} is linear`, () => {
    for (const fragment of fragments) {
      const [short, long] = [1, 2].map((factor) => {
        const count = Math.ceil((shortText * factor) / fragment.length);
        return steps(pattern, `${fragment.repeat(count)}!`);
      }) as [number, number];
      const what = JSON.stringify(fragment);
      assert.ok(
        long <= short * 2.6 + 20_000,
        `${what}: ${short} steps for ${shortText} characters, ${long} for twice as many`,
      );
      assert.ok(long <= 2 * shortText * mostPerCharacter, `${what}: ${long} steps`);
    }
  });
