/**
 * XML as JSON, for APIs that speak nothing else. Strict and small: what is not well-formed is an error, entities beyond
 * the five of XML and documents that define their own are refused (they are how small texts become large), comments and
 * instructions are left out. `<a n="1">x<b/></a>` becomes `{"a": {"@n": "1", "b": "", "#text": "x"}}`;
 * repeated elements become a list, prefixes stay in the names.
 */
import type { Json } from "./json.ts";

export class XmlError extends Error {
  constructor(message: string, offset: number) {
    super(`${message} at character ${offset}`);
    this.name = "XmlError";
  }
}

const maxDepth = 64;
const name = /[\p{L}_:][\p{L}\p{N}._:\-·]*/uy;
const space = /[ \t\r\n]*/y;
const entity = /&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|([A-Za-z]+));|&/g;
const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

interface Element {
  readonly name: string;
  /** Of attributes, child elements and text; no prototype, so that every name is data. */
  readonly members: Record<string, Json>;
  text: string;
}

/** @throws XmlError */
export function parseXml(source: string): Json {
  return new XmlReader(source).read();
}

class XmlReader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(): Json {
    const document: Element = { name: "", members: Object.create(null) as Record<string, Json>, text: "" };
    const open: Element[] = [document];
    if (this.#source.startsWith("\ufeff")) this.#at = 1;
    while (this.#at < this.#source.length) {
      const current = open.at(-1) as Element;
      const next = this.#source.indexOf("<", this.#at);
      this.#text(current, next < 0 ? this.#source.length : next, open.length === 1);
      if (next < 0) break;
      if (this.#skip("<!--", "-->") || this.#skip("<?", "?>")) continue;
      if (this.#source.startsWith("<![CDATA[", this.#at) && open.length > 1) this.#characterData(current);
      else if (this.#source.startsWith("<!DOCTYPE", this.#at)) this.#doctype(open.length);
      else if (this.#source.startsWith("</", this.#at)) this.#close(open);
      else this.#open(open);
    }
    if (open.length > 1) throw this.#error(`<${open.at(-1)?.name}> is not closed`);
    if (Object.keys(document.members).length === 0) throw this.#error("There is no element");
    return { ...document.members };
  }

  #text(current: Element, end: number, isOutside: boolean): void {
    const raw = this.#source.slice(this.#at, end);
    if (isOutside && raw.trim() !== "") throw this.#error("Text outside of the document's element");
    if (!isOutside) current.text += this.#decode(raw);
    this.#at = end;
  }

  #characterData(current: Element): void {
    const end = this.#source.indexOf("]]>", this.#at);
    if (end < 0) throw this.#error("CDATA is not closed");
    current.text += this.#source.slice(this.#at + 9, end);
    this.#at = end + 3;
  }

  #skip(opening: string, closing: string): boolean {
    if (!this.#source.startsWith(opening, this.#at)) return false;
    const end = this.#source.indexOf(closing, this.#at + opening.length);
    if (end < 0) throw this.#error(`"${opening}" is not closed`);
    this.#at = end + closing.length;
    return true;
  }

  #doctype(depth: number): void {
    const end = this.#source.indexOf(">", this.#at);
    if (end < 0 || depth > 1 || this.#source.slice(this.#at, end).includes("["))
      throw this.#error("A document type with definitions of its own is not read");
    this.#at = end + 1;
  }

  #open(open: Element[]): void {
    const parent = open.at(-1) as Element;
    if (open.length === 1 && Object.keys(parent.members).length > 0) throw this.#error("There is a second element");
    if (open.length > maxDepth) throw this.#error(`Elements are nested deeper than ${maxDepth} levels`);
    this.#at += 1;
    const element: Element = { name: this.#name(), members: Object.create(null) as Record<string, Json>, text: "" };
    while (this.#attribute(element)) {}
    if (this.#takes("/>")) add(parent, element);
    else if (this.#takes(">")) open.push(element);
    else throw this.#error(`<${element.name}> is not well-formed`);
  }

  #attribute(element: Element): boolean {
    const before = this.#at;
    this.#match(space);
    const first = this.#source[this.#at];
    if (first === ">" || first === "/" || first === undefined) return false;
    if (before === this.#at) throw this.#error(`<${element.name}> is not well-formed`);
    const key = `@${this.#name()}`;
    this.#match(space);
    if (!this.#takes("=")) throw this.#error(`The attribute "${key.slice(1)}" has no value`);
    this.#match(space);
    const quote = this.#source[this.#at];
    const end = quote === '"' || quote === "'" ? this.#source.indexOf(quote, this.#at + 1) : -1;
    const value = this.#source.slice(this.#at + 1, end);
    if (end < 0 || value.includes("<")) throw this.#error(`The attribute "${key.slice(1)}" is not in quotes`);
    if (key in element.members) throw this.#error(`The attribute "${key.slice(1)}" is there twice`);
    element.members[key] = this.#decode(value);
    this.#at = end + 1;
    return true;
  }

  #close(open: Element[]): void {
    this.#at += 2;
    const closing = this.#name();
    this.#match(space);
    if (!this.#takes(">") || open.length < 2 || open.at(-1)?.name !== closing)
      throw this.#error(`</${closing}> closes nothing`);
    const element = open.pop() as Element;
    add(open.at(-1) as Element, element);
  }

  #name(): string {
    const found = this.#match(name);
    if (found === "") throw this.#error("A name is expected");
    return found;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #decode(text: string): string {
    if (!text.includes("&")) return text;
    return text.replace(entity, (whole, decimal?: string, hex?: string, named?: string) => {
      const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : -1;
      const plain = code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entities[named ?? ""];
      if (plain === undefined) throw this.#error(`"${whole}" is not defined`);
      return plain;
    });
  }

  #error(message: string): XmlError {
    return new XmlError(message, this.#at);
  }
}

function add(parent: Element, { name, members, text }: Element): void {
  const trimmed = text.trim();
  const isPlain = Object.keys(members).length === 0;
  const value: Json = isPlain ? trimmed : { ...members, ...(trimmed === "" ? {} : { "#text": trimmed }) };
  const before = parent.members[name];
  if (before === undefined) parent.members[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else parent.members[name] = [before, value];
}
