import assert from "node:assert/strict";
import { test } from "node:test";
import { parseXml, XmlError } from "../../src/lib/xml.ts";

test("parseXml: elements, attributes, text, lists, CDATA and references", () => {
  const text = `\ufeff<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE feed>
<!-- a comment <with> marks -->
<g:Envelope xmlns:g="http://x" a='1 &lt; 2'>
  <Cube currency="USD" rate="1.08"/><Cube currency="JPY" rate = "160"/>
  <p>one <b>two</b> three &amp; &#65;&#x42;</p><![CDATA[<raw> & ]]>
  <empty></empty><?php ignored ?>
</g:Envelope>
`;
  assert.deepEqual(parseXml(text), {
    "g:Envelope": {
      "@xmlns:g": "http://x",
      "@a": "1 < 2",
      Cube: [
        { "@currency": "USD", "@rate": "1.08" },
        { "@currency": "JPY", "@rate": "160" },
      ],
      p: { b: "two", "#text": "one  three & AB" },
      empty: "",
      "#text": "<raw> &",
    },
  });
});

test("parseXml: names of members every object has are data", () => {
  const value = parseXml("<__proto__><constructor>1</constructor><toString/></__proto__>");
  assert.equal(JSON.stringify(value), '{"__proto__":{"constructor":"1","toString":""}}');
  assert.equal(({} as { constructor: unknown }).constructor, Object);
});

const refused: readonly (readonly [string, RegExp])[] = [
  ["", /There is no element/],
  ["text", /Text outside/],
  ["<a>", /<a> is not closed/],
  ["<a></b>", /<\/b> closes nothing/],
  ["</a>", /<\/a> closes nothing/],
  ["<a/><b/>", /a second element/],
  ["<a x=1/>", /"x" is not in quotes/],
  ["<a x/>", /"x" has no value/],
  ['<a x="1" x="2"/>', /"x" is there twice/],
  ['<a x="1"y="2"/>', /not well-formed/],
  ["<a>&nbsp;</a>", /"&nbsp;" is not defined/],
  ["<a>a & b</a>", /"&" is not defined/],
  ["<a>&#x110000;</a>", /is not defined/],
  ["<a><!-- </a>", /"<!--" is not closed/],
  ["<a><![CDATA[ </a>", /CDATA is not closed/],
  ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', /definitions of its own/],
  ["<a><!DOCTYPE a></a>", /definitions of its own/],
  ["< a/>", /A name is expected/],
];

for (const [text, message] of refused)
  test(`parseXml: ${text || "nothing"} is refused`, () => {
    assert.throws(
      () => parseXml(text),
      (error) => error instanceof XmlError && message.test(error.message),
    );
  });

test("T15: XML as deep or as crooked as can be ends at once", () => {
  assert.throws(() => parseXml("<a>".repeat(100_000)), /nested deeper than 64 levels/);
  assert.throws(() => parseXml(`<a ${"x ".repeat(50_000)}`), XmlError);
  assert.throws(() => parseXml(`<a>${"<!-- ".repeat(50_000)}`), XmlError);
  assert.throws(() => parseXml(`<a>${"&".repeat(100_000)}</a>`), XmlError);
});
