/** Every setting that is in force, as it is written, and where it came from. */
import type { GenericSchema } from "valibot";
import { redacted } from "../lib/redact.ts";
import { readYaml, type YamlDocument } from "../lib/yaml-document.ts";
import { displayPath } from "../runtime/paths.ts";
import { environmentOverrides } from "./environment.ts";
import { type Override, placeText } from "./explain.ts";
import { placeIn } from "./flat-settings.ts";
import { schemaFor } from "./full-schema.ts";
import { type LoadedConfig, type LoadRequest, loadConfig, readConfigText, readSettings } from "./load.ts";
import { isMap, type Path, type Settings, valueAt, withValueAt } from "./path.ts";
import { isPending } from "./pending.ts";
import { childOf, shapeOf } from "./shape.ts";

export interface EffectiveSetting {
  readonly path: Path;
  /** In the file's own notation: references are not filled in. Literal secrets are redacted. */
  readonly value: unknown;
  /** `default`, `gateway.yaml:12:3`, or the name of a variable or an option. */
  readonly from: string;
  readonly isDefault: boolean;
  /** Its feature does not exist yet. */
  readonly isPending: boolean;
}

export interface EffectiveConfig {
  readonly loaded: LoadedConfig;
  readonly settings: readonly EffectiveSetting[];
  /** What is written in the file, variables and options together; secrets as they are. */
  readonly written: Settings;
}

/** @throws ConfigError when the configuration cannot be used */
export async function effectiveConfig(request: LoadRequest): Promise<EffectiveConfig> {
  const loaded = await loadConfig(request);
  const { source, env } = loaded;
  const label = source === undefined ? "" : displayPath(source.path, request.cwd);
  const text = source === undefined ? "" : await readConfigText(source.path, label);
  const file = await readSettings(text, label);
  const fromVariables = await environmentOverrides(env, file);
  const overrides = [...fromVariables.overrides, ...(request.overrides ?? [])];
  const written = overrides.reduce<Settings>((all, { path, value }) => withValueAt(all, path, value), file);
  const schema = await schemaFor(Object.keys(written));
  const origins = { document: await readYaml(text), label, overrides };
  return { loaded, written, settings: settingsBelow(schema, [], written, origins) };
}

/** The same map without literal secrets, as the schemas know them. */
export async function withoutLiteralSecrets(written: Settings): Promise<Settings> {
  return masked(await schemaFor(Object.keys(written)), written) as Settings;
}

interface FileOrigins {
  readonly document: YamlDocument;
  readonly label: string;
  readonly overrides: readonly Override[];
}

function settingsBelow(schema: GenericSchema, path: Path, written: unknown, origins: FileOrigins): EffectiveSetting[] {
  const shape = shapeOf(schema);
  const { kind } = shape;
  const value = valueAt(written, path);
  const below = (key: string, child: GenericSchema) => settingsBelow(child, [...path, key], written, origins);
  if (kind.is === "object") {
    // A section that may be absent and is says nothing.
    if (value === undefined && shape.fallback === undefined && path.length > 0) return [];
    return Object.entries(kind.entries).flatMap(([key, child]) => below(key, child));
  }
  if (kind.is === "map" && isMap(value) && Object.keys(value).length > 0)
    return Object.keys(value).flatMap((key) => below(key, kind.value));
  const effective = value ?? shape.fallback;
  const pending = isPending(path.map((step, at) => (path[0] === "backends" && at === 1 ? "*" : step)).join("."));
  // The default of what does not exist yet is no setting in force.
  if (effective === undefined || (pending && value === undefined)) return [];
  const from = value === undefined ? "default" : originOf(path, origins);
  return [{ path, value: masked(schema, effective), from, isDefault: value === undefined, isPending: pending }];
}

function originOf(path: Path, { overrides, document, label }: FileOrigins): string {
  const override = overrides.findLast((one) => one.path.every((step, at) => path[at] === step));
  return override?.from ?? placeText(label, placeIn(document, path));
}

/** What only says where a secret is. */
const reference = /^(?:env:.+|\$\{\w+\}|\{(?:env|keychain)\.[\w.@-]+\})$/s;

/** References and `auto` are no secrets. */
function masked(schema: GenericSchema, value: unknown): unknown {
  const { kind } = shapeOf(schema);
  if (kind.is === "secret" && typeof value === "string")
    return value === "" || value === "auto" || reference.test(value) ? value : redacted;
  if (Array.isArray(value)) return value.map((item: unknown, at) => maskedChild(schema, at, item));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskedChild(schema, key, item)]));
}

function maskedChild(schema: GenericSchema, key: string | number, item: unknown): unknown {
  const child = childOf(schema, key);
  return child === undefined ? item : masked(child, item);
}
