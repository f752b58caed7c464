/** What of the params of `tools/list` says which tools are wanted, and the cursor that says it again for the next page. */
import { GatewayError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { invalid, readInteger, readObject, readString } from "../../meta/arguments.ts";
import { hintNames, type ToolHints } from "./tool-hints.ts";

export interface ToolFilter {
  readonly query: string | undefined;
  /** As the client names it. */
  readonly server: string | undefined;
  readonly hints: Partial<ToolHints>;
  /** Tools on one page. */
  readonly limit: number;
  /** Tools on the pages before. */
  readonly offset: number;
}

const filterMembers = ["query", "server", "annotations", "limit"];

/** As many as a search ranks. */
export const maxLimit = 50;
const maxQueryChars = 1_000;
const maxOffset = 1_000_000;

/**
 * `undefined` for params without a filter. A cursor of {@link cursorOf} brings its own, and what stands beside it counts
 * for nothing.
 * @throws GatewayError INVALID_PARAMS
 */
export function readFilter(params: JsonObject): ToolFilter | undefined {
  const { cursor } = params;
  const continued = cursor === undefined ? undefined : paramsOf(cursor);
  const hasFilter = filterMembers.some((name) => params[name] !== undefined && params[name] !== null);
  if (cursor !== undefined && continued === undefined && hasFilter)
    throw new GatewayError("INVALID_PARAMS", '"cursor" was not issued by this gateway', {
      hint: "Leave it out to begin with the first page",
    });
  if (continued === undefined && !hasFilter) return undefined;
  const asked = continued ?? { ...params, offset: 0 };
  const query = readString(asked, "query")?.trim();
  if (query !== undefined && query.length > maxQueryChars)
    throw invalid(`Argument "query" is longer than ${maxQueryChars} characters`);
  return {
    query: query === "" ? undefined : query,
    server: readString(asked, "server"),
    hints: readHints(asked),
    limit: readInteger(asked, "limit", { fallback: maxLimit, min: 1, max: maxLimit }),
    offset: readInteger(asked, "offset", { fallback: 0, min: 0, max: maxOffset }),
  };
}

export function cursorOf({ hints, ...filter }: ToolFilter): string {
  return JSON.stringify({ ...filter, annotations: hints });
}

function paramsOf(cursor: Json): JsonObject | undefined {
  try {
    const read: unknown = typeof cursor === "string" ? JSON.parse(cursor) : undefined;
    return isJsonObject(read) ? read : undefined;
  } catch {
    return undefined;
  }
}

function readHints(asked: JsonObject): Partial<ToolHints> {
  const hints = readObject(asked, "annotations");
  for (const [name, value] of Object.entries(hints)) {
    if (!(hintNames as readonly string[]).includes(name))
      throw invalid(`"annotations" has no "${name.slice(0, 64)}" to filter by`, `It knows ${hintNames.join(", ")}`);
    if (typeof value !== "boolean") throw invalid(`"annotations.${name}" must be true or false`);
  }
  return hints;
}
