/** Where a page, a header or a catalog says that the description of an API is. */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";

const maxPage = 1_048_576;
const maxLinks = 12;

/**
 * Of an HTML page or of the script beside one: `<link rel="service-desc">` (RFC 8631), the configuration of Swagger UI,
 * Redoc, Scalar and RapiDoc, their script, and links to what is called like a description. Best first.
 */
export function linksInPage(text: string, base: URL): URL[] {
  const page = text.slice(0, maxPage);
  const tags = page.match(/<(?:link|a|redoc|rapi-doc|script|elements-api)\b[^<>]{1,2000}>/gi) ?? [];
  const described = tags
    .filter((tag) => /\brel\s*=\s*["']?[^"'>]*\bservice-desc\b/i.test(tag))
    .map((tag) => attribute(tag, "href"));
  const attributes = tags.flatMap((tag) =>
    ["spec-url", "data-url", "apiDescriptionUrl"].map((name) => attribute(tag, name)),
  );
  const configured = [
    ...captured(page, /["']?(?:url|configUrl|specUrl|spec-url)["']?\s*:\s*["']([^"'\s<>]{1,500})["']/g),
    ...captured(page, /\bRedoc\.init\(\s*["']([^"'\s<>]{1,500})["']/g),
  ];
  const named = tags
    .map((tag) => attribute(tag, "href") ?? attribute(tag, "src"))
    .filter((link) =>
      /(openapi|swagger|api-docs)[^/]*\.(json|ya?ml)\b|swagger-initializer\.js|\/api-docs\b/i.test(link ?? ""),
    );
  return resolved([...described, ...attributes, ...configured, ...named], base);
}

/** The Link header of RFC 8288, as RFC 8631 and RFC 9727 use it. */
export function linksInHeader(header: string, base: URL): URL[] {
  const found = header
    .slice(0, 8_192)
    .split(/,(?=\s*<)/)
    .filter((link) => /;\s*rel\s*=\s*"?[^";]*\b(service-desc|api-catalog)\b/i.test(link))
    .map((link) => /<([^<>]*)>/.exec(link)?.[1]);
  return resolved(found, base);
}

/** A linkset of RFC 9264, which `/.well-known/api-catalog` is, or the configuration of Swagger UI as a file. */
export function linksInDocument(document: JsonObject, base: URL): URL[] {
  const sets = objects(document["linkset"]);
  const described = sets.flatMap((set) => objects(set["service-desc"]));
  const items = sets.flatMap((set) => objects(set["item"]));
  const configured = [document["url"], ...objects(document["urls"]).map(({ url }) => url)];
  return resolved([...[...described, ...items].map(({ href }) => href), ...configured], base);
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>"']+))`, "i").exec(tag);
  return (found?.[1] ?? found?.[2] ?? found?.[3])?.replaceAll("&amp;", "&");
}

function captured(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, link]) => link as string);
}

function resolved(links: readonly unknown[], base: URL): URL[] {
  const found = new Map<string, URL>();
  for (const link of links) {
    if (typeof link !== "string" || link === "" || found.size >= maxLinks || !URL.canParse(link, base)) continue;
    const url = new URL(link, base);
    url.hash = "";
    if (url.protocol === "http:" || url.protocol === "https:") found.set(url.href, url);
  }
  return [...found.values()];
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? (value as Json[]).filter(isJsonObject) : [];
}
