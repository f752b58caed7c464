/** Puts environment variables into strings: `${VAR}`, and `${VAR:-text}` with a text for when it is unset or empty. */
import type { Environment } from "../runtime/process.ts";
import type { Path } from "./path.ts";

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

type OnUnset = (name: string, path: Path) => void;

/** Expands every string inside the value, keys excepted. `onUnset` hears of variables that have neither value nor default. */
export function expandVariables<T>(value: T, env: Environment, onUnset: OnUnset, path: Path = []): T {
  if (!hasReference(value)) return value;
  if (typeof value === "string") return expandText(value, env, (name) => onUnset(name, path)) as T;
  if (Array.isArray(value)) return value.map((item, at) => expandVariables(item, env, onUnset, [...path, at])) as T;
  const entries = Object.entries(value as object).map(([key, item]) => [
    key,
    expandVariables(item, env, onUnset, [...path, key]),
  ]);
  return Object.fromEntries(entries) as T;
}

/** May see one where none is, in a key. One call for all that is inside: a call for each value takes longer at start. */
function hasReference(value: unknown): boolean {
  return JSON.stringify(value)?.includes("${") === true;
}

function expandText(text: string, env: Environment, onUnset: (name: string) => void): string {
  return text.replace(reference, (_all, name: string, fallback: string | undefined) => {
    const value = env[name];
    if (fallback !== undefined) return value || fallback;
    if (value === undefined) onUnset(name);
    return value ?? "";
  });
}
