/** Secrets that are named instead of written down: `env:VAR`. */
import type { Environment } from "../runtime/process.ts";
import { type Path, valueAt, withValueAt } from "./path.ts";
import type { Problem } from "./problem.ts";
import type { ParsedConfig } from "./schema.ts";

const reference = /^env:(.+)$/;

/** A copy of the parsed settings with every `env:VAR` of the file replaced. What belongs to something switched off is left alone. */
export function resolveSecrets(
  parsed: ParsedConfig,
  secrets: readonly FoundSecret[],
  env: Environment,
  problems: Problem[],
): ParsedConfig {
  let config = parsed;
  for (const { path, value } of secrets) {
    if (isSwitchedOff(parsed, path)) continue;
    const variable = reference.exec(value)?.[1];
    const text = variable === undefined ? value : env[variable];
    if (variable === undefined) {
      // Outside `auth` an empty secret is how a file says that there is none.
      if (value === "" && path[0] === "auth") problems.push({ path, text: "must not be empty" });
    } else if (text) config = withValueAt(config, path, text);
    else {
      const state = text === "" ? "empty" : "not set";
      problems.push({ path, text: `refers to the environment variable "${variable}", which is ${state}` });
    }
  }
  return config;
}

/** As it is written in the file. */
export interface FoundSecret {
  readonly path: Path;
  readonly value: string;
}

function isSwitchedOff(config: unknown, path: Path): boolean {
  return path.some((_step, depth) => valueAt(config, [...path.slice(0, depth), "enabled"]) === false);
}
