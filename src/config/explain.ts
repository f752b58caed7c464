/** Gives problems their place: `gateway.yaml:12:5  backends.tavily needs …`, one line each. */
import { ConfigError } from "../core/errors.ts";
import { type Place, readYaml, type YamlDocument, YamlError } from "../lib/yaml-document.ts";
import { placeIn } from "./flat-settings.ts";
import { foreignFile, isToml } from "./foreign-file.ts";
import { type Path, pathText } from "./path.ts";
import type { Problem } from "./problem.ts";

/** A value that did not come from the file but from a variable or an option. */
export interface Override {
  readonly path: Path;
  readonly value: unknown;
  /** Name of the variable or option, e.g. `MCP_GATEWAY_SERVER__PORT` or `--port`. */
  readonly from: string;
}

export interface Origins {
  /** As the user would type it; `undefined` when there is no file. */
  readonly label: string | undefined;
  readonly text: string;
  readonly overrides: readonly Override[];
}

/** In the order of the file; what came from elsewhere follows. Parses the text again, for the places: only failures and warnings pay for that. */
export async function explain(problems: readonly Problem[], origins: Origins): Promise<string[]> {
  const document = origins.label === undefined ? undefined : await readYaml(origins.text);
  return problems
    .map((problem) => place(problem, origins, document))
    .sort((a, b) => a.order - b.order)
    .map(({ line }) => line);
}

/** The value of a text that may be anything. @throws ConfigError with every problem of it, or what to do with TOML */
export async function readAnyYaml(text: string, label: string): Promise<unknown> {
  try {
    return (await readYaml(text)).value;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    if (isToml(text, label)) throw foreignFile(label);
    const lines = error.problems.map(({ place, message }) => `${placeText(label, place)}  ${message}`);
    throw new ConfigError(lines.join("\n"), { cause: error });
  }
}

export function placeText(label: string, { line, column }: Place): string {
  return `${label}:${line}:${column}`;
}

function place(problem: Problem, origins: Origins, document: YamlDocument | undefined) {
  const at = problem.at ?? problem.path;
  const sentence = `${pathText(problem.path)} ${problem.text}`.trim();
  const override = origins.overrides.findLast((one) => one.path.every((step, index) => at[index] === step));
  if (override !== undefined || document === undefined || origins.label === undefined)
    return {
      order: Number.POSITIVE_INFINITY,
      line: override === undefined ? sentence : `${override.from}  ${sentence}`,
    };
  const found = placeIn(document, at);
  return {
    order: found.line * 1e6 + found.column,
    line: `${placeText(origins.label, found)}  ${sentence}`,
  };
}
