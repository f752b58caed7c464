/** The parts of a result that was too long to be shown whole. */
import { Answer } from "../core/answer.ts";
import { parseExact } from "../lib/exact-json.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import { invalid, readInteger, readString } from "./arguments.ts";
import type { MetaTool } from "./meta-tool.ts";
import { toolValue } from "./tool-value.ts";
import { parseValuePath, readValuePath } from "./value-path.ts";

const defaultLimit = 10_000;
const maxLimit = 100_000;

export const readResult: MetaTool = {
  name: "gateway_read_result",
  describe: () => ({
    name: "gateway_read_result",
    description: "Read other parts of a result that was cut.",
    inputSchema: {
      type: "object",
      properties: {
        result: { type: "string", description: "The id from the note" },
        path: { type: "string", description: 'Part of the result, such as "items[10].name" or "items[*].id"' },
        offset: { type: "integer", description: "First character of it to show" },
        limit: { type: "integer", default: defaultLimit },
      },
      required: ["result"],
    },
    annotations: {
      title: "Read a kept result",
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
  }),
  async run(args, { session }) {
    const named = readString(args, "result", "id", "uri");
    if (named === undefined) throw invalid('Argument "result" is missing', "Pass the id of the note in the cut result");
    const offset = readInteger(args, "offset", { fallback: 0, min: 0, max: Number.MAX_SAFE_INTEGER });
    const limit = readInteger(args, "limit", { fallback: defaultLimit, min: 1, max: maxLimit });
    const whole = await session?.keptResult(named.slice(named.lastIndexOf("/") + 1));
    if (whole === undefined) throw invalid("Results are kept for a session only");
    const text = asText(partOf(whole, readString(args, "path")));
    const part = text.slice(offset, offset + limit);
    const end = offset + part.length;
    const more =
      end < text.length ? `\n[Characters ${offset} to ${end} of ${text.length}; "offset": ${end} shows more]` : "";
    return Answer.of({ content: [{ type: "text", text: part + more }] });
  },
};

/** Of the value of the result, as chains see it: its structured content, or what its text is the JSON of. */
function partOf(whole: string, path: string | undefined): Json {
  const { value } = toolValue(Answer.of(parseExact(whole) as JsonObject));
  if (path === undefined) return value;
  const parsed = parseValuePath(path.startsWith("[") ? `result${path}` : `result.${path}`);
  if (parsed === undefined) throw invalid(`"path" is not of the form "items[0].name": ${JSON.stringify(path)}`);
  const found = readValuePath(value, parsed);
  if ("value" in found) return found.value;
  throw invalid(`The path "${path}" leads nowhere: ${found.missing}`);
}

function asText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
