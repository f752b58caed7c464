/** For a misspelt key, option or name: the known one that was most likely meant. */
import { distance } from "fastest-levenshtein";

/** The known name nearest to the given one, if it is near enough to be meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const steps = distance(name.toLowerCase(), candidate.toLowerCase());
    if (steps < bestDistance && steps < candidate.length) {
      best = candidate;
      bestDistance = steps;
    }
  }
  return best;
}

/** `: did you mean "port"?`, or nothing. */
export function suggestion(name: string, known: readonly string[]): string {
  const found = nearest(name, known);
  return found === undefined ? "" : `: did you mean "${found}"?`;
}
