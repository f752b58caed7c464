/**
 * Text and identifiers to search terms: `getUserById`, `get_user_by_id` and "gets the user by their id" share theirs.
 * Splitting, stemming and stop words together are worth more than every other technique measured (see `bench/search.ts`).
 */
import { stem } from "./porter-stemmer.ts";

const stopWords = new Set(
  (
    "a about above after again all also am an and any are as at be because been before being below between both but by " +
    "can could did do does doing don down during each few for from further had has have having he her here hers him his " +
    "how i if in into is it its itself just let ll me more most my myself no nor not now of off on once only or other our " +
    "ours out over own please re s same she should so some such t than that the their theirs them then there these they " +
    "this those through to too under until up ve very was we were what when where which while who whom why will with " +
    "would you your yours d m want need like help give tell know us im always best using use used via etc"
  ).split(" "),
);

const word = /[[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]&&[\p{L}\p{N}]]+|[\p{L}\p{N}\p{M}]+/gv;
const cjk = /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]/u;
/** `getHTTPUrl2` has the parts get, HTTP, Url, 2. */
const part = /\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{N}+|\p{Lu}/gu;
const combiningMarks = /[\u0300-\u036f]/g;
const nonAscii = /[^\x00-\x7f]/;

const stemsKept = 20_000;
const stems = new Map<string, string>();

/** Search terms in order, repetitions kept. Reads at most `maxCharacters` of the text. */
export function tokenize(text: string, maxCharacters = 4_000): string[] {
  const terms: string[] = [];
  const bounded = text.length > maxCharacters ? text.slice(0, maxCharacters) : text;
  for (const [run] of foldAccents(bounded).matchAll(word)) {
    if (nonAscii.test(run) && cjk.test(run)) addBigrams(run, terms);
    else addWord(run, terms);
  }
  return terms;
}

function addWord(run: string, terms: string[]): void {
  const parts = run.match(part) ?? [];
  for (const each of parts) addTerm(each.toLowerCase(), terms);
  // "GitHub", "base64" and "S3" are also looked for as one word.
  if (parts.length === 2) addTerm(run.toLowerCase(), terms);
}

function addTerm(lower: string, terms: string[]): void {
  if (stopWords.has(lower)) return;
  let known = stems.get(lower);
  if (known === undefined) {
    if (stems.size >= stemsKept) stems.clear();
    known = stem(lower);
    stems.set(lower, known);
  }
  terms.push(known);
}

/** Chinese, Japanese and Korean are written without spaces: every two neighbouring characters are a term. */
function addBigrams(run: string, terms: string[]): void {
  const characters = [...run];
  if (characters.length === 1) terms.push(run);
  for (let at = 0; at + 1 < characters.length; at++)
    terms.push(`${characters[at] as string}${characters[at + 1] as string}`);
}

function foldAccents(text: string): string {
  return nonAscii.test(text) ? text.normalize("NFKD").replace(combiningMarks, "").normalize("NFC") : text;
}
