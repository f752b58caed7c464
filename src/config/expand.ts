/** Puts environment variables into strings: `${VAR}`, and `${VAR:-text}` with a text for when it is unset or empty. */
import type { Environment } from "../runtime/process.ts";

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** Expands every string inside the value, keys excepted. `onUnset` hears of variables that have neither value nor default. */
export function expandVariables<T>(
  value: T,
  env: Environment,
  onUnset: (name: string, path: readonly (string | number)[]) => void,
  path: readonly (string | number)[] = [],
): T {
  if (typeof value === "string") return expandText(value, env, (name) => onUnset(name, path)) as T;
  if (Array.isArray(value)) return value.map((item, at) => expandVariables(item, env, onUnset, [...path, at])) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    expandVariables(item, env, onUnset, [...path, key]),
  ]);
  return Object.fromEntries(entries) as T;
}

function expandText(text: string, env: Environment, onUnset: (name: string) => void): string {
  if (!text.includes("${")) return text;
  return text.replace(reference, (_all, name: string, fallback: string | undefined) => {
    const value = env[name];
    if (fallback !== undefined) return value || fallback;
    if (value === undefined) onUnset(name);
    return value ?? "";
  });
}
