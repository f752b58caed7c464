/** The result of a tool as the value that programs work with: steps of chains and playbooks, and scripts. */
import type { Answer } from "../core/answer.ts";
import { parseExact } from "../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

export interface ToolValue {
  /** `structuredContent`; else the text, as the value it is the JSON of where it is one; else the content blocks. */
  readonly value: Json;
  /** Blocks that are not text: images, audio, resources. */
  readonly blocks: readonly JsonObject[];
  readonly isError: boolean;
}

const needsInput = "The tool asks the user for something first: call it by itself with gateway_invoke";

const beganTask =
  "The tool went on in the background as a task, which cannot be waited for here: it may take effect yet";

/** Long whole numbers keep their digits. */
export function toolValue(answer: Answer): ToolValue {
  const { content, structuredContent, isError, resultType } = answer.exactValue;
  // The client would have to go on with this one call (2026-07-28), which is a step among others here.
  if (resultType === "input_required") return { value: needsInput, blocks: [], isError: true };
  if (resultType === "task") return { value: beganTask, blocks: [], isError: true };
  const all = Array.isArray(content) ? content.filter(isJsonObject) : [];
  const texts = all.filter(({ type }) => type === "text").map(({ text }) => String(text ?? ""));
  const blocks = all.filter(({ type }) => type !== "text");
  const value =
    structuredContent !== undefined && structuredContent !== null
      ? structuredContent
      : texts.length > 0
        ? parsedText(texts)
        : blocks;
  return { value, blocks, isError: isError === true };
}

function parsedText(texts: readonly string[]): Json {
  const text = texts.join("\n");
  if (texts.length > 1 || !/^\s*(?:[[{"\d-]|true|false|null)/.test(text)) return text;
  try {
    return parseExact(text) as Json;
  } catch {
    return text;
  }
}

/** The sentence of a result that says it failed. */
export function failureText({ value }: ToolValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
