/** Lint of capability files: every rule over every file, each finding with its place. */
import { ConfigError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import type { Place } from "../../lib/yaml-document.ts";
import { readDocument } from "../load.ts";
import { conflictRule, type Finding, rules, type Severity, type Subject } from "./rules.ts";

export interface RuleResult {
  readonly rule: string;
  readonly name: string;
  readonly severity: Severity;
  /** Empty where the rule passes. */
  readonly message: string;
  readonly place: Place;
}

export interface FileResult {
  readonly file: string;
  readonly capability: string;
  /** From 0, everything fails, to 1. */
  readonly score: number;
  readonly results: readonly RuleResult[];
  /** Why it cannot be read; it has no results then. */
  readonly error: string | undefined;
}

const firstPlace: Place = { line: 1, column: 1 };
const worth: Readonly<Record<Severity, number>> = { pass: 1, warn: 0.5, fail: 0 };

interface Read {
  readonly file: string;
  readonly subject: Subject | undefined;
  readonly placeOf: (path: readonly PropertyKey[]) => Place;
  readonly error: string | undefined;
}

export async function lintFiles(texts: ReadonlyMap<string, string>): Promise<FileResult[]> {
  const files = await Promise.all(Array.from(texts, ([file, text]) => readSubject(file, text)));
  const owners = new Map<string, string[]>();
  for (const { file, subject } of files)
    if (subject !== undefined) owners.set(subject.name, [...(owners.get(subject.name) ?? []), file]);
  return files.map((read): FileResult => {
    const { file, subject, placeOf, error } = read;
    if (subject === undefined) return { file, capability: "", score: 0, results: [], error };
    const results = rules.flatMap((rule) => outcome(rule, rule.check(subject), placeOf));
    results.push(...outcome(conflictRule, conflicts(subject, file, owners), placeOf));
    results.sort((a, b) => (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0));
    const total = results.reduce((sum, { severity }) => sum + worth[severity], 0);
    return { file, capability: subject.name, score: total / results.length, results, error: undefined };
  });
}

async function readSubject(file: string, text: string): Promise<Read> {
  try {
    const { value, placeOf } = await readDocument(file, text);
    if (isJsonObject(value)) return { file, subject: subjectOf(file, value), placeOf, error: undefined };
    return { file, subject: undefined, placeOf, error: `${file}:1:1  The file must be a mapping` };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { file, subject: undefined, placeOf: () => firstPlace, error: error.message };
  }
}

function subjectOf(file: string, value: JsonObject): Subject {
  const { name, description, metadata, schema } = value;
  const input = isJsonObject(schema) ? schema["input"] : undefined;
  const properties = isJsonObject(input) && isJsonObject(input["properties"]) ? input["properties"] : {};
  return {
    name: typeof name === "string" ? name : file.replace(/^.*[\\/]/, "").replace(/\.ya?ml$/, ""),
    description: typeof description === "string" ? description : "",
    isReadOnly: isJsonObject(metadata) && metadata["read_only"] === true,
    properties: Object.fromEntries(
      Object.entries(properties).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1])),
    ),
    value,
  };
}

function outcome(
  { id, name }: { readonly id: string; readonly name: string },
  findings: readonly Finding[],
  placeOf: Read["placeOf"],
): RuleResult[] {
  if (findings.length === 0) return [{ rule: id, name, severity: "pass", message: "", place: firstPlace }];
  return findings.map(({ severity, message, path }) => ({ rule: id, name, severity, message, place: placeOf(path) }));
}

function conflicts({ name }: Subject, file: string, owners: ReadonlyMap<string, readonly string[]>): Finding[] {
  const others = (owners.get(name) ?? []).filter((other) => other !== file);
  if (others.length === 0) return [];
  return [
    {
      severity: "fail",
      path: ["name"],
      message: `"${name}" is the name of ${others.map((other) => `"${other}"`).join(", ")} too`,
    },
  ];
}
