/**
 * Takes settings that are right and ordinary without the schemas, by their outline. It exists for the start-up time
 * alone, as plain-yaml.ts does: building the schemas and parsing with them cold costs as much as an empty program.
 * Whatever is wrong, unknown, not active yet or unusual is left to `hold-against-schemas.ts`; a test holds the two to
 * equal results.
 */
import { parseDurationMs } from "../lib/duration.ts";
import type { Outline, StringOutline } from "./outline.ts";
import { isMap, type Path, type Settings } from "./path.ts";
import type { ParsedConfig } from "./schema.ts";
import type { FoundSecret } from "./secrets.ts";

export interface EverydaySettings {
  readonly parsed: ParsedConfig;
  /** The secrets of the file, as they are written. */
  readonly secrets: readonly FoundSecret[];
}

/** Stands for a value that is not taken here. */
const doubt = Symbol("doubt");
/** Keys with a meaning of their own to JavaScript. */
const unusualKeys: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"]);

/** The settings with their defaults; `undefined` when anything in them is not of the everyday kind. */
export function takeEveryday(outline: Outline, settings: Settings): EverydaySettings | undefined {
  const secrets: FoundSecret[] = [];
  const parsed = take(outline, settings, [], secrets);
  return parsed === doubt ? undefined : { parsed: parsed as ParsedConfig, secrets };
}

type Take<O extends Outline> = (outline: O, value: unknown, path: Path, secrets: FoundSecret[]) => unknown;
type OfKind<Is extends Outline["is"]> = Outline & { readonly is: Is };

/** A table and not one function: what is called for every value is compiled during the start, and its length is time then. */
const takers: { readonly [Is in Outline["is"]]: Take<OfKind<Is>> } = {
  object(outline, value, path, secrets) {
    if (!isMap(value) || outline.required.some((key) => value[key] === undefined)) return doubt;
    return takeEntries(value, { ...outline.defaults }, (key) => outline.entries[key], path, secrets);
  },
  map: (outline, value, path, secrets) =>
    isMap(value) ? takeEntries(value, {}, () => outline.value, path, secrets) : doubt,
  list({ item, minLength = 0 }, value, path, secrets) {
    if (!Array.isArray(value) || value.length < minLength) return doubt;
    const items = value.map((inner, at) => take(item, inner, [...path, at], secrets));
    return items.includes(doubt) ? doubt : items;
  },
  either({ options }, value, path, secrets) {
    for (const option of options) {
      const taken = take(option, value, path, secrets);
      if (taken !== doubt) return taken;
    }
    return doubt;
  },
  choice: ({ values }, value) => (values.includes(value as string) ? value : doubt),
  number({ whole, least, above, most }, value) {
    if (typeof value !== "number" || Number.isNaN(value) || (whole && !Number.isInteger(value))) return doubt;
    const isWithin =
      value >= (least ?? value) && value > (above ?? Number.NEGATIVE_INFINITY) && value <= (most ?? value);
    return isWithin ? value : doubt;
  },
  boolean: (_outline, value) => (typeof value === "boolean" ? value : doubt),
  duration: (_outline, value) =>
    typeof value === "string" || typeof value === "number" ? (parseDurationMs(value) ?? doubt) : doubt,
  text: (_outline, value) => (typeof value === "string" ? value : doubt),
  string: (outline, value) => (isText(outline, value) ? value : doubt),
  secret(outline, value, path, secrets) {
    if (!isText(outline, value)) return doubt;
    secrets.push({ path, value });
    return value;
  },
};

function take<O extends Outline>(outline: O, value: unknown, path: Path, secrets: FoundSecret[]): unknown {
  return (takers[outline.is] as Take<O>)(outline, value, path, secrets);
}

function isText({ minLength = 0, prefix = "" }: StringOutline, value: unknown): value is string {
  return typeof value === "string" && value.length >= minLength && value.startsWith(prefix);
}

function takeEntries(
  value: Settings,
  taken: Record<string, unknown>,
  outlineAt: (key: string) => Outline | undefined,
  path: Path,
  secrets: FoundSecret[],
): unknown {
  for (const key in value) {
    const entry = unusualKeys.has(key) ? undefined : outlineAt(key);
    const inner = entry === undefined ? doubt : take(entry, value[key], [...path, key], secrets);
    if (inner === doubt) return doubt;
    taken[key] = inner;
  }
  return taken;
}
