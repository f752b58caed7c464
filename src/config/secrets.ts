/** Secrets: `env:VAR` resolved, and the list of values that must never be shown. */
import type { GenericSchema } from "valibot";
import type { Environment } from "../runtime/process.ts";
import { type Path, type Settings, valueAt, withValueAt } from "./path.ts";
import type { Problem } from "./problem.ts";
import type { ParsedConfig } from "./schema.ts";
import { childOf, shapeOf } from "./shape.ts";

const reference = /^env:(.+)$/;
const revealingName = /key|token|secret|password|passwd|credential|auth|cookie/i;

export interface ResolvedSecrets {
  readonly config: ParsedConfig;
  /** Values that logs and errors must never show: every secret, and what environments and headers carry under revealing names. */
  readonly values: readonly string[];
}

/** Replaces every `env:VAR` of the settings in their parsed form. What belongs to something switched off is left alone. */
export function resolveSecrets(
  schema: GenericSchema,
  settings: Settings,
  parsed: ParsedConfig,
  env: Environment,
  problems: Problem[],
): ResolvedSecrets {
  let config = parsed;
  const values: string[] = [];
  for (const { path, value } of secretsIn(settings, schema)) {
    if (isSwitchedOff(parsed, path)) continue;
    const variable = reference.exec(value)?.[1];
    const text = variable === undefined ? value : env[variable];
    if (text) values.push(text);
    if (variable === undefined) {
      // Outside `auth` an empty secret is how a file says that there is none.
      if (value === "" && path[0] === "auth") problems.push({ path, text: "must not be empty" });
    } else if (text) config = withValueAt(config, path, text);
    else {
      const state = text === "" ? "empty" : "not set";
      problems.push({ path, text: `refers to the environment variable "${variable}", which is ${state}` });
    }
  }
  // "Bearer x" is as secret as "x".
  for (const { env: variables, headers } of Object.values(parsed.backends))
    for (const [name, value] of [...Object.entries(variables), ...Object.entries(headers)])
      if (revealingName.test(name)) values.push(value, ...value.split(" ").slice(1));
  // Shorter ones would black out ordinary words.
  return { config, values: [...new Set(values.filter((value) => value.length >= 6))] };
}

interface FoundSecret {
  readonly path: Path;
  readonly value: string;
}

function secretsIn(value: unknown, schema: GenericSchema, path: Path = []): FoundSecret[] {
  if (typeof value === "string") return shapeOf(schema).kind.is === "secret" ? [{ path, value }] : [];
  if (typeof value !== "object" || value === null) return [];
  const steps: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return steps.flatMap(([key, inner]) => {
    const child = childOf(schema, key);
    return child === undefined ? [] : secretsIn(inner, child, [...path, key]);
  });
}

function isSwitchedOff(config: unknown, path: Path): boolean {
  return path.some((_step, depth) => valueAt(config, [...path.slice(0, depth), "enabled"]) === false);
}
