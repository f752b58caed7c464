/** The configuration of another gateway as one of this one: read, converted, and held against our own checks. */
import { checkSettings } from "../../config/check.ts";
import { explain, placeText } from "../../config/explain.ts";
import { hasUpstreamGroups, isToml } from "../../config/foreign-file.ts";
import { type Path, pathText, type Settings } from "../../config/path.ts";
import type { Problem } from "../../config/problem.ts";
import { ConfigError } from "../../core/errors.ts";
import { PlacedError } from "../../lib/placed-error.ts";
import { Redactor } from "../../lib/redact.ts";
import { readToml } from "../../lib/toml-document.ts";
import { readYaml, type YamlComment, YamlError } from "../../lib/yaml-document.ts";
import type { Environment } from "../../runtime/process.ts";
import { convertAccess } from "./access.ts";
import { Conversion, type Source } from "./conversion.ts";
import { convertPlainSettings } from "./plain-settings.ts";
import { convertUpstreamGroups } from "./upstream-groups.ts";

export interface ImportedConfig {
  readonly settings: Settings;
  readonly comments: readonly YamlComment[];
  /** One line for each setting of the source, in its order, with its place; without secrets. */
  readonly report: readonly string[];
  /** What our own checks say of the settings, short of a problem. */
  readonly warnings: readonly string[];
}

/** More than any file needs, and few enough for each to be spoken of. */
const maxValues = 5_000;
const sections = ["server", "gateway", "upstream", "security", "metrics", "logging", "middleware"];
/** Taking one wrong setting out may bring another to light; no file has this many layers of them. */
const maxRounds = 50;

/** @throws ConfigError when the text cannot be read, or is no configuration to import */
export async function importConfig(text: string, label: string, env: Environment): Promise<ImportedConfig> {
  const source = await readSource(text, label);
  if (countValues(source.value) > maxValues)
    throw new ConfigError(`${label}:1:1  The file has more than ${maxValues} values, too many to convert`);
  const conversion = new Conversion(source.value);
  convertPlainSettings(conversion);
  convertUpstreamGroups(conversion);
  convertAccess(conversion);
  const warnings = await untilValid(conversion, env);
  const { redact } = new Redactor(conversion.secrets);
  const outcomes = conversion.outcomes().map((outcome) => ({ ...outcome, place: source.placeOf(outcome.from) }));
  outcomes.sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  return {
    settings: conversion.settings,
    comments: conversion.comments,
    report: outcomes.map(({ from, to, text: said, place }) =>
      redact(`${placeText(label, place)}  ${pathText(from)}${to === undefined ? "  " : " → "}${said}`),
    ),
    warnings: warnings.map(redact),
  };
}

async function readSource(text: string, label: string): Promise<Source> {
  if (isToml(text, label)) {
    const document = readTomlOf(text, label);
    if (sections.some((section) => Object.hasOwn(document.value as object, section))) return document;
    throw new ConfigError(
      `${label}:1:1  There is nothing to import: none of ${sections.map((name) => `[${name}]`).join(", ")} is there. "mcp-gateway setup wizard" imports the servers of AI clients`,
    );
  }
  try {
    const document = await readYaml(text);
    if (hasUpstreamGroups(document.value)) return document;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new ConfigError(
      error.problems.map(({ place, message }) => `${placeText(label, place)}  ${message}`).join("\n"),
    );
  }
  throw new ConfigError(`${label}:1:1  There is nothing to convert: use it as it is, with --config ${label}`);
}

function readTomlOf(text: string, label: string): Source {
  try {
    return readToml(text);
  } catch (error) {
    if (error instanceof PlacedError) throw new ConfigError(`${label}:${error.message}`);
    throw error;
  }
}

/** Takes out what does not pass, and says so; what comes of it is valid. */
async function untilValid(conversion: Conversion, env: Environment): Promise<readonly string[]> {
  for (let round = 0; round < maxRounds; round += 1) {
    const toAbsolute = async (path: string) => path;
    const checked = await checkSettings(conversion.settings, { env, toAbsolute, strict: true });
    if (checked.problems.length === 0) return explained(checked.warnings);
    // The innermost first: what is left around it may then be right.
    const problems = checked.problems.toSorted((a, b) => b.path.length - a.path.length);
    for (const { path, text } of problems) {
      const why = `${pathText(path)} ${text}`;
      if (guards(path)) throw new ConfigError(`What protects the gateway cannot be converted, so nothing is: ${why}`);
      conversion.takeOut(path, why);
    }
  }
  throw new ConfigError("The file has too many wrong settings to be converted: correct those of its first lines");
}

/** Left out, it would open what was closed. */
function guards([section, key]: Path): boolean {
  return section === "mtls" || (section === "auth" && (key === undefined || key === "enabled"));
}

function countValues(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + countValues(inner), 1);
}

function explained(problems: readonly Problem[]): Promise<string[]> {
  return explain(problems, { label: undefined, text: "", overrides: [] });
}
