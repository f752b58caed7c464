/** Settings against the schemas themselves, which say in full what is wrong, unknown or not active yet. */
import type { GenericSchema } from "valibot";
import { parseForgiving, unknownKeys } from "./check-shape.ts";
import { schemaFor } from "./full-schema.ts";
import { isMap, type Path, type Settings } from "./path.ts";
import { pendingInUse } from "./pending.ts";
import type { Problem } from "./problem.ts";
import { isReservedName } from "./reserved-name.ts";
import type { ParsedConfig } from "./schema.ts";
import type { FoundSecret } from "./secrets.ts";
import { childOf, shapeOf } from "./shape.ts";

export interface HeldSettings {
  /** Without what is wrong; `undefined` when nothing is left. */
  readonly parsed: ParsedConfig | undefined;
  readonly secrets: readonly FoundSecret[];
  readonly wrong: readonly Problem[];
  readonly unknown: readonly Problem[];
  readonly pending: readonly Problem[];
}

export async function holdAgainstSchemas(settings: Settings): Promise<HeldSettings> {
  const schema = await schemaFor(Object.keys(settings));
  const { output: parsed, problems: wrong } = parseForgiving(schema, settings);
  return {
    parsed,
    secrets: secretsIn(settings, schema),
    wrong: [...wrong, ...reservedNames(settings)],
    unknown: unknownKeys(schema, settings).map(namedElsewhere),
    pending: pendingInUse(settings),
  };
}

/** What older files set that belongs to the command line. */
function namedElsewhere(problem: Problem): Problem {
  if (problem.path.length !== 1 || problem.path[0] !== "log_level") return problem;
  return { ...problem, text: "is no setting of the file: use --log-level or MCP_GATEWAY_LOG_LEVEL" };
}

/** A backend of such a name would be lost without a word. */
function reservedNames({ backends }: Settings): Problem[] {
  if (!isMap(backends)) return [];
  return Object.keys(backends)
    .filter(isReservedName)
    .map((name) => ({ path: ["backends", name], text: "cannot be the name of a backend: choose another one" }));
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
