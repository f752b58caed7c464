import type { Place } from "./yaml-document.ts";

/** A text cannot be read. The message begins with the place: `3:14  a comma is missing`. */
export class PlacedError extends Error {
  /** @param at offset into the text */
  constructor(text: string, at: number, what: string) {
    const { line, column } = placesIn(text)(at);
    super(`${line}:${column}  ${what}`);
    this.name = "PlacedError";
  }
}

/** Places of offsets into the text, which is looked through once for all of them. */
export function placesIn(text: string): (at: number) => Place {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return (at) => {
    let [line, end] = [0, starts.length];
    while (end - line > 1) {
      const middle = (line + end) >> 1;
      if ((starts[middle] as number) <= at) line = middle;
      else end = middle;
    }
    return { line: line + 1, column: at - (starts[line] as number) + 1 };
  };
}
