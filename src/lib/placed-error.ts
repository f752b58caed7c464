/** A text cannot be read. The message begins with the place: `3:14  a comma is missing`. */
export class PlacedError extends Error {
  /** @param at offset into the text */
  constructor(text: string, at: number, what: string) {
    const before = text.slice(0, at).split("\n");
    super(`${before.length}:${(before.at(-1) as string).length + 1}  ${what}`);
    this.name = "PlacedError";
  }
}
