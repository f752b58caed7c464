/** What an API or a program said → tool result. */
import { maxAnswerDepth } from "../core/answer.ts";
import { isLongNumber, parseExact } from "../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject, nestsDeeper, readableJson } from "../lib/json.ts";
import { parseXml, XmlError } from "../lib/xml.ts";
import { Refusal } from "./refusal.ts";

const shownErrorCharacters = 500;

export interface RawAnswer {
  readonly bytes: Uint8Array;
  /** Of the Content-Type header, in lower case and without parameters; empty when there is none. */
  readonly mimeType: string;
}

export interface Binary {
  readonly bytes: Uint8Array;
  readonly mimeType: string;
}

/** How a provider wants its answer read. */
export interface Reading {
  /** `response_format`. */
  readonly format: string;
  /** For errors: the text without keys. */
  readonly scrub: (text: string) => string;
  /** For answers: the text without the call's own key. */
  readonly clean: (text: string) => string;
}

/** The answer as JSON, or as bytes where it is none. @throws Refusal when it is not what `format` promises */
export function readAnswer(answer: RawAnswer, reading: Reading): { json: Json } | { binary: Binary } {
  const kind = kindOf(answer, reading.format);
  if (kind === "binary") return { binary: { bytes: answer.bytes, mimeType: mimeTypeOf(answer) } };
  const text = reading.clean(new TextDecoder().decode(answer.bytes));
  if (kind === "text") return { json: asText(text) };
  if (text.trim() === "") return { json: null };
  if (kind === "xml") return { json: readXml(text, reading) };
  try {
    return { json: parseExact(text) as Json };
  } catch {
    // Nobody promised anything, and what came is still an answer.
    if (kind === "unknown") return { json: asText(text) };
    throw new Refusal(
      `The API answered with ${answer.mimeType || "something"} that is not valid JSON`,
      excerpt(text, reading),
      {
        outcome: "unanswered",
      },
    );
  }
}

function kindOf({ mimeType }: RawAnswer, format: string): "json" | "xml" | "text" | "binary" | "unknown" {
  if (format !== "") return format as "json" | "xml" | "text" | "binary";
  if (/[/+]json$/.test(mimeType)) return "json";
  if (/[/+]xml$/.test(mimeType) && mimeType !== "application/xhtml+xml")
    return mimeType === "image/svg+xml" ? "text" : "xml";
  if (/^(image|audio|video|font)\//.test(mimeType) || /^application\/(pdf|zip|gzip|octet-stream)$/.test(mimeType))
    return "binary";
  return "unknown";
}

/** The shape older clients of capability files read. */
function asText(text: string): Json {
  return { answer: text, confidence: "high" };
}

function readXml(text: string, reading: Reading): Json {
  try {
    return parseXml(text);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new Refusal(`The API's answer is not valid XML: ${error.message}`, excerpt(text, reading), {
      outcome: "unanswered",
    });
  }
}

/** What files of these kinds begin with, for APIs that do not say what they send. */
const signatures: readonly (readonly [RegExp, string])[] = [
  [/^\x89PNG\r\n\x1a\n/, "image/png"],
  [/^\xff\xd8\xff/, "image/jpeg"],
  [/^GIF8[79]a/, "image/gif"],
  [/^RIFF.{4}WEBP/s, "image/webp"],
  [/^RIFF.{4}WAVE/s, "audio/wav"],
  [/^(ID3|\xff[\xf2\xf3\xfb])/, "audio/mpeg"],
  [/^OggS/, "audio/ogg"],
  [/^%PDF-/, "application/pdf"],
  [/^PK\x03\x04/, "application/zip"],
];

function mimeTypeOf({ bytes, mimeType }: RawAnswer): string {
  if (/^[\w.+-]+\/[\w.+-]+$/.test(mimeType) && mimeType !== "application/octet-stream") return mimeType;
  const beginning = Array.from(bytes.subarray(0, 16), (byte) => String.fromCharCode(byte)).join("");
  return signatures.find(([pattern]) => pattern.test(beginning))?.[1] ?? "application/octet-stream";
}

/** Images and audio as such, other bytes as an embedded resource; each with a text that says what came. */
export function binaryResult({ bytes, mimeType }: Binary, name: string): JsonObject {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  const described = { type: "text", text: readableJson({ mime_type: mimeType, size: bytes.byteLength }) };
  const media = mimeType.startsWith("image/") ? "image" : mimeType.startsWith("audio/") ? "audio" : undefined;
  // Not the address of the API: the key may be a part of it.
  const resource = { uri: `capability://${name}/answer`, mimeType, blob: data };
  return {
    content: [media === undefined ? { type: "resource", resource } : { type: media, data, mimeType }, described],
  };
}

/**
 * @param tool as `tools/list` shows it
 * @param path `response_path`
 * @throws Refusal when the answer has no such part, or not the shape `schema.output` promises
 */
export function jsonResult(tool: JsonObject, answer: Json, path: string, reading: Reading): JsonObject {
  const found = valueAt(answer, path);
  if (found === undefined)
    throw new Refusal(`The API's answer has no "${path}"`, excerpt(JSON.stringify(answer), reading), {
      outcome: "unanswered",
    });
  if (nestsDeeper(found, maxAnswerDepth))
    throw new Refusal(`The API's answer is nested deeper than ${maxAnswerDepth} levels`);
  const content = [{ type: "text", text: readableJson(found) }];
  if (tool["outputSchema"] === undefined) return { content };
  // A client that knows the output schema rejects a result without this member.
  if (!isJsonObject(found) || isLongNumber(found))
    throw new Refusal(
      "The API's answer is not an object, as schema.output says",
      excerpt(JSON.stringify(found), reading),
      {
        outcome: "unanswered",
      },
    );
  return { content, structuredContent: found };
}

/** The value at a dotted path, numbers indexing lists; the whole for an empty path. */
export function valueAt(value: Json, path: string): Json | undefined {
  let found: Json | undefined = value;
  for (const part of path === "" ? [] : path.split(".")) {
    const isInside: boolean = typeof found === "object" && found !== null && Object.hasOwn(found, part);
    found = isInside ? (found as JsonObject)[part] : undefined;
  }
  return found;
}

export function excerpt(text: string, { scrub }: Pick<Reading, "scrub">): string | undefined {
  return scrub(text).slice(0, shownErrorCharacters) || undefined;
}
