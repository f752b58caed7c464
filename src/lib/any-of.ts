/** Of English and of what surrounds it in JSON, the rarest first; what is not here is rarer still. */
const byFrequency = "|]<>zqxjkvbpygfwmucldrhsnioate '_-";

/**
 * Finds any of the words, none of which is empty. It tries each of them where its rarest letter stands and looks back
 * from there: on prose that takes half the time of trying every word at every letter.
 */
export function anyOf(words: readonly string[]): RegExp {
  const rests = new Map<string, string[]>();
  for (const word of new Set(words)) {
    const letters = [...word];
    const ranks = letters.map((letter) => byFrequency.indexOf(letter));
    const at = ranks.indexOf(Math.min(...ranks));
    const rest = literal(letters.slice(at + 1).join(""));
    const letter = letters[at] as string;
    rests.set(letter, [...(rests.get(letter) ?? []), at === 0 ? rest : `${rest}(?<=${literal(word)})`]);
  }
  return new RegExp([...rests].map(([letter, tails]) => `${literal(letter)}(?:${tails.join("|")})`).join("|"));
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
