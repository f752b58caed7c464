/** `MCP_GATEWAY_SERVER__PORT=8080`: settings from environment variables, `__` between the steps of the path. */
import type { GenericSchema } from "valibot";
import { readYaml } from "../lib/yaml-document.ts";
import type { Environment } from "../runtime/process.ts";
import { variablePrefix } from "./environment-names.ts";
import type { Override } from "./explain.ts";
import { schemaFor } from "./full-schema.ts";
import { isMap, type Path, type Settings, valueAt } from "./path.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import { childOf, type Shape, shapeAt, shapeOf } from "./shape.ts";

export interface EnvironmentOverrides {
  readonly overrides: readonly Override[];
  /** Variables that look like settings and are none; worth a debug line. */
  readonly notes: readonly string[];
}

/** `file` is the value of the file: names of backends are matched against those it has. */
export async function environmentOverrides(env: Environment, file: Settings): Promise<EnvironmentOverrides> {
  const schema = await schemaFor([...Object.keys(file), ...sectionsIn(env)]);
  const overrides: Override[] = [];
  const notes: string[] = [];
  for (const [from, text] of Object.entries(env)) {
    if (text === undefined || !from.startsWith(variablePrefix)) continue;
    const steps = from.slice(variablePrefix.length).split("__");
    const path = settingPath(schema, steps, file);
    const shape = path && shapeAt(schema, path);
    // Without "__" only plain settings count, so that MCP_GATEWAY_CONFIG, a file, is not taken for the section.
    const section = shape?.kind.is === "object" || shape?.kind.is === "map";
    if (path !== undefined && shape !== undefined && !(steps.length === 1 && section))
      overrides.push({ path, value: await readValue(text, shape), from });
    else if (steps.length > 1) notes.push(`${from} names no known setting and is ignored`);
  }
  return { overrides, notes };
}

/** What stands before the first `__`, whether or not there is such a section. */
function sectionsIn(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(variablePrefix) && name.includes("__"))
    .map((name) => name.slice(variablePrefix.length, name.indexOf("__")).toLowerCase());
}

function settingPath(root: GenericSchema, steps: readonly string[], file: unknown): Path | undefined {
  const path: string[] = [];
  let schema: GenericSchema | undefined = root;
  for (const step of steps) {
    const key = schema && step !== "" ? keyFor(step, schema, valueAt(file, path)) : undefined;
    if (key === undefined) return undefined;
    path.push(key);
    schema = childOf(schema as GenericSchema, key);
  }
  return path;
}

function keyFor(step: string, schema: GenericSchema, value: unknown): string | undefined {
  const { kind } = shapeOf(schema);
  const same = (key: string) => key.replaceAll("-", "_").toUpperCase() === step.replaceAll("-", "_").toUpperCase();
  if (kind.is === "object") return Object.keys(kind.entries).find(same);
  if (kind.is !== "map") return undefined;
  const existing = isMap(value) ? Object.keys(value).find(same) : undefined;
  // A new key of `env` or `headers` is taken as written, a new backend's name in lower case.
  return existing ?? (shapeOf(kind.value).kind.is === "object" ? step.toLowerCase() : step);
}

/** Text stays text where text is wanted; anything else is read as YAML. What cannot be read is left for the schema to refuse. */
async function readValue(text: string, { kind }: Shape): Promise<unknown> {
  if (kind.is === "string" || kind.is === "secret" || kind.is === "choice") return text;
  const plain = text.includes("\n") ? undefined : readPlainYaml(`value: ${text}`);
  if (plain !== undefined) return (plain.value as { value: unknown }).value;
  return readYaml(text).then(
    (document) => document.value,
    () => text,
  );
}
