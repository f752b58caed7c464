/**
 * Makes a tool result fit: lists end earlier, texts end at a line or a word, JSON stays JSON of the same shape. Images,
 * audio and everything else that is not text stay as they are.
 */
import { parseExact } from "../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

/** Shares below this are not worth dividing further. */
const smallestShare = 40;

/** The same result with `maxCharacters` of text and structured content at most, about; what is short stays whole. */
export function cutResult(result: JsonObject, maxCharacters: number): JsonObject {
  const { content, structuredContent } = result;
  const hasStructure = structuredContent !== undefined && structuredContent !== null;
  // Structured content comes with its text (server/tools, "Structured Content"); a model reads one or the other.
  const cutContent = Array.isArray(content) ? cutBlocks(content, maxCharacters) : content;
  return {
    ...result,
    ...(cutContent !== undefined && { content: cutContent }),
    ...(hasStructure && { structuredContent: cutValue(structuredContent, maxCharacters) }),
  };
}

function cutBlocks(blocks: readonly Json[], maxCharacters: number): Json[] {
  let left = maxCharacters;
  return blocks.map((block) => {
    const text = textIn(block);
    if (text === undefined || !isJsonObject(block)) return block;
    const cut = cutText(text, Math.max(left, smallestShare));
    left -= cut.length;
    if (block["type"] === "text") return { ...block, text: cut };
    return { ...block, resource: { ...(block["resource"] as JsonObject), text: cut } };
  });
}

/** Of a text block, or of a resource that is embedded as text. */
function textIn(block: Json): string | undefined {
  if (!isJsonObject(block)) return undefined;
  const holder = block["type"] === "resource" ? block["resource"] : block["type"] === "text" ? block : undefined;
  return isJsonObject(holder) && typeof holder["text"] === "string" ? holder["text"] : undefined;
}

function cutText(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const value = parsed(text);
  return value === undefined ? cutProse(text, maxCharacters) : JSON.stringify(cutValue(value, maxCharacters));
}

function parsed(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return parseExact(text) as Json;
  } catch {
    return undefined;
  }
}

/** At the last end of a line in the last fifth, else at a space there, never within a character. */
function cutProse(text: string, maxCharacters: number): string {
  const cut = text.slice(0, maxCharacters);
  const earliest = maxCharacters * 0.8;
  const line = cut.lastIndexOf("\n");
  const space = cut.lastIndexOf(" ");
  const at = line >= earliest ? line : space >= earliest ? space : maxCharacters;
  return `${cut.slice(0, at).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Every member stays, with a share of what there is; what one does not need is for the others. Lists end earlier. */
function cutValue(value: Json, maxCharacters: number): Json {
  if (typeof value === "string") return value.length + 2 <= maxCharacters ? value : cutProse(value, maxCharacters);
  if (typeof value !== "object" || value === null || JSON.stringify(value).length <= maxCharacters) return value;
  if (Array.isArray(value)) return cutList(value, maxCharacters);
  const entries = Object.entries(value).map(([key, item]) => ({ key, item, length: lengthOf(item) + key.length + 4 }));
  let left = maxCharacters;
  let waiting = entries.length;
  const cut = new Map<string, Json | undefined>();
  for (const { key, item, length } of entries.toSorted((a, b) => a.length - b.length)) {
    const share = Math.max(left / waiting, smallestShare);
    const fitting = item === undefined || length <= share ? item : cutValue(item, share - key.length - 4);
    cut.set(key, fitting);
    left -= fitting === item ? length : lengthOf(fitting) + key.length + 4;
    waiting--;
  }
  return Object.fromEntries(entries.map(({ key }) => [key, cut.get(key)]));
}

function cutList(list: readonly Json[], maxCharacters: number): Json[] {
  const kept: Json[] = [];
  let left = maxCharacters - 2;
  for (const item of list) {
    const length = lengthOf(item) + 1;
    if (length > left && kept.length > 0) break;
    // A list is not empty because its first element is long.
    kept.push(length > left ? cutValue(item, Math.max(left, smallestShare)) : item);
    left -= length;
  }
  return kept;
}

function lengthOf(value: Json | undefined): number {
  return value === undefined ? 0 : JSON.stringify(value).length;
}
