/** Where words stand in a text: one look at it, however many the words are. */
import { WasmModule } from "../wasm-module.ts";
import { placesWasm } from "./places-wasm.ts";

/** By a row of so many letters, the rarest of it, each word is found; behind a shorter one anything may stand. */
const rowLetters = 4;
/** The lower bits of a letter, which are the same in both cases. */
const letterMask = 31;
const rowHashes = 8_192;
/** A program that sees no longer texts saves the megabytes that the runtime takes for WebAssembly. */
const shortChars = 1_024;

interface Word<T> {
  /** In lower case. */
  readonly word: string;
  /** Of its row. */
  readonly offset: number;
  readonly meaning: T;
}

/** Called with what a word means, and with where it begins. */
type Visit<T> = (meaning: T, at: number) => void;

/** Takes 0.03 ms for 100 kB, and 0.2 ms where the processor cannot look at several letters at once. */
export class WordPlaces<T> {
  readonly #words = new Map<number, Word<T>[]>();
  /** The letters that words are found by. */
  readonly #letters = new Set<string>();
  /** By hash: 1 for rows of words. */
  readonly #rows = new Uint8Array(rowHashes);
  #looker: Looker | "none" | undefined;

  /**
   * @param words in lower case, each with what it means; a word may mean several things
   * @param isOld as on a processor that can look at one letter at a time only
   */
  constructor(words: Iterable<readonly [string, T]>, isOld = false) {
    if (isOld) this.#looker = "none";
    for (const [word, meaning] of words) {
      const offset = rarestRow(word);
      const letters = word.slice(offset, offset + rowLetters);
      this.#letters.add(letters);
      for (const row of rowsOf(letters)) {
        this.#words.set(row, [...(this.#words.get(row) ?? []), { word, offset, meaning }]);
        this.#rows[hashOf(row)] = 1;
      }
    }
  }

  /** Calls `visit` with each place where a word begins, in whatever case it is. */
  visit(text: string, visit: Visit<T>): void {
    const looker = text.length > shortChars ? this.#loaded() : "none";
    if (looker === "none") this.#visitByLetter(text, visit);
    else this.#visitFound(text, looker, visit);
  }

  #loaded(): Looker | "none" {
    this.#looker ??= newLooker([...this.#letters], this.#rows) ?? "none";
    return this.#looker;
  }

  #visitFound(text: string, looker: Looker, visit: Visit<T>): void {
    for (let from = 0; from < text.length; from += mostBytes) {
      const count = looker.look(text.slice(from, from + mostBytes + rowLetters));
      for (let at = 0; at < count; at++) this.#visitAt(text, from + (looker.places[at] as number), visit);
    }
  }

  #visitByLetter(text: string, visit: Visit<T>): void {
    let row = 0;
    for (let end = 0; end < text.length; end++) {
      row = nextRow(row, text.charCodeAt(end));
      if (this.#rows[hashOf(row)] === 1) this.#visitAt(text, end + 1 - rowLetters, visit);
    }
    // A word of three letters may stand at the end.
    if (this.#rows[hashOf(nextRow(row, 0))] === 1) this.#visitAt(text, text.length + 1 - rowLetters, visit);
  }

  #visitAt(text: string, at: number, visit: Visit<T>): void {
    let row = 0;
    for (let letter = 0; letter < rowLetters; letter++) row = nextRow(row, text.charCodeAt(at + letter));
    for (const { word, offset, meaning } of this.#words.get(row) ?? [])
      if (isAt(text, at - offset, word)) visit(meaning, at - offset);
  }
}

/** Of English and of what surrounds it in JSON, the rarest first; what is not here is rarer still. */
const byFrequency = "|]<>zqxjkvbpygfwmucldrhsnioate '_-";
/** Of English, more common than their letters are. */
const common = /ion|ver|ken|for|key|not|men|cre|ing|ent|ter|con|pro|com|res|ess|per/;
const commonRank = byFrequency.length;

/** Where the rarest row of the word begins. */
function rarestRow(word: string): number {
  const rank = (at: number) => {
    const letters = word.slice(at, at + rowLetters);
    const first = common.test(letters) ? commonRank : 0;
    return [...letters].reduce((sum, letter) => sum + byFrequency.indexOf(letter), first);
  };
  let best = 0;
  for (let at = 1; at + rowLetters <= word.length; at++) if (rank(at) < rank(best)) best = at;
  return best;
}

/** Of four letters one; of fewer, one with each letter that may follow. */
function* rowsOf(letters: string): Generator<number> {
  const known = [...letters].reduce((row, letter) => nextRow(row, letter.charCodeAt(0)), 0);
  if (letters.length === rowLetters) yield known;
  else for (let letter = 0; letter <= letterMask; letter++) yield nextRow(known, letter);
}

/** As the four letters stand in memory. */
function nextRow(row: number, code: number): number {
  return (row >>> 8) | ((code & letterMask) << 24);
}

/** As in places.as. */
function hashOf(row: number): number {
  return Math.imul(row, -0x61c8864f) >>> 19;
}

function isAt(text: string, from: number, word: string): boolean {
  for (let at = 0; at < word.length; at++) {
    const wanted = word.charCodeAt(at);
    const code = text.charCodeAt(from + at);
    if (code === wanted) continue;
    const isLetter = wanted >= 0x61 && wanted <= 0x7a;
    if (!isLetter || (code | 0x20) !== wanted) return false;
  }
  return true;
}

/** What places.as exports: where something is in its memory. */
interface Places extends Readonly<Record<"lettersAt" | "rowsAt" | "bytesAt" | "placesAt", WebAssembly.Global<"i32">>> {
  readonly memory: WebAssembly.Memory;
  look(length: number): number;
}

/** As in places.as. */
const mostBytes = 32_768;
const readBehind = 32;
const groups = 8;

const module = new WasmModule<Places>(placesWasm);

function newLooker(letters: readonly string[], rows: Uint8Array): Looker | undefined {
  const exports = module.instance();
  return exports && new Looker(exports, letters, rows);
}

const encoder = new TextEncoder();

/** Looks at sixteen places at once. */
class Looker {
  /** What was found last. */
  readonly places: Uint32Array;
  readonly #look: Places["look"];
  readonly #bytes: Buffer;

  /** @param rows by hash */
  constructor(
    { memory, look, lettersAt, rowsAt, bytesAt, placesAt }: Places,
    letters: readonly string[],
    rows: Uint8Array,
  ) {
    const { buffer } = memory;
    new Uint8Array(buffer).set(rows, rowsAt.value);
    const codes = letterMask + 1;
    const tables = new Uint8Array(buffer, lettersAt.value, rowLetters * codes);
    // Those that begin alike are in one group, which then has few first letters.
    for (const [place, row] of [...letters].sort().entries()) {
      const group = 1 << Math.floor((place * groups) / letters.length);
      for (let at = 0; at < rowLetters * codes; at++) {
        const letter = row.charCodeAt(Math.floor(at / codes));
        if (Number.isNaN(letter) || (letter & letterMask) === at % codes) tables[at] = (tables[at] as number) | group;
      }
    }
    this.#look = look;
    this.#bytes = Buffer.from(buffer, bytesAt.value, mostBytes + 2 * readBehind);
    this.places = new Uint32Array(buffer, placesAt.value);
  }

  /** Of a text of `mostBytes` characters, and a few behind them that only complete a row. */
  look(text: string): number {
    const { length } = text;
    // This is quick everywhere, but right for ASCII only.
    const isAscii = encoder.encodeInto(text, this.#bytes).written === length;
    // Characters beyond Latin-1 may be taken for others: what is found is looked at again.
    if (!isAscii) this.#bytes.write(text, "latin1");
    this.#bytes.fill(0, length, length + readBehind);
    return this.#look(Math.min(length, mostBytes));
  }
}
