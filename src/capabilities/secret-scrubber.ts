/** Takes the keys of one call out of what its API or program said: an answer that repeats the request must not show them. */
import { Redactor, redacted } from "../lib/redact.ts";

/** Shorter values are no secrets, and replacing them would shred ordinary text. */
const shortestSecret = 6;

export class SecretScrubber {
  readonly #keys: readonly string[];
  readonly #redactor: Redactor;

  /**
   * @param keys what must never be shown
   * @param variables values of the environment; many are host names or ids, so answers are left to have them
   */
  constructor(keys: readonly string[], variables: readonly (string | undefined)[]) {
    this.#keys = keys.filter((key) => key.length >= shortestSecret);
    this.#redactor = new Redactor([...keys, ...variables.filter((value) => value !== undefined)]);
  }

  /** For errors: the known values in every shape, and whatever looks like a key. */
  readonly inError = (text: string): string => this.#redactor.redact(text);

  /** For answers, which are otherwise passed on as they are. */
  readonly inAnswer = (text: string): string => {
    let clean = text;
    for (const key of this.#keys) if (clean.includes(key)) clean = clean.replaceAll(key, redacted);
    return clean;
  };
}
