/**
 * Sets and removes one member of a JSON text with comments. Everything else stays as it is, byte for byte: comments,
 * order, indentation, line ends, byte order mark. What the edited text says is read back before anyone gets it.
 */

import { isJsonObject, stableJson } from "./json.ts";
import { type JsoncMember, type JsoncNode, readJsonc } from "./jsonc-document.ts";
import { PlacedError } from "./placed-error.ts";

type Path = readonly [string, ...string[]];

/** The text with the value at the path; objects on the way are made where there are none. @throws PlacedError */
export function setJsoncMember(text: string, path: Path, value: unknown): string {
  const root = readJsonc(text);
  if (root === undefined) {
    const end = newLine(text);
    const json = JSON.stringify(nested(path, value), null, 2).replaceAll("\n", end);
    return `${text}${text.trim() === "" || text.endsWith("\n") ? "" : end}${json}${end}`;
  }
  let node = root;
  let depth = 0;
  let member = lastMember(text, node, path, depth);
  while (member !== undefined && depth < path.length - 1 && member.value.value !== null) {
    node = member.value;
    depth += 1;
    member = lastMember(text, node, path, depth);
  }
  const [key, ...rest] = path.slice(depth) as [string, ...string[]];
  const inner = nested(rest, value);
  const after =
    member === undefined
      ? inserted(text, node, key, inner)
      : replace(text, member.value.start, member.value.end, stringified(text, inner, indentAt(text, member.start)));
  if (stableJson(readJsonc(after)?.value) === stableJson(withValue(root.value, path, value))) return after;
  throw new PlacedError(text, root.start, "cannot be changed without disturbing the rest: edit it by hand");
}

/** The text without the member; unchanged when there is none. @throws PlacedError */
export function removeJsoncMember(text: string, path: Path): string {
  let current = text;
  for (;;) {
    const root = readJsonc(current);
    const parent = path
      .slice(0, -1)
      .reduce<JsoncNode | undefined>((node, key) => node?.members?.findLast((one) => one.key === key)?.value, root);
    const members = parent?.members ?? [];
    // Of several with one key an earlier one would come back.
    const at = members.findLastIndex(({ key }) => key === path.at(-1));
    if (at < 0) return current;
    current = withoutMember(current, members, at);
  }
}

function inserted(text: string, object: JsoncNode, key: string, value: unknown): string {
  const members = object.members as readonly JsoncMember[];
  const last = members.at(-1);
  const close = object.end - 1;
  const isOneLine = !text.slice(object.start, object.end).includes("\n");
  if (isOneLine && (last !== undefined || !text.trimEnd().includes("\n"))) {
    // A text on one line stays on one line.
    const json = `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    if (last === undefined) return replace(text, object.start + 1, close, json);
    const at = last.comma === undefined ? last.value.end : last.comma + 1;
    return replace(text, at, at, `${last.comma === undefined ? "," : ""} ${json}`);
  }
  const end = newLine(text);
  const outer = indentAt(text, object.start);
  const indent = last === undefined ? outer + indentUnit(text) : indentAt(text, last.start);
  const line = `${end}${indent}${JSON.stringify(key)}: ${stringified(text, value, indent)}`;
  // Behind the comments that follow the last member, which may be about it.
  const contentEnd = text.slice(0, close).trimEnd().length;
  const tail = text.slice(contentEnd, close).includes("\n") ? "" : `${end}${outer}`;
  const comma = last !== undefined && last.comma === undefined;
  const from = comma ? last.value.end : contentEnd;
  const between = text.slice(from, contentEnd);
  const trailing = last?.comma === undefined ? "" : ",";
  return replace(text, from, contentEnd, `${comma ? "," : ""}${between}${line}${trailing}${tail}`);
}

function withoutMember(text: string, members: readonly JsoncMember[], at: number): string {
  const member = members[at] as JsoncMember;
  const before = members[at - 1];
  let start = member.start;
  let end = member.comma === undefined ? member.value.end : member.comma + 1;
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const rest = /[^\n]*/y;
  rest.lastIndex = end;
  const behind = rest.exec(text)?.[0] ?? "";
  // A comment on its last line is about it.
  if (text.slice(lineStart, start).trim() === "" && /^[ \t]*(?:\/\/.*)?\r?$/.test(behind)) {
    start = lineStart;
    end = Math.min(text.length, end + behind.length + 1);
  } else if (member.comma === undefined) start = text.slice(0, start).trimEnd().length;
  else end += /^ */.exec(behind)?.[0].length ?? 0;
  const cut = replace(text, start, end, "");
  if (member.comma !== undefined || before?.comma === undefined) return cut;
  return replace(cut, before.comma, before.comma + 1, "");
}

function withValue(holder: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const map = isJsonObject(holder) ? holder : {};
  return { ...map, [key]: withValue(map[key], rest, value) };
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

/** The member that `path[depth]` names. @throws PlacedError when the node is no object */
function lastMember(text: string, node: JsoncNode, path: Path, depth: number): JsoncMember | undefined {
  if (node.members !== undefined) return node.members.findLast(({ key }) => key === path[depth]);
  const what = depth === 0 ? "the file" : `"${path.slice(0, depth).join(".")}"`;
  throw new PlacedError(text, node.start, `${what} must be an object`);
}

function stringified(text: string, value: unknown, indent: string): string {
  if (!text.trimEnd().includes("\n")) return JSON.stringify(value);
  return JSON.stringify(value, null, indentUnit(text)).replaceAll("\n", `${newLine(text)}${indent}`);
}

/** What one level is indented by: that of the first indented key. */
function indentUnit(text: string): string {
  return /^([ \t]+)"/m.exec(text)?.[1] ?? "  ";
}

function indentAt(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? "";
}

function newLine(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function replace(text: string, start: number, end: number, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}
