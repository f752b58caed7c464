/** Sets and removes one `[mcp_servers.NAME]` in the text of Codex's settings; every other line stays as it is. */

import { stableJson } from "../lib/json.ts";
import { PlacedError } from "../lib/placed-error.ts";
import { readToml, type TomlHeader } from "../lib/toml-document.ts";

const section = "mcp_servers";

/** @throws PlacedError when the text cannot be read, or has the entry in another form than a table of its own */
export function setCodexEntry(text: string, name: string, entry: Readonly<Record<string, unknown>>): string {
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const table = [`[${section}.${keyText(name)}]`, ...assignments(entry)].join(end);
  const lines = tableLines(text, name);
  const gap = text === "" || text.endsWith(`${end}${end}`) ? "" : text.endsWith("\n") ? end : end + end;
  const after =
    lines === undefined
      ? `${text}${gap}${table}${end}`
      : `${text.slice(0, lines.start)}${table}${end}${text.slice(lines.end)}`;
  return verified(text, after, name, entry);
}

/** Unchanged when there is none. @throws PlacedError */
export function removeCodexEntry(text: string, name: string): string {
  const lines = tableLines(text, name);
  if (lines === undefined) return text;
  const before = text.slice(0, lines.start).replace(/(\n)[ \t\r]*\n$/, "$1");
  return verified(text, before + text.slice(lines.end), name, undefined);
}

/** The lines of the table and of the tables in it; comments above the next table belong to that one. */
function tableLines(text: string, name: string): { start: number; end: number } | undefined {
  const { headers } = readToml(text);
  const isOwn = ({ path }: TomlHeader) => path[0] === section && path[1] === name;
  const first = headers.findIndex(isOwn);
  if (first < 0) return undefined;
  const next = headers.findIndex((header, at) => at > first && !isOwn(header));
  const start = (headers[first] as TomlHeader).start;
  const rest = next < 0 ? text.slice(start) : text.slice(start, (headers[next] as TomlHeader).start);
  return { start, end: start + withoutTail(rest) };
}

/** Length of the lines without the blank ones and comments at their end. */
function withoutTail(lines: string): number {
  let end = lines.length;
  while (end > 0) {
    const lineStart = lines.lastIndexOf("\n", end - 2) + 1;
    if (!/^\s*(?:#.*\s*)?$/.test(lines.slice(lineStart, end))) break;
    end = lineStart;
  }
  return end;
}

function assignments(entry: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(entry).map(([key, value]) => `${keyText(key)} = ${valueText(value)}`);
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${assignments(value as Readonly<Record<string, unknown>>).join(", ")} }`;
}

function keyText(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}

function verified(before: string, after: string, name: string, entry: unknown): string {
  const { [section]: servers = {}, ...others } = readToml(before).value;
  const { [name]: _old, ...kept } = servers as Record<string, unknown>;
  const expected = { ...others, [section]: entry === undefined ? kept : { ...kept, [name]: entry } };
  let now: unknown;
  try {
    now = { [section]: {}, ...readToml(after).value };
  } catch {
    now = undefined;
  }
  if (now !== undefined && stableJson(now) === stableJson(expected)) return after;
  throw new PlacedError(before, 0, `"${section}.${name}" is written in a way that cannot be edited: edit it by hand`);
}
