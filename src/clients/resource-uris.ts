/**
 * Resource addresses over many backends. A URI stays as it is while one backend owns it: links inside results, `ui://`
 * and `skill://` depend on that. Only where two backends list the same URI is each shown as `gw+<backend>:<uri>`.
 */
import { globMatches } from "../lib/glob.ts";
import type { JsonObject } from "../lib/json.ts";
import type { OwnedItem } from "./lists.ts";

const prefix = "gw+";

/**
 * The items with colliding values of `field` (`uri` or `uriTemplate`) made distinct; all others identical to what was listed.
 * @param taken URIs of the gateway's own resources, which keep theirs whatever a backend lists
 */
export function distinctUris(
  items: readonly OwnedItem[],
  field: "uri" | "uriTemplate",
  taken: Iterable<string> = [],
): JsonObject[] {
  const owners = new Map<unknown, number>(Array.from(taken, (uri) => [uri, 1]));
  for (const { item } of items) owners.set(item[field], (owners.get(item[field]) ?? 0) + 1);
  return items.map(({ server, item }) =>
    owners.get(item[field]) === 1 ? item : { ...item, [field]: qualifyUri(server, String(item[field])) },
  );
}

export function qualifyUri(server: string, uri: string): string {
  return `${prefix}${encodeURIComponent(server)}:${uri}`;
}

/** The backend and its own URI when `uri` is qualified, else `undefined`. */
export function parseQualifiedUri(uri: string): { server: string; uri: string } | undefined {
  if (!uri.startsWith(prefix)) return undefined;
  const colon = uri.indexOf(":");
  if (colon < 0) return undefined;
  try {
    return { server: decodeURIComponent(uri.slice(prefix.length, colon)), uri: uri.slice(colon + 1) };
  } catch {
    return undefined;
  }
}

/** A read result whose contents carry the URI that was asked for, where the gateway had qualified it. */
export function requalifyContents(result: JsonObject, server: string): JsonObject {
  const { contents } = result;
  return Array.isArray(contents)
    ? { ...result, contents: contents.map((content) => withQualifiedUri(content, server)) }
    : result;
}

/** An entry of a skill, or a directory, with all of its URIs qualified. */
export function requalifyResources(item: JsonObject, server: string): JsonObject {
  const { resources } = item;
  const own = withQualifiedUri(item, server);
  return Array.isArray(resources)
    ? { ...own, resources: resources.map((resource) => withQualifiedUri(resource, server)) }
    : own;
}

function withQualifiedUri(item: JsonObject, server: string): JsonObject {
  return typeof item["uri"] === "string" ? { ...item, uri: qualifyUri(server, item["uri"]) } : item;
}

/**
 * Backends to ask for `uri`, likeliest first: those that list it, else those with a template that fits it, else those
 * that list anything of the same scheme (links in results need not be listed), else every backend with resources.
 */
export function ownersOf(uri: string, resources: readonly OwnedItem[], templates: readonly OwnedItem[]): string[] {
  const scheme = uri.slice(0, uri.indexOf(":") + 1);
  const rounds: ((item: OwnedItem) => boolean)[] = [
    ({ item }) => item["uri"] === uri,
    ({ item }) => typeof item["uriTemplate"] === "string" && fitsTemplate(item["uriTemplate"], uri),
    ({ item }) => scheme !== "" && String(item["uri"] ?? item["uriTemplate"]).startsWith(scheme),
    () => true,
  ];
  for (const fits of rounds) {
    const servers = new Set([...resources, ...templates].filter(fits).map(({ server }) => server));
    if (servers.size > 0) return [...servers];
  }
  return [];
}

/** Whether an RFC 6570 template could have produced the URI; every expression counts as "anything". Linear time (T16). */
function fitsTemplate(template: string, uri: string): boolean {
  return globMatches(template.replaceAll("*", "").replaceAll(/\{[^{}]*\}/g, "*"), uri);
}
