/** Settings that are accepted and checked, but whose feature does not exist yet: using one is said, once per start. */
import { type Path, valueAt } from "./path.ts";
import type { Problem } from "./problem.ts";

/** `*` stands for every entry of a map. A section takes its line away when it comes to life. */
export const pendingSettings: readonly string[] = ["marketplace"];

/** `setting` with `*` for the name of a map's entry. */
export function isPending(setting: string): boolean {
  return pendingSettings.includes(setting);
}

/** One problem for each pending setting of the file that is not switched off: who writes a default down counts on it. */
export function pendingInUse(raw: unknown): Problem[] {
  return pendingSettings.flatMap((pattern) =>
    matchingPaths(raw, pattern.split("."))
      .filter((path) => !isOff(valueAt(raw, path)))
      .map((path): Problem => ({ path, text: "is not active yet" })),
  );
}

/** What says that a setting is not used. */
const offValues: ReadonlySet<unknown> = new Set([false, "off", "none", "", undefined]);

function isOff(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return offValues.has(value);
  return Object.keys(value).length === 0 || (value as Record<string, unknown>)["enabled"] === false;
}

function matchingPaths(value: unknown, [step, ...rest]: string[], path: Path = []): Path[] {
  if (step === undefined) return [path];
  if (typeof value !== "object" || value === null) return [];
  const keys = step === "*" ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : [];
  return keys.flatMap((key) => matchingPaths((value as Record<string, unknown>)[key], rest, [...path, key]));
}
