/**
 * The head of a response, checked as a whole and looked up in its text: of the many headers a server sends, few matter,
 * and taking all of them apart costs more than everything else about a small answer.
 */
import { HttpFault } from "./http-errors.ts";
import type { ResponseHead } from "./http-exchange.ts";

const maxHeaders = 128;
const statusLine = /^HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** Also refuses folded lines, blanks before a colon, and control characters, bare CR and LF among them. */
const head =
  /^HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*$/;
const headerLine = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

export class ParsedHead implements ResponseHead {
  readonly status: number;
  /** Of HTTP/1.x. */
  readonly minor: 0 | 1;
  readonly #text: string;
  readonly #lowerCase: string;

  /**
   * @param text Latin-1, without the empty line at its end
   * @throws HttpFault
   */
  constructor(text: string) {
    if (!head.test(text))
      throw new HttpFault(
        statusLine.test(text.slice(0, endOfLine(text, 0)))
          ? "an invalid header line"
          : "something that is not an HTTP/1.1 response",
      );
    if (hasMoreLines(text, maxHeaders)) throw new HttpFault(`more than ${maxHeaders} headers`);
    this.status = Number(text.slice(9, 12));
    this.minor = text.charAt(7) === "1" ? 1 : 0;
    this.#text = text;
    // As long as the text, because that is Latin-1.
    this.#lowerCase = text.toLowerCase();
  }

  get headers(): this {
    return this;
  }

  /** The values of all headers of this lower-case name, joined by commas (RFC 9110 5.3). */
  get(name: string): string | undefined {
    const start = lineStart(name);
    let value: string | undefined;
    for (let at = this.#lowerCase.indexOf(start); at >= 0; at = this.#lowerCase.indexOf(start, at + 1)) {
      const part = this.#valueAt(at + start.length);
      value = value === undefined ? part : `${value}, ${part}`;
    }
    return value;
  }

  /** @throws HttpFault when there are two of them */
  only(name: string): string | undefined {
    const start = lineStart(name);
    const at = this.#lowerCase.indexOf(start);
    if (at < 0) return undefined;
    if (this.#lowerCase.includes(start, at + 1)) throw new HttpFault(`two headers "${name}"`);
    return this.#valueAt(at + start.length);
  }

  #valueAt(at: number): string {
    return this.#text.slice(at, endOfLine(this.#text, at)).trim();
  }
}

/** @throws HttpFault */
export function checkHeaderLine(line: string): void {
  if (!headerLine.test(line)) throw new HttpFault("an invalid header line");
}

const lineStarts = new Map<string, string>();

/** What a header begins with in the text; all names asked for are ours, and few. */
function lineStart(name: string): string {
  let start = lineStarts.get(name);
  if (start === undefined) {
    start = `\r\n${name}:`;
    lineStarts.set(name, start);
  }
  return start;
}

function hasMoreLines(text: string, most: number): boolean {
  let count = 0;
  for (let at = text.indexOf("\r\n"); at >= 0 && count <= most; at = text.indexOf("\r\n", at + 2)) count++;
  return count > most;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\r\n", from);
  return end < 0 ? text.length : end;
}
