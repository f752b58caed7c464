/** What of a tool is searched, as terms per field. */
import { isJsonObject } from "../lib/json.ts";
import type { CatalogServer, Listed } from "./catalog.ts";
import { compactName } from "./compact-name.ts";
import { type Field, fieldNames } from "./ranking.ts";
import { schemaText } from "./schema-text.ts";
import { tokenize } from "./tokenize.ts";

export interface SearchDocument {
  readonly server: string;
  readonly name: string;
  readonly listed: Listed;
  /** {@link compactName} of the tool, and of server and tool together. */
  readonly nameKey: string;
  readonly fullKey: string;
  readonly terms: Readonly<Record<Field, readonly string[]>>;
  /** Number of terms, in the order of `fieldNames`. */
  readonly lengths: readonly number[];
  /** The server says that the tool cannot be used now, for want of a key for instance. */
  readonly isUnavailable: boolean;
}

export function searchDocument(server: CatalogServer, listed: Listed): SearchDocument {
  const name = text(listed["name"]);
  const meta = isJsonObject(listed["_meta"]) ? listed["_meta"] : {};
  const terms: Record<Field, string[]> = {
    name: tokenize(`${name} ${text(listed["title"])}`),
    server: tokenize(server.name),
    description: tokenize(`${text(listed["description"])} ${keywords(meta["mcp-gateway/keywords"])}`, 2_000),
    parameters: tokenize(schemaText(listed["inputSchema"])),
    about: tokenize(server.description, 500),
  };
  const nameKey = compactName(name);
  return {
    server: server.name,
    name,
    listed,
    nameKey,
    fullKey: compactName(server.name) + nameKey,
    terms,
    lengths: fieldNames.map((field) => terms[field].length),
    isUnavailable: meta["mcp-gateway/unavailable"] !== undefined,
  };
}

/** Words people use for what a capability does, beside those of its description. */
function keywords(value: unknown): string {
  return Array.isArray(value) ? value.filter((word) => typeof word === "string").join(" ") : "";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
