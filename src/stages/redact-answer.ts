import { Answer } from "../core/answer.ts";
import { isJson, type JsonObject, mapStrings } from "../lib/json.ts";

/** Ways to write a character that we do not use: behind one of them a secret does not show in the text. */
const escapes = /\\[u/]/;

/** The answer without what `redact` takes out; the very same where that is nothing. */
export function redactAnswer(answer: Answer, redact: (text: string) => string): Answer {
  const text = escapes.test(answer.text) ? JSON.stringify(answer.exactValue) : answer.text;
  const shown = redact(text);
  if (shown === text) return answer;
  // Where more than the inside of strings was hit, as by a secret of digits, strings alone are looked at.
  return isJson(shown) ? Answer.ofText(shown) : Answer.of(mapStrings(answer.exactValue, redact) as JsonObject);
}
