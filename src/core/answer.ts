/**
 * The result of a call, as parsed value and as JSON text, each made from the other only when asked for.
 * A relay that never looks inside a 10 MB result must not pay for writing it out again.
 */
import { mayHoldLongNumbers, parseExact } from "../lib/exact-json.ts";
import { type JsonObject, nestsDeeper } from "../lib/json.ts";
import { UpstreamError } from "./errors.ts";

/**
 * Levels an answer may have that is not only passed on: more than a schema or a syntax tree has, and far fewer than
 * writing it out again takes. At some 50,000 that fails, and holds everybody up for a second first (T17).
 */
export const maxAnswerDepth = 512;

export class Answer {
  #value: JsonObject | undefined;
  #text: string | undefined;
  #isShallow: boolean;

  private constructor(value: JsonObject | undefined, text: string | undefined) {
    this.#value = value;
    this.#text = text;
    this.#isShallow = text === undefined;
  }

  /** `value` must not be deeper than {@link maxAnswerDepth}. */
  static of(value: JsonObject): Answer {
    return new Answer(value, undefined);
  }

  /** `text` must be the exact JSON of `value`, or `value` must be left out; it is sent on as it is. */
  static ofText(text: string, value?: JsonObject): Answer {
    return new Answer(value, text);
  }

  /** @throws UpstreamError UPSTREAM_PROTOCOL when it is deeper than {@link maxAnswerDepth} */
  get value(): JsonObject {
    this.#value ??= JSON.parse(this.#text as string) as JsonObject;
    if (!this.#isShallow && nestsDeeper(this.#value, maxAnswerDepth))
      throw new UpstreamError("UPSTREAM_PROTOCOL", `The answer is nested deeper than ${maxAnswerDepth} levels`);
    this.#isShallow = true;
    return this.#value;
  }

  /** {@link value} for parts that are sent on: long numbers keep their digits. */
  get exactValue(): JsonObject {
    const { value } = this;
    return this.#text !== undefined && mayHoldLongNumbers(this.#text) ? (parseExact(this.#text) as JsonObject) : value;
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.#value);
    return this.#text;
  }
}
