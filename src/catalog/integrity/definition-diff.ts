/** What changed between two definitions of a tool, as lines a person can read. */
import { escapeHidden } from "../../lib/escape-hidden.ts";
import type { Json } from "../../lib/json.ts";

const maxLines = 60;
const maxText = 400;

/** `- description: "…"` for what was, `+ description: "…"` for what is; long texts are cut around the place they differ. */
export function diffDefinitions(before: Json | undefined, after: Json | undefined): string[] {
  const lines: string[] = [];
  const old = leaves(before);
  const now = leaves(after);
  for (const path of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(path), now.get(path)];
    if (was === is) continue;
    const from = was === undefined || is === undefined ? 0 : Math.max(0, commonStart(was, is) - 40);
    if (was !== undefined) lines.push(`- ${escapeHidden(path)}: ${cut(was, from)}`);
    if (is !== undefined) lines.push(`+ ${escapeHidden(path)}: ${cut(is, from)}`);
  }
  return lines.length > maxLines ? [...lines.slice(0, maxLines), `… and ${lines.length - maxLines} more lines`] : lines;
}

/** Names of the top-level members that differ. */
export function changedMembers(before: Json | undefined, after: Json | undefined): string[] {
  const members = [...leaves(before)].filter(([path, text]) => leaves(after).get(path) !== text).map(([path]) => path);
  const added = [...leaves(after).keys()].filter((path) => !leaves(before).has(path));
  return [...new Set([...members, ...added].map((path) => path.split(/[.[]/)[0] as string))];
}

function leaves(value: Json | undefined, path = "", found = new Map<string, string>()): Map<string, string> {
  if (value === undefined) return found;
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0)
    return found.set(path, JSON.stringify(value));
  for (const [key, inner] of Object.entries(value)) {
    const step = Array.isArray(value) ? `[${key}]` : path === "" ? key : `.${key}`;
    leaves(inner as Json, path + step, found);
  }
  return found;
}

function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

function cut(text: string, from: number): string {
  const start = from > 0 ? "…" : "";
  const shown = text.slice(from, from + maxText);
  return escapeHidden(`${start}${shown}${from + maxText < text.length ? "…" : ""}`);
}
