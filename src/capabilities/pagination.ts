/** Long lists that an API hands out in parts, as one answer: the first part with the items of the others in its list. */
import { isLongNumber } from "../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { PaginationSettings } from "./definition-schema.ts";
import { Refusal } from "./refusal.ts";
import { valueAt } from "./response.ts";
import { asText } from "./template.ts";

/** More characters than this would not fit into any context; the rest can be asked for by narrower arguments. */
const maxCharacters = 8_388_608;

export interface Page {
  readonly answer: Json;
  readonly link: string;
  readonly url: URL;
}

export interface Pages {
  readonly answer: Json;
  readonly count: number;
  /** There is more, which was not asked for. */
  readonly isCut: boolean;
}

/** @param fetchPage asks for the address, which has the origin of the first page */
export async function collectPages(
  settings: PaginationSettings,
  first: Page,
  firstUrl: string,
  fetchPage: (url: string) => Promise<Page>,
): Promise<Pages> {
  const items = listAt(first.answer, settings);
  let count = 1;
  let page = first;
  let length = items.length;
  let characters = JSON.stringify(items).length;
  let next = nextUrl(settings, page, firstUrl, length, length, count);
  const seen = new Set([firstUrl]);
  while (next !== undefined) {
    // A server that always names the same page would be asked for it to the end.
    if (count >= settings.max_pages || characters > maxCharacters || seen.has(next)) break;
    seen.add(next);
    page = await fetchPage(next);
    const more = listAt(page.answer, settings);
    count += 1;
    items.push(...more);
    characters += JSON.stringify(more).length;
    next = nextUrl(settings, page, firstUrl, items.length, more.length, count, length);
    length = Math.max(length, more.length);
  }
  return { answer: withList(first.answer, settings.items, items), count, isCut: next !== undefined };
}

function listAt(answer: Json, { items }: PaginationSettings): Json[] {
  const found = valueAt(answer, items);
  if (Array.isArray(found)) return [...(found as Json[])];
  throw new Refusal(
    items === "" ? "The API's answer is not a list to be paged through" : `The API's answer has no list at "${items}"`,
    undefined,
    { outcome: "unanswered" },
  );
}

/** `undefined` at the end. @param usual items of a full page, as far as it is known */
function nextUrl(
  { style, param, next: path, start }: PaginationSettings,
  { answer, link, url }: Page,
  firstUrl: string,
  total: number,
  got: number,
  count: number,
  usual = got,
): string | undefined {
  if (style === "link") {
    const target = path === undefined ? linkedNext(link) : valueAt(answer, path);
    if (typeof target !== "string" || target === "" || !URL.canParse(target, url)) return undefined;
    const next = new URL(target, url);
    if (next.origin !== url.origin)
      throw new Refusal(`"${url.host}" continues its list at "${next.origin}", which is not followed`);
    return next.href;
  }
  if (style === "cursor") {
    const cursor = path === undefined ? undefined : valueAt(answer, path);
    if (cursor === undefined || cursor === "") return undefined;
    const isThere = ["string", "number"].includes(typeof cursor) || isLongNumber(cursor);
    return isThere ? withParameter(firstUrl, param as string, asText(cursor)) : undefined;
  }
  if (got === 0 || got < usual) return undefined;
  const position = style === "page" ? (start ?? 1) + count : (start ?? 0) + total;
  return withParameter(firstUrl, param as string, String(position));
}

/** The address behind `rel="next"` (RFC 8288). */
function linkedNext(link: string): string | undefined {
  for (const [, target, attributes = ""] of link.matchAll(/<([^>]*)>([^<]*)/g))
    if (/;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\b)/i.test(attributes)) return target;
  return undefined;
}

/** The address with the parameter set, everything else as it was written. */
export function withParameter(url: string, name: string, value: string): string {
  const [address = "", query = ""] = url.split("?", 2);
  const encoded = encodeURIComponent(name);
  const kept = query.split("&").filter((pair) => pair !== "" && pair.split("=", 1)[0] !== encoded);
  return `${address}?${[...kept, `${encoded}=${encodeURIComponent(value)}`].join("&")}`;
}

function withList(answer: Json, path: string, items: readonly Json[]): Json {
  const [key = "", ...rest] = path === "" ? [] : path.split(".");
  if (key === "") return items;
  const inner = isJsonObject(answer) ? (answer[key] ?? null) : ((answer as readonly Json[])[Number(key)] ?? null);
  const changed = withList(inner, rest.join("."), items);
  if (Array.isArray(answer)) return answer.map((item: Json, at) => (at === Number(key) ? changed : item));
  return { ...(answer as JsonObject), [key]: changed };
}
