/**
 * Arguments of playbook steps: a text that is `$inputs.city` or `$issues.items[].title` is the value itself, `${…}` in a
 * longer text is put into it, and `$$` stands for a dollar sign.
 */
import { isJsonObject, type Json } from "../../lib/json.ts";
import { parseValuePath, readValuePath, type ValuePath } from "../value-path.ts";

const whole = /^\$([A-Za-z_][^\s$]*)$/;
const embedded = /\$\$|\$\{([^{}]*)\}/g;

export function pathsInTemplate(template: Json): ValuePath[] {
  if (typeof template === "string") return pathsInText(template);
  if (Array.isArray(template)) return template.flatMap(pathsInTemplate);
  if (!isJsonObject(template)) return [];
  return Object.values(template).flatMap((item) => (item === undefined ? [] : pathsInTemplate(item)));
}

function pathsInText(text: string): ValuePath[] {
  const found = whole.exec(text);
  const texts = found === null ? Array.from(text.matchAll(embedded), ([, path]) => path) : [found[1]];
  return texts.flatMap((path) => {
    // What is no path is one that nothing can be called by, so that it is reported and not sent.
    return path === undefined ? [] : [parseValuePath(path) ?? { head: path, segments: [], text: path }];
  });
}

export class MissingValue extends Error {}

/** @throws MissingValue naming the path that leads nowhere */
export function fillTemplate(template: Json, values: ReadonlyMap<string, Json>): Json {
  if (typeof template === "string") return fillText(template, values);
  if (Array.isArray(template)) return template.map((item) => fillTemplate(item, values));
  if (!isJsonObject(template)) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, item]) => [key, item === undefined ? item : fillTemplate(item, values)]),
  );
}

function fillText(text: string, values: ReadonlyMap<string, Json>): Json {
  const found = whole.exec(text);
  if (found !== null) return valueAt(found[1] as string, values);
  return text.replaceAll(embedded, (match, path?: string) => {
    if (path === undefined) return match === "$$" ? "$" : match;
    const value = valueAt(path, values);
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}

/** @throws MissingValue */
export function valueAt(text: string, values: ReadonlyMap<string, Json>): Json {
  const path = parseValuePath(text);
  const start = path === undefined ? undefined : values.get(path.head);
  if (path === undefined || start === undefined) throw new MissingValue(`"$${text}" has no value here`);
  const found = readValuePath(start, path);
  if ("value" in found) return found.value;
  throw new MissingValue(`"$${text}" has no value: ${found.missing}`);
}
