/**
 * One quick look through a long JSON text for what several would each look through it for. WebAssembly takes 64 bytes at
 * once: 2 to 2.5 ms for 10 MB, of which half a millisecond is making the text of the bytes. JavaScript takes 7 ms for it.
 */
import { characterSet, endOfRun, nextRun } from "../character-runs.ts";
import { decodeUtf8 } from "../utf8.ts";
import { WasmModule } from "../wasm-module.ts";
import { blocksWasm } from "./blocks-wasm.ts";

/** Words here are of these characters. All of them are ASCII. */
const wordCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+./=~";
const inWords = characterSet(wordCharacters);
/** Words of so many characters are long. */
export const shortestWord = 15;
/** Behind a backslash, of JSON's escapes that are of two characters. */
const shortEscapes = '"\\/bfnrt';

/** Strings of more characters are long, and shorter texts have none. */
const longStringChars = 16_384;
/** Where there are more quotation marks, what is behind them is not looked at for long strings. */
const mostMarks = 4_096;

/** Of a text, or of a part of one. */
export class TextSurvey {
  readonly #text: string;
  readonly #longWords: Uint32Array;
  readonly #longStrings: readonly number[];
  #skeleton: string | undefined;

  /** @param longWords pairs in ascending order: where one begins and where it ends; `longStrings` as well, their quotation marks */
  constructor(text: string, longWords: Uint32Array, longStrings: readonly number[]) {
    this.#text = text;
    this.#longWords = longWords;
    this.#longStrings = longStrings;
  }

  get longWords(): ArrayLike<number> {
    return this.#longWords;
  }

  /**
   * The text with long strings emptied: valid JSON exactly if the text is. Images, files and prose come as strings with
   * simple escapes, and making megabytes of them, to see that they are valid, would take a fifth of the time and half the
   * memory of relaying them. A string with `\u` stays: who looks for what is written so must find it.
   */
  get skeleton(): string {
    this.#skeleton ??= emptied(this.#text, this.#longStrings);
    return this.#skeleton;
  }

  /** Of `text`, which begins at `from` and ends at `to`, neither of them within a word or a string. It takes this one's place. */
  cut(text: string, from: number, to: number): TextSurvey {
    const isInside = (at: number) => at >= from && at < to;
    const strings = this.#longStrings.filter(isInside).map((at) => at - from);
    const words = this.#longWords;
    let [first, end] = [0, words.length];
    while (first < end && !isInside(words[first] as number)) first += 2;
    while (first < end && !isInside(words[end - 2] as number)) end -= 2;
    const inside = words.subarray(first, end);
    for (let at = 0; at < inside.length; at++) inside[at] = (inside[at] as number) - from;
    return new TextSurvey(text, inside, strings);
  }
}

/** `undefined` for short texts, and where the processor cannot do it. */
export function surveyText(text: string): TextSurvey | undefined {
  const surveyor = beginSurvey(text.length);
  if (surveyor === undefined) return undefined;
  for (let at = 0; at < text.length; at += pieceLength) {
    const { written } = encoder.encodeInto(text.slice(at, at + pieceLength), surveyor.room);
    surveyor.advance(written);
  }
  return surveyor.end(() => text).survey;
}

interface SurveyedText {
  readonly text: string;
  readonly survey: TextSurvey | undefined;
}

/**
 * The text of UTF-8 bytes, a byte order mark at their beginning dropped, with its survey.
 * @param surveyor that was given all of them
 * @throws TypeError when they are not UTF-8
 */
export function decodeSurveyed(bytes: Uint8Array, surveyor = surveyorOf(bytes)): SurveyedText {
  if (surveyor === undefined) return { text: decodeUtf8(bytes), survey: undefined };
  return surveyor.end((isAscii) => (isAscii ? latin1(bytes) : decodeUtf8(bytes)));
}

function surveyorOf(bytes: Uint8Array): Surveyor | undefined {
  const surveyor = beginSurvey(bytes.byteLength);
  surveyor?.push(bytes);
  return surveyor;
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}

/**
 * Where the long words of a text begin and end, one after the other.
 * @param survey of this very text
 */
export function longWords(text: string, survey = surveyText(text)): ArrayLike<number> {
  if (survey !== undefined) return survey.longWords;
  const places: number[] = [];
  let from = nextRun(text, 0, shortestWord, inWords);
  while (from >= 0) {
    const to = endOfRun(text, from + shortestWord, inWords);
    places.push(from, to);
    from = nextRun(text, to, shortestWord, inWords);
  }
  return places;
}

const blockBytes = 64;
/** Bytes, or characters, of which UTF-8 makes three times as many bytes at most. */
const pieceLength = 65_536;
const blank = 0x20;
const encoder = new TextEncoder();

/** What blocks.as exports: where something is in its memory, and what it has found. */
type BlocksValue =
  | ("wordTableAt" | "escapeTableAt" | "highBitAt" | "bytesAt" | "mostBytes" | "wordsAt" | "stringsAt")
  | ("units" | "words" | "strings" | "hasControls" | "isAscii");
interface Blocks extends Readonly<Record<BlocksValue, WebAssembly.Global<"i32">>> {
  readonly memory: WebAssembly.Memory;
  begin(longString: number, mostMarks: number): void;
  survey(byteLength: number): void;
}

const blocks = new WasmModule<Blocks>(blocksWasm);
/** Those that are done; each has 320 kB. */
const idle: Surveyor[] = [];
const mostIdle = 4;

/** For a text, or bytes of one, of so many; `undefined` for short ones, and where the processor cannot do it. */
export function beginSurvey(length: number): Surveyor | undefined {
  if (length <= longStringChars) return undefined;
  const surveyor = idle.pop() ?? newSurveyor();
  surveyor?.begin();
  return surveyor;
}

function newSurveyor(): Surveyor | undefined {
  const exports = blocks.instance();
  return exports && new Surveyor(exports);
}

/**
 * Takes a text piece by piece, best as they come, while each is in the processor's cache. One that is never ended is
 * simply forgotten.
 */
export class Surveyor {
  readonly #blocks: Blocks;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array;
  readonly #strings: Uint32Array;
  /** Bytes that are no block yet. */
  #held = 0;
  /** Room for them, and more. */
  #longWords = new Uint32Array(0);
  #longWordsLength = 0;
  #longStrings: number[] = [];

  constructor(blocks: Blocks) {
    const { buffer } = blocks.memory as { readonly buffer: ArrayBuffer };
    new Uint8Array(buffer, blocks.wordTableAt.value, 16).set(tableOf(wordCharacters));
    new Uint8Array(buffer, blocks.escapeTableAt.value, 16).set(tableOf(shortEscapes));
    new Uint8Array(buffer, blocks.highBitAt.value, 8).set([1, 2, 4, 8, 16, 32, 64, 128]);
    this.#blocks = blocks;
    this.#bytes = new Uint8Array(buffer, blocks.bytesAt.value, blocks.mostBytes.value);
    this.#words = new Uint32Array(buffer, blocks.wordsAt.value);
    this.#strings = new Uint32Array(buffer, blocks.stringsAt.value);
  }

  begin(): void {
    this.#blocks.begin(longStringChars, mostMarks);
    this.#held = 0;
    this.#longWords = new Uint32Array(1_024);
    this.#longWordsLength = 0;
    this.#longStrings = [];
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; at += pieceLength) {
      const piece = bytes.subarray(at, at + pieceLength);
      this.room.set(piece);
      this.advance(piece.byteLength);
    }
  }

  /** Where the next bytes belong. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#held);
  }

  /** So many bytes are there now. */
  advance(byteLength: number): void {
    const end = this.#held + byteLength;
    this.#held = end % blockBytes;
    this.#look(end - this.#held);
    this.#bytes.copyWithin(0, end - this.#held, end);
  }

  /**
   * Those were all; it must not be used again.
   * @param decode makes a text of them; without a survey if they were not exactly that: a byte order mark is not in it
   */
  end(decode: (isAscii: boolean) => string): SurveyedText {
    const padding = blockBytes - this.#held;
    this.#bytes.fill(blank, this.#held, blockBytes);
    this.#look(blockBytes);
    const { units, hasControls, isAscii } = this.#blocks;
    const length = units.value - padding;
    const longStrings = hasControls.value === 1 ? [] : this.#longStrings;
    const longWords = this.#longWords.subarray(0, this.#longWordsLength);
    const text = decode(isAscii.value === 1);
    if (idle.length < mostIdle) idle.push(this);
    return { text, survey: length === text.length ? new TextSurvey(text, longWords, longStrings) : undefined };
  }

  #look(byteLength: number): void {
    const { words, strings } = this.#blocks;
    this.#blocks.survey(byteLength);
    const found = words.value * 2;
    if (this.#longWordsLength + found > this.#longWords.length) this.#longWords = longer(this.#longWords, found);
    this.#longWords.set(this.#words.subarray(0, found), this.#longWordsLength);
    this.#longWordsLength += found;
    for (let at = 0; at < strings.value * 2; at++) this.#longStrings.push(this.#strings[at] as number);
  }
}

/** For each lower half of a byte the upper halves, as bits, with which it is one of the characters. */
function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(16);
  for (const character of characters) {
    const code = character.charCodeAt(0);
    table[code & 15] = (table[code & 15] as number) | (1 << (code >> 4));
  }
  return table;
}

/** @param marks places of the quotation marks of strings */
function emptied(text: string, marks: readonly number[]): string {
  let kept = "";
  let from = 0;
  for (let at = 0; at < marks.length; at += 2) {
    kept += text.slice(from, (marks[at] as number) + 1);
    from = marks[at + 1] as number;
  }
  return from === 0 ? text : kept + text.slice(from);
}

function longer(places: Uint32Array, more: number): Uint32Array<ArrayBuffer> {
  const result = new Uint32Array(places.length * 2 + more);
  result.set(places);
  return result;
}
