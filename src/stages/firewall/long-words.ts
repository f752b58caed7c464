/**
 * Where a text has many characters in a row that tokens and keys are made of. Prose has few such places, and they are
 * found without a look at every character: in 2 ms for 10 MB, where a pattern for one kind of token takes as long.
 */

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
/** Of the other base64, and between the parts of a token. */
const joints = "+./=~";

const letter = 1;
const joint = 2;
const kinds = new Uint8Array(0x10000);
for (const character of letters) kinds[character.charCodeAt(0)] = letter;
for (const character of joints) kinds[character.charCodeAt(0)] = joint;

/** Whether a token may begin behind the character, though not before it. */
export function isJoint(code: number): boolean {
  return kinds[code] === joint;
}

/**
 * Where the first run of `least` characters or more begins that lies behind `from`; negative where there is none.
 * `from` must not be within a run.
 */
export function nextLongWord(text: string, from: number, least: number): number {
  const { length } = text;
  let start = from;
  for (let at = start + least - 1; at < length; at = start + least - 1) {
    // From the last place of what would be a word of `least` characters back to the first that cannot be in one.
    let back = at;
    while (back >= start && kinds[text.charCodeAt(back)] !== 0) back--;
    if (back < start) return start;
    start = back + 1;
  }
  return -1;
}

/** Where the run ends that `from` is in. */
export function endOfWord(text: string, from: number): number {
  const { length } = text;
  let end = from;
  while (end < length && kinds[text.charCodeAt(end)] !== 0) end++;
  return end;
}
