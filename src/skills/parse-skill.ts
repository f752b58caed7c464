/** The text of a `SKILL.md` → what it says, or every mistake in it with its place. */
import { ConfigError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { YamlDocument } from "../lib/yaml-document.ts";
import { maxFrontmatterCharacters } from "./limits.ts";
import { type Skill, skillFile } from "./skill.ts";

const maxName = 64;
const maxDescription = 1_024;
const maxCompatibility = 500;

/** How the file begins, as the hosts of skills read it: nothing stands before the first line. */
const opening = /^---\r?\n/;
const closing = /^---[ \t]*\r?$/m;

/**
 * @param label how the file is named in errors
 * @param others the files beside it
 * @throws ConfigError with one line `file:line:column  problem` for each, in the order of the file
 */
export async function parseSkill(label: string, text: string, others: Iterable<[string, string]> = []): Promise<Skill> {
  const { yaml, body } = split(label, text);
  const { value, placeOf } = await readFrontmatter(label, yaml);
  const problems: { readonly line: number; readonly text: string }[] = [];
  const problem = (key: string, what: string) => {
    const { line, column } = placeOf(key === "" ? [] : [key]);
    problems.push({ line, text: `${label}:${line}:${column}  ${what}` });
  };
  if (!isJsonObject(value)) problem("", "The front matter must be a mapping with name and description");
  else if (isLongerThan(value, maxFrontmatterCharacters))
    problem("", `The front matter is longer than ${maxFrontmatterCharacters} characters`);
  else check(value, problem);
  problems.sort((a, b) => a.line - b.line);
  if (problems.length > 0) throw new ConfigError(problems.map(({ text }) => text).join("\n"));
  const frontmatter = value as JsonObject & { readonly name: string; readonly description: string };
  const { name, description } = frontmatter;
  return { name, description, frontmatter, body, files: new Map([[skillFile, text], ...others]) };
}

/** The front matter keeps its place in the file, so that its lines are those of the file. */
function split(label: string, text: string): { yaml: string; body: string } {
  const start = opening.exec(text)?.[0];
  if (start === undefined)
    throw new ConfigError(
      `${label}:1:1  ${text.trimStart().startsWith("<") ? "This is a web page, not a skill" : 'A skill must begin with a "---" line'}; its name and description stand between two of them`,
    );
  const rest = text.slice(start.length);
  const end = closing.exec(rest);
  if (end === null) throw new ConfigError(`${label}:1:1  The front matter has no closing "---" line`);
  return { yaml: `\n${rest.slice(0, end.index)}`, body: rest.slice(end.index + end[0].length).replace(/^\n/, "") };
}

async function readFrontmatter(label: string, yaml: string): Promise<YamlDocument> {
  const { readYaml, YamlError } = await import("../lib/yaml-document.ts");
  try {
    return await readYaml(yaml);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const lines = error.problems.map(({ place, message }) => `${label}:${place.line}:${place.column}  ${message}`);
    throw new ConfigError(lines.join("\n"), { cause: error });
  }
}

function check(frontmatter: JsonObject, problem: (key: string, what: string) => void): void {
  const { name, description, compatibility, metadata } = frontmatter;
  if (name === undefined) problem("", '"name" is missing');
  else if (typeof name !== "string" || !isSkillName(name))
    problem("name", `"name" must be at most ${maxName} lower-case letters, digits and single hyphens between them`);
  if (description === undefined) problem("", '"description" is missing');
  else if (typeof description !== "string" || description.trim() === "")
    problem("description", '"description" must say what the skill does and when to use it');
  else if ([...description].length > maxDescription)
    problem("description", `"description" must have at most ${maxDescription} characters`);
  if (compatibility !== undefined)
    if (typeof compatibility !== "string" || compatibility === "" || [...compatibility].length > maxCompatibility)
      problem("compatibility", `"compatibility" must be a text of at most ${maxCompatibility} characters`);
  // Hosts refuse the whole list for one that is not so.
  if (metadata !== undefined && !(isJsonObject(metadata) && Object.values(metadata).every(isText)))
    problem("metadata", '"metadata" must be a mapping of texts: put numbers between quotes');
  for (const key of ["version", "license", "effort"]) {
    const value = frontmatter[key];
    if (value !== undefined && typeof value !== "string" && typeof value !== "number")
      problem(key, `"${key}" must be a text`);
  }
  for (const key of ["allowed-tools", "triggers", "keywords"]) {
    const value = frontmatter[key];
    const isList = Array.isArray(value) && value.every((item) => typeof item === "string" || typeof item === "number");
    if (value !== undefined && typeof value !== "string" && !isList) problem(key, `"${key}" must be a list of texts`);
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isSkillName(name: string): boolean {
  return name.length <= maxName && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name);
}

/** Stops counting there: one text may be in it a thousand times. */
function isLongerThan(value: Json | undefined, characters: number): boolean {
  let rest = characters;
  const count = (inner: Json | undefined): void => {
    rest -= typeof inner === "string" ? inner.length + 2 : 4;
    if (rest < 0 || typeof inner !== "object" || inner === null) return;
    for (const [key, item] of Object.entries(inner)) {
      rest -= key.length;
      if (rest < 0) return;
      count(item as Json);
    }
  };
  count(value);
  return rest < 0;
}
