/** A finding about the configuration, before it is given a place in the file. */
import { distance } from "fastest-levenshtein";
import type { Path } from "./path.ts";

export interface Problem {
  /** The setting it is about. */
  readonly path: Path;
  /** What follows the name of the setting, e.g. `must be a string, not 5`. */
  readonly text: string;
  /** Where to point, when that is not the setting itself. */
  readonly at?: Path;
}

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

/** `a`, `a or b`, `a, b or c` */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} or ${items.at(-1)}`;
}
