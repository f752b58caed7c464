/** Parts of JSON values by dotted paths: kept, renamed, made flat or nested. Nothing is changed in place. */
import { isLongNumber } from "../../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";

/** Paths as a tree: what they have in common is walked once. */
interface Branch<T> {
  leaf: T | undefined;
  readonly children: Map<string, Branch<T>>;
}

const newBranch = <T>(): Branch<T> => ({ leaf: undefined, children: new Map() });

/** `a.b`, `a[].b` and `a[*].b` are the same: a list stands for its elements; `a[0].b` is one of them. */
function partsOf(path: string): string[] {
  return path
    .replace(/\[\*?\]/g, "")
    .replace(/\[(\d+)\]/g, ".$1")
    .split(".")
    .filter((part) => part !== "" && part !== "$");
}

export function treeOf<T>(leaves: Iterable<readonly [path: string, leaf: T]>): Branch<T> {
  const root = newBranch<T>();
  for (const [path, leaf] of leaves) {
    let branch = root;
    for (const part of partsOf(path)) {
      const next = branch.children.get(part) ?? newBranch<T>();
      branch.children.set(part, next);
      branch = next;
    }
    branch.leaf = leaf;
  }
  return root;
}

export type PathTree<T> = Branch<T>;

/** The value without what no path leads to; `undefined` when nothing is left. */
export function project(value: Json, branch: Branch<true>): Json | undefined {
  if (branch.leaf) return value;
  if (Array.isArray(value)) return projectList(value, branch);
  if (!isMap(value)) return undefined;
  const kept: [string, Json][] = [];
  // In the order of the value: it is what its reader knows.
  for (const [key, inner] of entriesOf(value)) {
    const next = branch.children.get(key);
    const part = next && project(inner, next);
    if (part !== undefined) kept.push([key, part]);
  }
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function projectList(list: readonly Json[], branch: Branch<true>): Json | undefined {
  const kept: Json[] = [];
  for (const [at, element] of list.entries()) {
    const single = branch.children.get(String(at));
    const part = single === undefined ? project(element, branch) : project(element, single);
    if (part !== undefined) kept.push(part);
  }
  return kept.length === 0 && list.length > 0 ? undefined : kept;
}

/** A name that is taken stays with its owner. */
export function rename(value: Json, branch: Branch<string>): Json {
  if (Array.isArray(value)) return value.map((element: Json) => rename(element, branch));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    entriesOf(value).map(([key, inner]) => {
      const next = branch.children.get(key);
      if (next === undefined) return [key, inner];
      const name = next.leaf !== undefined && !Object.hasOwn(value, next.leaf) ? next.leaf : key;
      return [name, rename(inner, next)];
    }),
  );
}

/** `{a: {b: 1}}` as `{"a.b": 1}`; elements of lists have their numbers as names. */
export function flat(value: Json): Json {
  if (!isMap(value) && !Array.isArray(value)) return value;
  const found: [string, Json][] = [];
  const walk = (inner: Json, path: string) => {
    const parts = Array.isArray(inner) ? [...inner.entries()] : isMap(inner) ? entriesOf(inner) : [];
    if (parts.length === 0) found.push([path, inner]);
    for (const [key, part] of parts) walk(part as Json, path === "" ? String(key) : `${path}.${key}`);
  };
  walk(value, "");
  return Object.fromEntries(found.filter(([path]) => path !== ""));
}

/** `{"a.b": 1}` as `{a: {b: 1}}`, at every level. */
export function nested(value: Json): Json {
  if (Array.isArray(value)) return value.map((element: Json) => nested(element));
  if (!isMap(value)) return value;
  const groups = new Map<string, [rest: string, value: Json][]>();
  for (const [key, inner] of entriesOf(value)) {
    const dot = key.indexOf(".");
    const [first, rest] = dot < 0 ? [key, ""] : [key.slice(0, dot), key.slice(dot + 1)];
    groups.set(first, [...(groups.get(first) ?? []), [rest, inner]]);
  }
  return Object.fromEntries(
    [...groups].map(([key, parts]): [string, Json] => {
      const whole = parts.findLast(([rest]) => rest === "");
      // A member with a value of its own cannot have parts as well.
      if (whole !== undefined) return [key, nested(whole[1])];
      return [key, nested(Object.fromEntries(parts))];
    }),
  );
}

/** The value a path leads to, of every element of a list that is on the way; `undefined` where there is none. */
export function valueAtPath(value: Json, path: string): Json | undefined {
  return walk(value, partsOf(path));
}

function walk(value: Json, parts: readonly string[]): Json | undefined {
  const [part, ...rest] = parts;
  if (part === undefined) return value;
  if (Array.isArray(value)) {
    if (/^\d+$/.test(part)) return value[Number(part)] === undefined ? undefined : walk(value[Number(part)], rest);
    const found = value.map((element: Json) => walk(element, parts)).filter((one) => one !== undefined);
    return found.length === 0 ? undefined : found;
  }
  if (!isMap(value) || !Object.hasOwn(value, part)) return undefined;
  return walk(value[part] as Json, rest);
}

/** Text of the value a path leads to; empty where there is none, one for each element of a list with commas between. */
export function textAt(value: Json, path: string): string {
  let found: readonly Json[] = [value];
  for (const part of partsOf(path))
    found = found.flatMap((inner) => {
      const member = Array.isArray(inner) && /^\d+$/.test(part) ? inner[Number(part)] : undefined;
      const owners: readonly Json[] = member === undefined && Array.isArray(inner) ? inner : [inner];
      if (member !== undefined) return [member];
      return owners.flatMap((owner) => (isMap(owner) && Object.hasOwn(owner, part) ? [owner[part] as Json] : []));
    });
  return found.map((inner) => (typeof inner === "string" ? inner : JSON.stringify(inner))).join(", ");
}

function isMap(value: Json): value is JsonObject {
  return isJsonObject(value) && !isLongNumber(value);
}

function entriesOf(value: JsonObject): [string, Json][] {
  return Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
}
