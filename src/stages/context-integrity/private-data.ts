/**
 * Finds what belongs to somebody: addresses, numbers, accounts. Linear, and it does not look at every character: a number has
 * eight of its characters in a row, an address has an `@`.
 */

import { characterSet, endOfRun, nextRun } from "../../lib/character-runs.ts";
import { isIban } from "./check-digits.ts";
import { ibanLengths } from "./iban-lengths.ts";
import { accountName, ibanStart, numberPatterns, type PrivateRule, plainNumber } from "./number-patterns.ts";

export interface PrivatePart {
  readonly rule: PrivateRule;
  readonly start: number;
  readonly end: number;
}

/** So many different addresses are a list of people; fewer are how a text says whom to write to. */
const bulkAddresses = 5;

type Take = (rule: PrivateRule, start: number, end: number) => void;

/** The rules that the text breaks: addresses only in bulk. */
export function privateRules(text: string): Set<PrivateRule> {
  const rules = new Set<PrivateRule>();
  const addresses = new Set<string>();
  findAddresses(text, (_rule, start, end) => {
    if (addresses.size < bulkAddresses) addresses.add(text.slice(start, end).toLowerCase());
  });
  if (addresses.size >= bulkAddresses) rules.add("email");
  findNumbers(text, (rule) => rules.add(rule));
  return rules;
}

/** What breaks one of the rules, in the order it begins, longer parts first. */
export function privateParts(text: string, rules: ReadonlySet<PrivateRule>): PrivatePart[] {
  const parts: PrivatePart[] = [];
  const take: Take = (rule, start, end) => {
    if (rules.has(rule)) parts.push({ rule, start, end });
  };
  if (rules.has("email")) findAddresses(text, take);
  findNumbers(text, take);
  return parts.sort((a, b) => a.start - b.start || b.end - a.end);
}

const backslash = 0x5c;
const letterU = 0x75;
const escapeLetters = "bfnrt";
const longestLocalPart = 64;
const longestDomain = 255;

const localPart = characterSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-");
const domain = characterSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-");
/** Digits, and what is written between them; a space of another width too. */
const digitOrMark = characterSet("0123456789 +-.()\u00a0\u202f");
const digit = characterSet("0123456789");

function findAddresses(text: string, take: Take): void {
  let free = 0;
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    let start = at;
    const least = Math.max(free, at - longestLocalPart);
    while (start > least && localPart[text.charCodeAt(start - 1)] === 1) start--;
    start = behindEscape(text, start);
    let end = endOfRun(text, at + 1, domain, Math.min(text.length, at + 1 + longestDomain));
    if (start >= at || !/^[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,24}(?=[.-]*$)/.test(text.slice(at + 1, end))) continue;
    while (!/[A-Za-z]/.test(text[end - 1] as string)) end--;
    take("email", start, end);
    free = end;
  }
}

/** Where a word begins that seems to begin within an escape of JSON: `\nalice` is a line break and `alice`. */
function behindEscape(text: string, start: number): number {
  if (text.charCodeAt(start - 1) !== backslash) return start;
  if (text.charCodeAt(start) === letterU) return start + 5;
  return escapeLetters.includes(text[start] as string) ? start + 1 : start;
}

/** Digits and marks in a row that the shortest of the numbers has. */
const shortestRun = 8;
const fewestDigits = 6;
/** Of a run, what is looked at in one go, and what of it is looked at with the next: more than a number is long. */
const longestLook = 512;
const overlap = 48;

function findNumbers(text: string, take: Take): void {
  const next = (from: number) => nextRun(text, from, shortestRun, digitOrMark);
  for (let start = next(0); start >= 0; ) {
    const end = endOfRun(text, start, digitOrMark, Math.min(text.length, start + longestLook));
    let digits = 0;
    for (let at = start; at < end; at++) digits += digit[text.charCodeAt(at)] as number;
    if (digits >= fewestDigits) lookAtRun(text, start, end, digits, take);
    start = next(end === start + longestLook ? end - overlap : end);
  }
}

/** What is looked at on both sides of a run: an escape of JSON before it, a letter behind it. */
const aside = 6;

function lookAtRun(text: string, start: number, end: number, digits: number, take: Take): void {
  findNamedAccount(text, start, end, take);
  if (isUpperCase(text.charCodeAt(start - 1))) findIban(text, start, take);
  const run = text.slice(start, end);
  // A day has eight digits, and what has no more of them begins with a plus or ends with a letter.
  if (!isUpperCase(text.charCodeAt(end)) && (plainNumber.test(run) || (digits <= 8 && !run.includes("+")))) return;
  const from = Math.max(0, start - aside);
  const piece = text.slice(from, end + aside);
  for (const { rule, pattern, isValid } of numberPatterns) {
    pattern.lastIndex = Math.max(start, endOfEscape(text, start)) - from;
    for (let match = pattern.exec(piece); match !== null; match = pattern.exec(piece)) {
      const found = from + match.index;
      if (isValid(match[0])) take(rule, found, found + match[0].length);
      // The next number may begin within what is none.
      else pattern.lastIndex = match.index + 1;
    }
  }
}

/** Where the escape ends that the place may be in: the digits of `\u20ac` are nobody's. */
function endOfEscape(text: string, at: number): number {
  for (let back = 2; back <= 5; back++)
    if (text.charCodeAt(at - back) === backslash && text.charCodeAt(at - back + 1) === letterU) return at - back + 6;
  return at;
}

function isUpperCase(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

/** Country, check digits and bank, up to where the digits of the account may begin. */
const ibanReach = 16;

function findIban(text: string, start: number, take: Take): void {
  const from = Math.max(0, start - ibanReach);
  for (const { index } of text.slice(from, start + 2).matchAll(ibanStart)) {
    const first = from + index;
    const length = ibanLengths.get(text.slice(first, first + 2));
    if (length === undefined) continue;
    let letters = "";
    let end = first;
    // In groups or in one.
    for (const most = first + 2 * length; letters.length < length && end < most; end++) {
      const character = text[end] ?? "";
      if (/[A-Z0-9]/.test(character)) letters += character;
      else if (!/[ \u00a0-]/.test(character)) break;
    }
    if (letters.length < length || /[A-Za-z0-9]/.test(text[end] ?? "") || !isIban(letters)) continue;
    take("iban", first, end);
    return;
  }
}

const accountReach = 40;
/** A quick look: the marks behind a name, and the letters that the names end with. */
const marksBehindName = 8;
const isMarkBehindName = characterSet(".:\"'=\\ #");
const isEndOfName = characterSet("reoREO");
const accountDigits = /\d[\d -]{4,20}\d/y;

/** Numbers without check digits, where the text says what they are. */
function findNamedAccount(text: string, start: number, end: number, take: Take): void {
  let first = start;
  while (first < end && digit[text.charCodeAt(first)] === 0) first++;
  let last = first - 1;
  while (last >= first - marksBehindName && isMarkBehindName[text.charCodeAt(last)] === 1) last--;
  if (isEndOfName[text.charCodeAt(last)] !== 1) return;
  if (!accountName.test(text.slice(Math.max(0, first - accountReach), first))) return;
  accountDigits.lastIndex = first;
  const match = accountDigits.exec(text);
  if (match !== null) take("bank-account", first, first + match[0].length);
}
