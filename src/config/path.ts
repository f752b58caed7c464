/** Paths into plain values: the keys and list positions that lead to a setting. */

export type Path = readonly (string | number)[];

/** `backends.tavily.env`, `auth.api_keys[0].key`, `backends."a.b".url` */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    const name = /^[\w-]+$/.test(step) ? step : JSON.stringify(step);
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

/** The file, or any map in it, as plain values. */
export type Settings = Readonly<Record<string, unknown>>;

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, step) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, step)
        ? (inner as Record<string | number, unknown>)[step]
        : undefined,
    value,
  );
}

/** A copy of the value with another one at the path; maps on the way are made where there are none. */
export function withValueAt<T>(value: T, path: Path, replacement: unknown): T {
  const [step, ...rest] = path;
  if (step === undefined) return replacement as T;
  const inner = withValueAt(valueAt(value, [step]), rest, replacement);
  if (Array.isArray(value) && typeof step === "number") return value.with(step, inner) as T;
  return { ...(isMap(value) ? value : {}), [step]: inner } as T;
}

/** A copy without what is at the path; a list on the way goes as a whole, because its places would shift. */
export function withoutPath(value: unknown, path: Path): unknown {
  const [step, ...rest] = path;
  if (step === undefined || !isMap(value) || !Object.hasOwn(value, step)) return value;
  const { [step]: inner, ...others } = value;
  const isLast = rest.length === 0 || typeof rest[0] === "number";
  return isLast ? others : { ...others, [step]: withoutPath(inner, rest) };
}

/** Takes entries whose value is `null` out of every map inside: an empty section says nothing. Changes the value itself. */
export function dropNulls(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const map = value as Record<string, unknown>;
  for (const key in map) {
    const inner = map[key];
    if (inner !== null) {
      if (typeof inner === "object") dropNulls(inner);
    } else if (!Array.isArray(value)) delete map[key];
  }
}

export function isMap(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
