/** What every importer takes and gives. */
import type { JsonObject } from "../../lib/json.ts";

export interface ImportOptions {
  /** Stands before every name. */
  readonly prefix: string | undefined;
  /** Where the key is, as `auth.key` says it; worked out from the document by default. */
  readonly authKey: string | undefined;
  /** Where the document came from, for servers that are given relative to it. */
  readonly documentUrl: URL | undefined;
  /** Of GraphQL, where introspection was answered; a file does not say it, and then it is a variable. */
  readonly endpoint?: URL | undefined;
  /** Names the variables an operator has to set where the document says nothing, such as `SHOP_URL` for "shop". */
  readonly sourceName: string;
  readonly maxCount: number;
}

export interface Imported {
  readonly name: string;
  readonly definition: JsonObject;
  /** Variables of the operator that the importer itself put into its templates; from the document none may come. */
  readonly variables: readonly string[];
}

export interface ImportResult {
  readonly capabilities: readonly Imported[];
  /** What was left out or not carried over, and why. */
  readonly warnings: readonly string[];
}

/** Made of one document; each may be large (T15). */
export const maxCapabilities = 1_000;

const maxDescription = 480;

/** The first text that says something, as one plain line. */
export function describe(...texts: unknown[]): string {
  const found = texts.find((text): text is string => typeof text === "string" && text.trim() !== "") ?? "";
  const line = found
    .slice(0, 8 * maxDescription)
    .replace(/<[^<>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > maxDescription ? `${line.slice(0, maxDescription - 1).trimEnd()}…` : line;
}

/** `env:PET_STORE_TOKEN` and the like: the variable of an operator, named after what the document calls it. */
export function variableName(...words: string[]): string {
  return words
    .join("_")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .replace(/^(?=\d)/, "_");
}
