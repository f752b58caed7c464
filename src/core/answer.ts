/**
 * The result of a call, as parsed value and as JSON text, each made from the other only when asked for.
 * A relay that never looks inside a 10 MB result must not pay for writing it out again.
 */
import type { JsonObject } from "../lib/json.ts";

export class Answer {
  #value: JsonObject | undefined;
  #text: string | undefined;

  private constructor(value: JsonObject | undefined, text: string | undefined) {
    this.#value = value;
    this.#text = text;
  }

  static of(value: JsonObject): Answer {
    return new Answer(value, undefined);
  }

  /** `text` must be the exact JSON of `value`, or `value` must be left out; it is sent on as it is. */
  static ofText(text: string, value?: JsonObject): Answer {
    return new Answer(value, text);
  }

  get value(): JsonObject {
    this.#value ??= JSON.parse(this.#text as string) as JsonObject;
    return this.#value;
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.#value);
    return this.#text;
  }
}
