/** Takes credentials out of text, and tells which kinds there were. */
import { characterSet } from "../../lib/character-runs.ts";
import { longWords, shortestWord, type TextSurvey } from "../../lib/text-survey/text-survey.ts";
import { withoutBase64 } from "../../lib/without-base64.ts";
import {
  bearerToken,
  type CredentialPattern,
  endOfKeyMark,
  isPlaceholder,
  keyLine,
  longestKeyMark,
  longestUserInfo,
  looksRandom,
  namedSecret,
  passwordInUrl,
  privateKey,
  redactedCredential,
  startOfKeyMark,
  tokens,
} from "./credential-patterns.ts";

export interface Redaction {
  readonly text: string;
  /** Names of the patterns that took something out, each once. */
  readonly rules: readonly string[];
}

/** Has a pattern tried at a place of the text. */
type Attempt = (pattern: CredentialPattern, at: number) => void;
/** Finds the places where patterns may match. */
type Search = (searched: SearchedText, attempt: Attempt) => void;

const searches: readonly Search[] = [findPrivateKeys, findTokens, findUrlPasswords];

/** A text and its long words, which are looked for once. */
class SearchedText {
  readonly text: string;
  readonly #survey: TextSurvey | undefined;
  #words: ArrayLike<number> | undefined;

  constructor(text: string, survey?: TextSurvey) {
    this.text = text;
    this.#survey = survey;
  }

  get words(): ArrayLike<number> {
    this.#words ??= longWords(this.text, this.#survey);
    return this.#words;
  }
}

/**
 * The very same text where nothing had to go.
 * @param survey of the text, where there is one
 */
export function redactCredentials(text: string, survey?: TextSurvey): Redaction {
  const part = withoutBase64(text);
  const readable = new SearchedText(part, part === text ? survey : undefined);
  const rules = new Set<string>();
  let clean = part === text ? readable : new SearchedText(text);
  for (const search of searches)
    if (part === text || redactFound(search, readable, new Set()) !== readable)
      clean = redactFound(search, clean, rules);
  return { text: clean.text, rules: [...rules] };
}

function redactFound(search: Search, searched: SearchedText, rules: Set<string>): SearchedText {
  const { text } = searched;
  /** Where the last match of a pattern ended: nothing is looked at twice. */
  const seenTo = new Map<CredentialPattern, number>();
  let clean = "";
  let kept = 0;
  search(searched, (one, at) => {
    if (at < kept || at < (seenTo.get(one) ?? 0)) return;
    one.pattern.lastIndex = at;
    const match = one.pattern.exec(text);
    if (match === null) return;
    const end = at + match[0].length;
    seenTo.set(one, end);
    const secret = secretIn(one, match);
    if (secret === undefined) return;
    rules.add(one.rule);
    clean += `${text.slice(kept, end - secret.length)}${redactedCredential}`;
    kept = end;
  });
  return kept === 0 ? searched : new SearchedText(clean + text.slice(kept));
}

function findPrivateKeys({ text }: SearchedText, attempt: Attempt): void {
  for (let end = text.indexOf(endOfKeyMark); end >= 0; end = text.indexOf(endOfKeyMark, end + 1)) {
    const least = Math.max(0, end - longestKeyMark);
    const at = text.slice(least, end).lastIndexOf(startOfKeyMark);
    if (at >= 0) attempt(privateKey, least + at);
  }
}

/** Texts have fewer `@` than `://`; between the two there is none of `[\s/@"\\]`. */
function findUrlPasswords({ text }: SearchedText, attempt: Attempt): void {
  for (let end = text.indexOf("@"); end >= 0; end = text.indexOf("@", end + 1)) {
    const least = end - longestUserInfo;
    let at = end - 1;
    while (at >= least && isUserInfo(text.charCodeAt(at))) at--;
    if (text.startsWith("://", at - 2)) attempt(passwordInUrl, at - 2);
  }
}

function isUserInfo(code: number): boolean {
  return code > blank && code !== slash && code !== atSign && code !== quote && code !== backslash;
}

/** Where a token may begin behind the character, though not before it. */
const joints = "+./=~";
const isJoint = characterSet(joints);

/** By their first two characters. */
const tokensByStart = new Map<number, CredentialPattern[]>();
/** Whether there may be some: hardly any word begins like a token. */
const beginsToken = new Uint8Array(0x4000);
for (const one of tokens)
  for (const start of new Set(one.prefixes.map((prefix) => startAt(prefix, 0)))) {
    tokensByStart.set(start, [...(tokensByStart.get(start) ?? []), one]);
    beginsToken[start] = 1;
  }

/** Of characters that are ASCII; others may be taken for some that are. */
function startAt(text: string, at: number): number {
  return ((text.charCodeAt(at) & 0x7f) << 7) | (text.charCodeAt(at + 1) & 0x7f);
}

function attemptTokens(text: string, at: number, attempt: Attempt): void {
  const start = startAt(text, at);
  if (beginsToken[start] === 1) for (const one of tokensByStart.get(start) ?? []) attempt(one, at);
}

/**
 * Tokens, and values that something before them names; all of these are long words or begin within one: no token is
 * shorter, and neither is a value behind a name.
 */
function findTokens({ text, words }: SearchedText, attempt: Attempt): void {
  for (let word = 0; word < words.length; word += 2) {
    const from = words[word] as number;
    const to = words[word + 1] as number;
    const before = text.charCodeAt(from - 1);
    if (before === blank && (text.charCodeAt(from - 2) | 0x20) === letterR)
      attempt(bearerToken, from - "bearer ".length);
    const sign = signBefore(text, from);
    if (isBehindName(text, sign)) attempt(namedSecret, sign);
    attemptTokens(text, from, attempt);
    // The word begins with the end of an escape, as in `\n` or `\u00e9`.
    if (before === backslash) attemptTokens(text, from + (text.charCodeAt(from) === letterU ? 5 : 1), attempt);
    for (let at = from; at <= to - shortestWord; at++) {
      if (isJoint[text.charCodeAt(at)] !== 1) continue;
      if (isBehindName(text, at)) attempt(namedSecret, at);
      attemptTokens(text, at + 1, attempt);
    }
  }
}

const slash = 0x2f;
const atSign = 0x40;
const quote = 0x22;
const backslash = 0x5c;
const equals = 0x3d;
const colon = 0x3a;
const blank = 0x20;
const letterR = 0x72;
const letterU = 0x75;

/** Where the `:` or `=` in front of a value would be. */
function signBefore(text: string, from: number): number {
  let at = from - 1;
  if (isQuote(text.charCodeAt(at))) at--;
  if (text.charCodeAt(at) === backslash) at--;
  if (isBlank(text.charCodeAt(at))) at--;
  return at;
}

/** Whether there is such a sign, and in front of it the last letter of "key", "token", "secret" or "password". */
function isBehindName(text: string, sign: number): boolean {
  const code = text.charCodeAt(sign);
  if (code !== equals && code !== colon) return false;
  let at = sign - 1;
  if (isBlank(text.charCodeAt(at))) at--;
  if (isQuote(text.charCodeAt(at))) at--;
  if (text.charCodeAt(at) === backslash) at--;
  const letter = text.charCodeAt(at) | 0x20;
  return letter === 0x79 || letter === 0x6e || letter === 0x74 || letter === 0x64;
}

function isQuote(code: number): boolean {
  return code === 0x22 || code === 0x27;
}

/** Every character that may be one; what is none does no harm. */
function isBlank(code: number): boolean {
  return code <= 0x20 || code >= 0xa0;
}

/** The end of the match that has to go; `undefined` for what is no credential. */
function secretIn({ isKept, isKey, isRandom }: CredentialPattern, match: RegExpExecArray): string | undefined {
  const secret = isKept ? (match[2] as string) : match[0];
  if (secret.startsWith(redactedCredential.slice(0, 9))) return undefined;
  if (isKey && !keyLine.test(secret)) return undefined;
  if (isRandom ? !looksRandom(secret) : isKept && isPlaceholder(secret)) return undefined;
  return secret;
}
