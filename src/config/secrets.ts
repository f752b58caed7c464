/** Secrets that are named instead of written down: `env:VAR`. */
import type { GenericSchema } from "valibot";
import type { Environment } from "../runtime/process.ts";
import { type Path, type Settings, valueAt, withValueAt } from "./path.ts";
import type { Problem } from "./problem.ts";
import type { ParsedConfig } from "./schema.ts";
import { childOf, shapeOf } from "./shape.ts";

const reference = /^env:(.+)$/;
/** A copy of the parsed settings with every `env:VAR` of the file replaced. What belongs to something switched off is left alone. */
export function resolveSecrets(
  schema: GenericSchema,
  settings: Settings,
  parsed: ParsedConfig,
  env: Environment,
  problems: Problem[],
): ParsedConfig {
  let config = parsed;
  for (const { path, value } of secretsIn(settings, schema)) {
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

interface FoundSecret {
  readonly path: Path;
  readonly value: string;
}

function secretsIn(value: object, schema: GenericSchema, path: Path = [], found: FoundSecret[] = []): FoundSecret[] {
  const isList = Array.isArray(value);
  for (const [name, inner] of Object.entries(value)) {
    const key = isList ? Number(name) : name;
    const child = childOf(schema, key);
    if (child === undefined) continue;
    if (typeof inner === "object" && inner !== null) secretsIn(inner, child, [...path, key], found);
    else if (typeof inner === "string" && shapeOf(child).kind.is === "secret")
      found.push({ path: [...path, key], value: inner });
  }
  return found;
}

function isSwitchedOff(config: unknown, path: Path): boolean {
  return path.some((_step, depth) => valueAt(config, [...path.slice(0, depth), "enabled"]) === false);
}
