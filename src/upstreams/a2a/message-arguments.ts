/** From the arguments of a tool call to the message for the agent; what is wrong with them is said to the model. */
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import type { OutgoingFile, OutgoingMessage } from "./dialects.ts";

const known = ["message", "context_id", "task_id", "data", "files"];

/** The message, or what is wrong, for the model to correct. */
export function readArguments(args: JsonObject): Omit<OutgoingMessage, "metadata"> | string {
  const { message, context_id, task_id, data, files } = args;
  const strange = Object.keys(args).find((key) => !known.includes(key));
  if (strange !== undefined) return `There is no argument "${strange}"; there are ${known.join(", ")}`;
  if (typeof message !== "string" || message === "") return '"message" must be a text that is not empty';
  if (!isTextOrAbsent(context_id)) return '"context_id" must be the text of an earlier result';
  if (!isTextOrAbsent(task_id)) return '"task_id" must be the text of an earlier result';
  if (data !== undefined && !isJsonObject(data)) return '"data" must be an object';
  if (files !== undefined && !Array.isArray(files)) return '"files" must be a list';
  const read: OutgoingFile[] = [];
  for (const [at, file] of (files ?? []).entries()) {
    const one = readFile(file);
    if (typeof one === "string") return `files[${at}] ${one}`;
    read.push(one);
  }
  return { text: message, data, files: read, taskId: task_id || undefined, contextId: context_id || undefined };
}

function readFile(file: unknown): OutgoingFile | string {
  if (!isJsonObject(file)) return "must be an object";
  const { name, mime_type, base64, url } = file;
  if (!isTextOrAbsent(name) || !isTextOrAbsent(mime_type)) return 'has a "name" or "mime_type" that is no text';
  if (typeof url === "string" && base64 === undefined) return { name, mimeType: mime_type, content: { url } };
  if (typeof base64 === "string" && url === undefined && isBase64(base64))
    return { name, mimeType: mime_type, content: { base64 } };
  return 'needs either "base64", the bytes in base64, or "url"';
}

export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}
