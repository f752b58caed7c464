/** Text that clients keep for us and give back: what was changed, or belongs to something else, does not open. */
export interface Seal {
  /** @param binding what the text belongs to; it is not in the sealed text */
  seal(text: string, binding: string): Promise<string>;
  /** `undefined` when it was not sealed here, by an earlier process of this gateway included, or for something else. */
  open(sealed: string, binding: string): Promise<string | undefined>;
}
