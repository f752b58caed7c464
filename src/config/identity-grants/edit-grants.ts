/**
 * Adds, replaces and removes grants in the text of their file. Only the lines of the grant are touched, as in
 * `config/edit.ts`; what the edited text says is read back and compared before anyone gets it.
 */
import { ConfigError } from "../../core/errors.ts";
import { suggestion } from "../../lib/did-you-mean.ts";
import { stableJson } from "../../lib/json.ts";
import {
  appendBlock,
  blockLines,
  type Entry,
  findSection,
  flowRange,
  type ItemList,
  insertLines,
  lineEndAt,
  lineStartAt,
  linesOf,
  type Placed,
  replace,
  tooUnusual,
  type Yaml,
} from "../edit.ts";
import type { WrittenGrant } from "./grants-file-schema.ts";
import { writtenGrants } from "./read-grants.ts";

/** A grant as it is to be written; without `tools` it is of all. */
export type NewGrant = Omit<WrittenGrant, "id" | "tools"> & {
  readonly id: string;
  readonly tools: readonly string[] | undefined;
};

/**
 * The text with one more grant, as the last one, or in place of the one with its id.
 * @param mayReplace without it a grant of that id is an error
 * @throws ConfigError when the file is broken, or is written too unusually
 */
export async function withGrant(text: string, label: string, grant: NewGrant, mayReplace: boolean): Promise<string> {
  const before = await writtenGrants(text, label);
  const at = before.findIndex(({ id }) => id === grant.id);
  if (at >= 0 && !mayReplace)
    throw new ConfigError(`Cannot add the grant "${grant.id}": ${label} has one of that id`, {
      hint: "Choose another --grant-id, or replace it with --replace",
    });
  const yaml = await import("yaml");
  const section = sectionIn(yaml, text);
  const item = section?.list.items[at];
  const after = item === undefined ? insertion(yaml, text, section, grant) : replacement(yaml, text, item, grant);
  const written = { ...grant, tools: grant.tools ?? ["*"] };
  return verified(after, label, at < 0 ? [...before, written] : (before as readonly object[]).with(at, written));
}

/** The text without the grant. @throws ConfigError when the file is broken or has none of that id, naming the nearest */
export async function withoutGrant(text: string, label: string, id: string): Promise<string> {
  const before = await writtenGrants(text, label);
  const at = before.findIndex((grant) => grant.id === id);
  if (at < 0) {
    const ids = before.flatMap((grant) => grant.id ?? []);
    throw new ConfigError(`There is no grant "${id}" in ${label}${suggestion(id, ids)}`);
  }
  const section = sectionIn(await import("yaml"), text) as GrantsSection;
  return verified(removal(text, section, at), label, before.toSpliced(at, 1));
}

async function verified(text: string, label: string, expected: readonly object[]): Promise<string> {
  const now = await writtenGrants(text, label).catch(() => undefined);
  if (now !== undefined && stableJson(now) === stableJson(expected)) return text;
  throw tooUnusual(label);
}

interface GrantsSection {
  /** Behind the colon of its key. */
  readonly from: number;
  readonly list: ItemList;
}

/** Of a text that was read, so that what is there is a list. */
function sectionIn(yaml: Yaml, text: string): GrantsSection | undefined {
  const section = findSection(yaml, text, "grants");
  if (section === undefined) return undefined;
  return { from: text.indexOf(":", section.key.range[1]) + 1, list: section.value as unknown as ItemList };
}

function insertion(yaml: Yaml, text: string, section: GrantsSection | undefined, grant: NewGrant): string {
  if (section === undefined) return appendBlock(text, blockLines(yaml, text, "", { grants: [grant] }));
  const { from, list } = section;
  const last = list.items.at(-1);
  if (last === undefined) {
    // `[]`: the grant goes below the key, a comment on its line stays.
    const opened = replace(text, from, list.range[1], "");
    return insertLines(opened, lineEndAt(opened, from), blockLines(yaml, text, "  ", [grant]));
  }
  if (list.flow) return replace(text, last.range[1], last.range[1], `, ${JSON.stringify(grant)}`);
  const dash = list.range[0];
  const indent = " ".repeat(dash - lineStartAt(text, dash));
  return insertLines(text, linesOf(text, entryOf(text, last))[1], blockLines(yaml, text, indent, [grant]));
}

/** What follows on the last line of the grant stays. */
function replacement(yaml: Yaml, text: string, item: Placed & { readonly flow?: boolean }, grant: NewGrant): string {
  const [start, valueEnd] = item.range;
  const end = text.slice(0, valueEnd).trimEnd().length;
  if (item.flow) return replace(text, start, end, JSON.stringify(grant));
  const indent = " ".repeat(start - lineStartAt(text, start));
  return replace(text, start, end, blockLines(yaml, text, indent, grant).trimStart());
}

function removal(text: string, { from, list }: GrantsSection, at: number): string {
  if (list.flow) {
    const items = list.items.map((item) => ({ key: item, value: item }));
    return replace(text, ...flowRange({ items }, at), "");
  }
  const rest = replace(text, ...linesOf(text, entryOf(text, list.items[at] as Placed)), "");
  // Of the last one an empty list is left, since the key alone would be no list.
  return list.items.length === 1 ? replace(rest, from, from, " []") : rest;
}

/** An item of a block list, as if its dash were a key. */
function entryOf(text: string, item: Placed): Entry {
  const dash = text.lastIndexOf("-", item.range[0] - 1);
  return { key: { range: [dash, dash + 1, dash + 1] }, value: item };
}
