/** Changes one setting of one backend in the text of a configuration file; everything else stays byte for byte. */
import { ConfigError } from "../core/errors.ts";
import { type EntryMap, findSection, insertLines, lineStartAt, mapOf, type Placed, replace, verified } from "./edit.ts";
import { readSettings } from "./load.ts";
import { valueAt, withValueAt } from "./path.ts";

/** @throws ConfigError when the text does not parse, has no such backend, or is written too unusually */
export async function setBackendSetting(
  text: string,
  label: string,
  name: string,
  key: string,
  value: boolean,
): Promise<string> {
  const path = ["backends", name, key];
  const before = await readSettings(text, label);
  if (valueAt(before, ["backends", name]) === undefined)
    throw new ConfigError(`Cannot change the backend "${name}": ${label} has none of that name`);
  const yaml = await import("yaml");
  const entry = mapOf(yaml, findSection(yaml, text, "backends"))?.items.find(
    (item) => String(item.key.value) === name,
  )?.value;
  const after = yaml.isMap(entry) ? changed(text, entry as unknown as EntryMap & Placed, key, String(value)) : text;
  return verified(after, label, withValueAt(before, path, value));
}

function changed(text: string, map: EntryMap & Placed, key: string, value: string): string {
  const known = map.items.find((item) => String(item.key.value) === key);
  if (known?.value) return replace(text, known.value.range[0], known.value.range[1], value);
  const first = map.items[0]?.key.range[0];
  if (first === undefined || map.flow) {
    const inside = map.range[0] + 1;
    return replace(text, inside, inside, ` ${key}: ${value}${first === undefined ? " " : ","}`);
  }
  const start = lineStartAt(text, first);
  return insertLines(text, start, `${text.slice(start, first)}${key}: ${value}`);
}
