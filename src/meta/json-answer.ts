import { Answer } from "../core/answer.ts";
import type { JsonObject } from "../lib/json.ts";

/** A tool result whose one text block is the JSON of `value`. */
export function jsonAnswer(value: JsonObject, more: JsonObject = {}): Answer {
  return Answer.of({ content: [{ type: "text", text: JSON.stringify(value) }], ...more });
}
