/** HTTP response → tool result. */
import { maxAnswerDepth } from "../core/answer.ts";
import { ByteCollector } from "../lib/byte-collector.ts";
import { isJsonObject, type Json, type JsonObject, nestsDeeper, readableJson } from "../lib/json.ts";
import type { Capability } from "./capability.ts";
import { Refusal } from "./refusal.ts";

const maxResponseBytes = 16_777_216;
const maxErrorBytes = 8_192;
const shownErrorCharacters = 500;

/**
 * @param scrub takes secrets out of what the API said before a part of it is shown
 * @throws Refusal when the status is not 2xx or the body is not what the capability promises
 */
export async function toolResult(
  { rest, tool }: Capability,
  response: Response,
  scrub: (text: string) => string,
): Promise<JsonObject> {
  const excerpt = (text: string) => scrub(text).slice(0, shownErrorCharacters);
  if (!response.ok) {
    const { text } = await readBody(response, maxErrorBytes);
    throw new Refusal(`The API answered HTTP ${response.status}`, excerpt(text) || undefined);
  }
  const { text, isCut } = await readBody(response, maxResponseBytes);
  if (isCut) throw new Refusal(`The API's answer is larger than ${maxResponseBytes} bytes`, "Ask for less at once");
  const found = valueAt(parseBody(text, response, rest.response_format, excerpt), rest.response_path);
  if (found === undefined) throw new Refusal(`The API's answer has no "${rest.response_path}"`, excerpt(text));
  if (nestsDeeper(found, maxAnswerDepth))
    throw new Refusal(`The API's answer is nested deeper than ${maxAnswerDepth} levels`);
  const content = [{ type: "text", text: readableJson(found) }];
  if (tool["outputSchema"] === undefined) return { content };
  // A client that knows the output schema rejects a result without this member.
  if (!isJsonObject(found))
    throw new Refusal("The API's answer is not an object, as schema.output says", excerpt(text));
  return { content, structuredContent: found };
}

function parseBody(text: string, response: Response, format: string, excerpt: (text: string) => string): Json {
  const type = response.headers.get("content-type") ?? "";
  if (format !== "text") {
    if (text === "") return null;
    try {
      return JSON.parse(text) as Json;
    } catch {
      if (format === "json" || type.includes("json"))
        throw new Refusal(`The API answered with ${type || "something"} that is not valid JSON`, excerpt(text));
    }
  }
  // The shape older clients of capability files read.
  return { answer: text, confidence: "high" };
}

/** The value at a dotted path, numbers indexing lists; the whole for an empty path. */
function valueAt(value: Json, path: string): Json | undefined {
  let found: Json | undefined = value;
  for (const part of path === "" ? [] : path.split(".")) {
    const isInside: boolean = typeof found === "object" && found !== null && Object.hasOwn(found, part);
    found = isInside ? (found as JsonObject)[part] : undefined;
  }
  return found;
}

async function readBody(response: Response, maxBytes: number): Promise<{ text: string; isCut: boolean }> {
  const collected = new ByteCollector();
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    collected.append(part.value);
    if (collected.byteLength <= maxBytes) continue;
    await reader?.cancel();
    return { text: new TextDecoder().decode(collected.take().subarray(0, maxBytes)), isCut: true };
  }
  return { text: new TextDecoder().decode(collected.take()), isCut: false };
}
