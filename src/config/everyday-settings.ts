/**
 * Takes settings that are right and ordinary without the schemas, by their outline. It exists for the start-up time
 * alone, as plain-yaml.ts does: building the schemas and parsing with them cold costs as much as an empty program.
 * Whatever is wrong, unknown, not active yet or unusual is left to `hold-against-schemas.ts`; a test holds the two to
 * equal results.
 */
import { parseDurationMs } from "../lib/duration.ts";
import type { Outline } from "./outline.ts";
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
const unusualKey = /^(?:__proto__|prototype|constructor)$/;

/** The settings with their defaults; `undefined` when anything in them is not of the everyday kind. */
export function takeEveryday(outline: Outline, settings: Settings): EverydaySettings | undefined {
  const secrets: FoundSecret[] = [];
  const parsed = take(outline, settings, [], secrets);
  return parsed === doubt ? undefined : { parsed: parsed as ParsedConfig, secrets };
}

function take(outline: Outline, value: unknown, path: Path, secrets: FoundSecret[]): unknown {
  switch (outline.is) {
    case "object": {
      if (!isMap(value) || outline.required.some((key) => value[key] === undefined)) return doubt;
      return takeEntries(value, { ...outline.defaults }, (key) => outline.entries[key], path, secrets);
    }
    case "map":
      return isMap(value) ? takeEntries(value, {}, () => outline.value, path, secrets) : doubt;
    case "list": {
      if (!Array.isArray(value) || value.length < (outline.minLength ?? 0)) return doubt;
      const items = value.map((item, at) => take(outline.item, item, [...path, at], secrets));
      return items.includes(doubt) ? doubt : items;
    }
    case "either":
      for (const option of outline.options) {
        const taken = take(option, value, path, secrets);
        if (taken !== doubt) return taken;
      }
      return doubt;
    case "choice":
      return outline.values.includes(value as string) ? value : doubt;
    case "number": {
      if (typeof value !== "number" || Number.isNaN(value) || (outline.whole && !Number.isInteger(value))) return doubt;
      const { least = value, above = Number.NEGATIVE_INFINITY, most = value } = outline;
      return value >= least && value > above && value <= most ? value : doubt;
    }
    case "boolean":
      return typeof value === "boolean" ? value : doubt;
    case "duration":
      return typeof value === "string" || typeof value === "number" ? (parseDurationMs(value) ?? doubt) : doubt;
    case "text":
      return typeof value === "string" ? value : doubt;
    case "string":
    case "secret": {
      const { minLength = 0, prefix = "" } = outline;
      if (typeof value !== "string" || value.length < minLength || !value.startsWith(prefix)) return doubt;
      if (outline.is === "secret") secrets.push({ path, value });
      return value;
    }
  }
}

function takeEntries(
  value: Settings,
  taken: Record<string, unknown>,
  outlineAt: (key: string) => Outline | undefined,
  path: Path,
  secrets: FoundSecret[],
): unknown {
  for (const key in value) {
    const entry = unusualKey.test(key) ? undefined : outlineAt(key);
    const inner = entry === undefined ? doubt : take(entry, value[key], [...path, key], secrets);
    if (inner === doubt) return doubt;
    taken[key] = inner;
  }
  return taken;
}
