import { ConfigError } from "../../core/errors.ts";
import { suggestion } from "../../lib/did-you-mean.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import type { JsonObject } from "../../lib/json.ts";
import { writeStdout } from "../../runtime/process.ts";
import { type KnownSkill, removeFromRegistry } from "../../skills/registry.ts";
import { keywordsOf, skillFile, versionOf } from "../../skills/skill.ts";
import type { CommandInput } from "../command.ts";
import { columns } from "./columns.ts";
import { sayDone } from "./say-done.ts";
import { knownSkills, registryOf } from "./skill-registry.ts";

const longestCell = 100;

export async function runList(input: CommandInput): Promise<number> {
  return printList(await knownSkills(input), input, "No skills are imported.");
}

/** Those with every word, likeliest first. */
export async function runSearch(input: CommandInput): Promise<number> {
  const words = input.words.join(" ").toLowerCase().split(/\s+/);
  const found = (await knownSkills(input))
    .map((skill) => ({ skill, score: scoreOf(skill, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
  return printList(
    found.map(({ skill }) => skill),
    input,
    `Nothing found for "${words.join(" ")}".`,
  );
}

export async function runShow(input: CommandInput): Promise<number> {
  const skill = find(await knownSkills(input), input.text("name") as string);
  const text = skill.files.get(skillFile) as string;
  if (input.text("format") === "json")
    return print(JSON.stringify({ ...asJson(skill), frontmatter: skill.frontmatter, text }, undefined, 2));
  const others = [...skill.files.keys()].filter((path) => path !== skillFile);
  const facts = [
    ...(skill.source === undefined ? [] : [`Source: ${skill.source}`]),
    ...(others.length === 0 ? [] : [`Files:  ${others.join(", ")}`]),
  ];
  return print([...facts, text.trimEnd()].join("\n"));
}

export async function runRemove(input: CommandInput): Promise<number> {
  const name = input.text("name") as string;
  if (!(await removeFromRegistry(registryOf(input), name))) find(await knownSkills(input), name);
  await sayDone(`Removed skill ${escapeHidden(name)}`);
  return 0;
}

/** @throws ConfigError naming the nearest one */
function find(skills: readonly KnownSkill[], name: string): KnownSkill {
  const found = skills.find((skill) => skill.name === name);
  if (found !== undefined) return found;
  const known = skills.map((skill) => skill.name);
  throw new ConfigError(`There is no imported skill "${escapeHidden(name)}"${suggestion(name, known)}`);
}

function scoreOf(skill: KnownSkill, words: readonly string[]): number {
  const places: readonly [text: string, weight: number][] = [
    [skill.name, 100],
    [skill.description, 50],
    [keywordsOf(skill).join(" "), 20],
    [skill.body, 5],
  ];
  const scores = words.map((word) =>
    places.reduce((sum, [text, weight]) => sum + (text.toLowerCase().includes(word) ? weight : 0), 0),
  );
  return scores.includes(0) ? 0 : scores.reduce((sum, score) => sum + score, 0);
}

function printList(skills: readonly KnownSkill[], input: CommandInput, none: string): Promise<number> {
  const format = input.text("format");
  if (format === "json") return print(JSON.stringify(skills.map(asJson), undefined, 2));
  if (format === "plain") return print(skills.map(({ name }) => name).join("\n"));
  if (skills.length === 0) return print(none);
  const rows = skills.map((skill) => [skill.name, versionOf(skill) ?? "-", shortened(skill.description)]);
  return print(columns([["NAME", "VERSION", "DESCRIPTION"], ...rows]).join("\n"));
}

function asJson(skill: KnownSkill): JsonObject {
  return {
    name: skill.name,
    description: skill.description,
    version: versionOf(skill) ?? null,
    keywords: keywordsOf(skill),
    files: [...skill.files.keys()],
    source: skill.source ?? null,
  };
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > longestCell ? `${line.slice(0, longestCell - 1).trimEnd()}…` : line;
}

async function print(text: string): Promise<number> {
  await writeStdout(text === "" ? "" : `${escapeHidden(text)}\n`);
  return 0;
}
