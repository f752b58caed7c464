/** A finding about the configuration, before it is given a place in the file. */
import type { Path } from "./path.ts";

export interface Problem {
  /** The setting it is about. */
  readonly path: Path;
  /** What follows the name of the setting, e.g. `must be a string, not 5`. */
  readonly text: string;
  /** Where to point, when that is not the setting itself. */
  readonly at?: Path;
}

/** `a`, `a or b`, `a, b or c` */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} or ${items.at(-1)}`;
}
