import type { Place } from "./yaml-document.ts";

/** A text cannot be read. The message begins with the place: `3:14  a comma is missing`. */
export class PlacedError extends Error {
  /** @param at offset into the text */
  constructor(text: string, at: number, what: string) {
    const { line, column } = placeAt(text, at);
    super(`${line}:${column}  ${what}`);
    this.name = "PlacedError";
  }
}

/** @param at offset into the text */
export function placeAt(text: string, at: number): Place {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1) as string).length + 1 };
}
