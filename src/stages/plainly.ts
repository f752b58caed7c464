import { Answer } from "../core/answer.ts";

/** JSON may write any letter as an escape; these are letters, digits and marks that no writer escapes without reason. */
const oddEscape = /\\u00(?:2[b-f]|[3-7][0-9a-f])(?<!\\u003[ce])/i;

/** The very same answer unless its text hides letters in escapes: then as others write it. */
export function plainly(answer: Answer): Answer {
  return oddEscape.test(answer.skeleton) ? Answer.of(answer.exactValue) : answer;
}
