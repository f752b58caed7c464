/**
 * Pointers into the results of earlier steps, for chains and playbooks: the plain part of JSONPath (RFC 9535) without
 * its leading `$`: `step1.items[0].id`, `step1["odd key"]`, `step1.items[*].id` for every element (`[]` is the same).
 */
import { isJsonObject, type Json } from "../lib/json.ts";

const everyElement = Symbol("*");
type Segment = string | number | typeof everyElement;

export interface ValuePath {
  /** The name before the first segment. */
  readonly head: string;
  readonly segments: readonly Segment[];
  readonly text: string;
}

const segment = /\.([^.[\]]+)|\[(-?\d+)\]|\[(?:"([^"]*)"|'([^']*)')\]|\[(\*?)\]/y;

/** `undefined` when the text is no path. */
export function parseValuePath(text: string): ValuePath | undefined {
  const head = /^[^.[\]\s]+/.exec(text)?.[0];
  if (head === undefined) return undefined;
  const segments: Segment[] = [];
  segment.lastIndex = head.length;
  while (segment.lastIndex < text.length) {
    const found = segment.exec(text);
    if (found === null) return undefined;
    const [, key, index, quoted, single] = found;
    if (index !== undefined) segments.push(Number(index));
    else segments.push(key ?? quoted ?? single ?? everyElement);
  }
  return { head, segments, text };
}

export type PathResult = { readonly value: Json } | { readonly missing: string };

/** The value the segments lead to, or a sentence that says where they lead nowhere. Elements without the rest of a path are left out of a list. */
export function readValuePath(start: Json, { head, segments }: ValuePath): PathResult {
  let values: Json[] = [start];
  let isList = false;
  let place = head;
  for (const step of segments) {
    const next: Json[] = [];
    for (const value of values) {
      if (step === everyElement) {
        if (Array.isArray(value)) next.push(...value);
        else if (!isList) return { missing: `"${place}" is ${kindOf(value)}, not a list` };
        continue;
      }
      const inner = memberOf(value, step);
      if (inner !== undefined) next.push(inner);
      else if (!isList) return { missing: `"${place}" ${whyNot(value, step)}` };
    }
    if (step === everyElement) isList = true;
    place += typeof step === "string" ? `.${step}` : `[${step === everyElement ? "*" : step}]`;
    values = next;
  }
  return { value: isList ? values : (values[0] as Json) };
}

function memberOf(value: Json, step: string | number): Json | undefined {
  if (Array.isArray(value)) return typeof step === "number" ? value.at(step) : undefined;
  return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

const keysShown = 10;

function whyNot(value: Json, step: string | number): string {
  if (typeof step === "number")
    return Array.isArray(value) ? `has ${value.length} elements, not [${step}]` : `is ${kindOf(value)}, not a list`;
  if (!isJsonObject(value)) return `is ${kindOf(value)}, so it has no "${step}"`;
  const keys = Object.keys(value);
  const shown = keys.length === 0 ? "nothing" : keys.slice(0, keysShown).join(", ");
  return `has no "${step}", it has ${shown}${keys.length > keysShown ? ", …" : ""}`;
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : typeof value === "string" ? "text" : `a ${typeof value}`;
}
