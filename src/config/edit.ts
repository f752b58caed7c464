/**
 * Adds and removes backends, and adds env files, in the text of a configuration file. Only the lines of those are
 * touched: comments, order, units, quoting and line ends of everything else stay as they are, byte for byte. What the
 * edited text says is read back and compared before anyone gets it.
 */

import { ConfigError } from "../core/errors.ts";
import { stableJson } from "../lib/json.ts";
import { checkSettings } from "./check.ts";
import { readSettings } from "./load.ts";
import { pathText, type Settings, valueAt, withoutPath, withValueAt } from "./path.ts";
import { isReservedName } from "./reserved-name.ts";

export type Yaml = typeof import("yaml");

/** The members of the package's nodes that tell where things stand: [start, end of the value, end with what trails it]. */
export interface Placed {
  readonly range: readonly [number, number, number];
  readonly value?: unknown;
}
export interface Entry {
  readonly key: Placed;
  readonly value: Placed | null;
}
export interface EntryMap {
  readonly items: readonly Entry[];
  readonly flow?: boolean;
}
export interface ItemList extends Placed {
  readonly items: readonly Placed[];
  readonly flow?: boolean;
}

/** The text with one more backend. @throws ConfigError when the text does not parse, has a backend of that name, or the entry is wrong */
export async function addBackend(text: string, label: string, name: string, entry: Settings): Promise<string> {
  const before = await readSettings(text, label);
  if (valueAt(before, ["backends", name]) !== undefined)
    throw new ConfigError(`Cannot add the backend "${name}": ${label} has one of that name`, {
      hint: `Remove it first: mcp-gateway remove ${name}`,
    });
  if (isReservedName(name)) throw new ConfigError(`"${name}" cannot be the name of a backend: choose another one`);
  const { problems } = await checkSettings(
    { backends: { [name]: entry } },
    { env: {}, toAbsolute: async (path) => path },
  );
  if (problems.length > 0)
    throw new ConfigError(problems.map((problem) => `${pathText(problem.path)} ${problem.text}`).join("\n"));
  const yaml = await import("yaml");
  const section = findSection(yaml, text, "backends");
  const after = insertion(yaml, text, section, { [name]: entry });
  return verified(after, label, withValueAt(before, ["backends", name], entry));
}

/** The text without the backend. @throws ConfigError when the text does not parse or has no such backend */
export async function removeBackend(text: string, label: string, name: string): Promise<string> {
  const before = await readSettings(text, label);
  const yaml = await import("yaml");
  const map = mapOf(yaml, findSection(yaml, text, "backends"));
  const at = map?.items.findIndex(({ key }) => String(key.value) === name) ?? -1;
  if (map === undefined || at < 0)
    throw new ConfigError(`Cannot remove the backend "${name}": ${label} has none of that name`);
  const [start, end] = map.flow ? flowRange(map, at) : linesOf(text, map.items[at] as Entry);
  // Without entries the key alone is left, ready for the next one; an empty section says nothing.
  const gone = map.items.length === 1 && !map.flow ? ["backends"] : ["backends", name];
  return verified(replace(text, start, end, ""), label, withoutPath(before, gone) as Settings);
}

/** The text with one more file in `env_files`, as the last one; unchanged when it is there. @throws ConfigError */
export async function addEnvFile(text: string, label: string, path: string): Promise<string> {
  const before = await readSettings(text, label);
  const files = before["env_files"] ?? [];
  if (!Array.isArray(files)) throw new ConfigError(`Cannot add an env file: "env_files" of ${label} is not a list`);
  if (files.includes(path)) return text;
  const expected = withValueAt(before, ["env_files"], [...(files as unknown[]), path]);
  const yaml = await import("yaml");
  const section = findSection(yaml, text, "env_files");
  return verified(envFileInsertion(yaml, text, section, path), label, expected);
}

function envFileInsertion(yaml: Yaml, text: string, section: Entry | undefined, path: string): string {
  const item = yaml.stringify(path, { lineWidth: 0 }).trimEnd();
  const list = yaml.isSeq(section?.value) ? (section?.value as unknown as ItemList) : undefined;
  const last = list?.items.at(-1);
  if (section === undefined) return appendBlock(text, `env_files:${newLine(text)}  - ${item}`);
  if (last === undefined || list === undefined) {
    const from = text.indexOf(":", section.key.range[1]) + 1;
    return replace(text, from, list === undefined ? from : list.range[1], ` [${JSON.stringify(path)}]`);
  }
  const end = last.range[1];
  if (list.flow) return replace(text, end, end, `, ${JSON.stringify(path)}`);
  const start = lineStartAt(text, last.range[0]);
  const indent = text.slice(start, text.indexOf("-", start));
  return insertLines(text, lineEndAt(text, end), `${indent}- ${item}`);
}

export function findSection(yaml: Yaml, text: string, name: string): Entry | undefined {
  const root = yaml.parseDocument(text, { schema: "core", uniqueKeys: false, logLevel: "silent" }).contents;
  return yaml.isMap(root) ? (root as unknown as EntryMap).items.find(({ key }) => key.value === name) : undefined;
}

export function mapOf(yaml: Yaml, section: Entry | undefined): EntryMap | undefined {
  return yaml.isMap(section?.value) ? (section?.value as unknown as EntryMap) : undefined;
}

/** The value as lines of the text. */
export function blockLines(yaml: Yaml, text: string, indent: string, value: unknown): string {
  return yaml
    .stringify(value, { lineWidth: 0 })
    .trimEnd()
    .split("\n")
    .map((line) => (line === "" ? line : indent + line))
    .join(newLine(text));
}

function insertion(yaml: Yaml, text: string, section: Entry | undefined, entry: Settings): string {
  const block = (indent: string, value: Settings) => blockLines(yaml, text, indent, value);
  if (section === undefined) return appendBlock(text, block("", { backends: entry }));
  const map = mapOf(yaml, section);
  const last = map?.items.at(-1);
  if (map === undefined || last === undefined) {
    // Nothing there yet, or `{}`: the entry goes below the key, a comment on its line stays.
    const from = text.indexOf(":", section.key.range[1]) + 1;
    const opened = map === undefined ? text : replace(text, from, (section.value as Placed).range[1], "");
    return insertLines(opened, lineEndAt(opened, from), block("  ", entry));
  }
  if (map.flow) {
    const at = last.value?.range[1] ?? last.key.range[1];
    return replace(text, at, at, `, ${JSON.stringify(entry).slice(1, -1)}`);
  }
  const first = (map.items[0] as Entry).key.range[0];
  return insertLines(text, linesOf(text, last)[1], block(" ".repeat(first - lineStartAt(text, first)), entry));
}

export function appendBlock(text: string, block: string): string {
  const end = newLine(text);
  const gap = text === "" ? "" : text.endsWith("\n") ? end : end + end;
  return text + gap + block + end;
}

/** From the line of the key to the line after its last value; comments that are indented deeper than the key belong to it. */
export function linesOf(text: string, { key, value }: Entry): [start: number, end: number] {
  const keyAt = key.range[0];
  let start = lineStartAt(text, keyAt);
  const valueEnd = value?.range[1] ?? key.range[1];
  let end = lineEndAt(text, text.slice(0, valueEnd).trimEnd().length);
  const indent = keyAt - start;
  for (let next = end; next < text.length; ) {
    const lineEnd = lineEndAt(text, next);
    const line = text.slice(next, lineEnd);
    const content = line.trimStart();
    if (content.startsWith("#") && line.length - content.length > indent) end = lineEnd;
    else if (content !== "") break;
    next = lineEnd;
  }
  // The last line of a file that does not end in a line end takes the one before it along.
  if (end === text.length && !text.endsWith("\n") && start > 0) start -= text[start - 2] === "\r" ? 2 : 1;
  return [start, end];
}

export function flowRange(map: EntryMap, at: number): [start: number, end: number] {
  const end = (entry: Entry) => entry.value?.range[1] ?? entry.key.range[1];
  const start = (entry: Entry) => entry.key.range[0];
  const [before, entry, after] = [map.items[at - 1], map.items[at] as Entry, map.items[at + 1]];
  if (before !== undefined) return [end(before), end(entry)];
  return [start(entry), after === undefined ? end(entry) : start(after)];
}

export function insertLines(text: string, at: number, lines: string): string {
  return at === text.length && !text.endsWith("\n")
    ? replace(text, at, at, newLine(text) + lines)
    : replace(text, at, at, lines + newLine(text));
}

export function lineStartAt(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** Where the next line begins, or the end of the text. */
export function lineEndAt(text: string, offset: number): number {
  const at = text.indexOf("\n", offset);
  return at < 0 ? text.length : at + 1;
}

export function replace(text: string, start: number, end: number, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

function newLine(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

export async function verified(text: string, label: string, expected: Settings): Promise<string> {
  const now = await readSettings(text, label).catch(() => undefined);
  if (now !== undefined && stableJson(now) === stableJson(expected)) return text;
  throw tooUnusual(label);
}

export function tooUnusual(label: string): ConfigError {
  return new ConfigError(`Cannot change ${label} without disturbing the rest of it`, {
    hint: "The way it is written is too unusual to edit automatically: edit it by hand",
  });
}
