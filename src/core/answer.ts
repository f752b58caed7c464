/**
 * The result of a call, as parsed value and as JSON text, each made from the other only when asked for.
 * A relay that never looks inside a 10 MB result must not pay for writing it out again.
 */
import { mayHoldLongNumbers, parseExact } from "../lib/exact-json.ts";
import { isJsonObject, type JsonObject, nestsDeeper } from "../lib/json.ts";
import type { TextSurvey } from "../lib/text-survey/text-survey.ts";
import { UpstreamError } from "./errors.ts";

/**
 * Levels an answer may have that is not only passed on: more than a schema or a syntax tree has, and far fewer than
 * writing it out again takes. At some 50,000 that fails, and holds everybody up for a second first (T17).
 */
export const maxAnswerDepth = 512;

const saysError = /"isError"\s*:\s*true/;
const shortText = 2_048;
const endOfText = 256;

function endsOf(text: string): string {
  return `${text.slice(0, endOfText)} ${text.slice(-endOfText)}`;
}

/** Which policy had the answer, of an earlier call. */
export type KeptBy = "cache" | "idempotency";

/** What a policy found in an answer. */
export interface AnswerFinding {
  readonly kind: string;
  readonly rule: string;
}

export class Answer {
  /** `undefined` for what the backend answered just now. */
  readonly keptBy: KeptBy | undefined;
  /** For policies further out, which then need not look for the same; absent where there is nothing. */
  readonly findings: readonly AnswerFinding[] | undefined;
  /** Of {@link text}, where that is long and came from a server. */
  readonly survey: TextSurvey | undefined;
  #value: JsonObject | undefined;
  #text: string | undefined;
  #isShallow: boolean;

  private constructor(
    value: JsonObject | undefined,
    text: string | undefined,
    survey?: TextSurvey,
    keptBy?: KeptBy,
    findings?: readonly AnswerFinding[],
  ) {
    this.#value = value;
    this.#text = text;
    this.#isShallow = text === undefined;
    this.survey = survey;
    this.keptBy = keptBy;
    this.findings = findings;
  }

  /** `value` must not be deeper than {@link maxAnswerDepth}. */
  static of(value: JsonObject): Answer {
    return new Answer(value, undefined);
  }

  /** The answer of an earlier call, with `note` in its `_meta`. */
  static kept(value: JsonObject, keptBy: KeptBy, note: JsonObject): Answer {
    return new Answer(value, undefined, undefined, keptBy).withMeta(note);
  }

  /** The same answer with `note` in its `_meta`; every other byte of the text stays where that is certain. */
  withMeta(note: JsonObject, findings = this.findings): Answer {
    const text = this.#text;
    if (text?.endsWith("}") && !text.includes('"_meta"')) {
      const head = text.slice(0, -1).trimEnd();
      const noted = `${head}${head === "{" ? "" : ","}"_meta":${JSON.stringify(note)}}`;
      return new Answer(undefined, noted, undefined, this.keptBy, findings);
    }
    const value = this.exactValue;
    const meta = value["_meta"];
    const _meta = { ...(isJsonObject(meta) ? meta : {}), ...note };
    return new Answer({ ...value, _meta }, undefined, undefined, this.keptBy, findings);
  }

  /** `text` must be the exact JSON of `value`, or `value` must be left out; it is sent on as it is. */
  static ofText(text: string, value?: JsonObject, survey?: TextSurvey): Answer {
    return new Answer(value, text, survey);
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

  /** {@link text} without the insides of long strings that hold no `\u`, where those were found out; else all of it. */
  get skeleton(): string {
    return this.survey?.skeleton ?? this.text;
  }

  /** Characters of the text where that is at hand, which it is for whatever is relayed. */
  get knownLength(): number | undefined {
    return this.#text?.length;
  }

  /**
   * Whether a result says of itself that its tool failed. A text is parsed for it only when it looks like that; a long
   * one is looked at where servers write it, at its ends.
   */
  get isError(): boolean {
    const text = this.#text;
    if (text !== undefined && !saysError.test(text.length > shortText ? endsOf(text) : text)) return false;
    try {
      return this.value["isError"] === true;
    } catch {
      return false;
    }
  }
}
