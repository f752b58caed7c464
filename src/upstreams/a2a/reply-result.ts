/**
 * What an agent answered, as the result of a tool. What came as parts stays as it was where MCP has a form for it, and
 * what the model has to know to go on stands in a text: hosts show `_meta` to nobody.
 */
import type { UpstreamRpcError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject, readableJson } from "../../lib/json.ts";
import { decodeUtf8 } from "../../lib/utf8.ts";
import { protocolError } from "../http/http-errors.ts";
import type { Artifact, FilePart, Part } from "./agent-messages.ts";
import type { AgentReply } from "./agent-reply.ts";
import { isBase64 } from "./message-arguments.ts";

const metaKey = "mcp-gateway/a2a";

/** @throws UpstreamError UPSTREAM_PROTOCOL for a file that is not what it should be */
export function replyResult(server: string, reply: AgentReply): JsonObject {
  const artifacts = [...reply.artifacts];
  // Agents that put their answer into the talk on the way are not left without one.
  const message = reply.message ?? (artifacts.length === 0 ? reply.lastMessage : undefined);
  const parts = [...(message?.parts ?? []), ...artifacts.flatMap((artifact) => artifact.parts)];
  const content = [
    ...(message?.parts ?? []).map((part) => withMeta(blockOf(server, part), part.metadata)),
    ...artifacts.flatMap((artifact) => blocksOf(server, artifact)),
  ];
  const data = parts.flatMap((part) => (part.is === "data" ? [part.data] : []));
  const { taskId, contextId, state } = reply;
  return {
    content: [...content, ...notesOf(server, reply, content.length === 0).map(textBlock)],
    ...(data.length > 0 && { structuredContent: structured(data) }),
    ...(state !== undefined && problems[state] !== undefined && { isError: true }),
    _meta: { [metaKey]: { taskId, contextId, state } },
  };
}

/** The agent's own errors are about tasks and messages, and their codes mean other things in MCP. */
export function errorResult(server: string, { rpc }: UpstreamRpcError): JsonObject {
  const advice = errorAdvice[rpc.code];
  const said = `Agent "${server}" answered with error ${rpc.code}: ${rpc.message}`;
  const { code, message, data } = rpc;
  return {
    content: [textBlock(advice === undefined ? said : `${said}. ${advice}`)],
    isError: true,
    _meta: { [metaKey]: { error: { code, message, data } } },
  };
}

/** Specification 0.3, 8.2; 1.0, 5.4. */
const errorAdvice: Readonly<Record<number, string>> = {
  [-32001]: 'The task is gone: leave out "task_id" to begin a new one',
  [-32004]: 'A task that is over takes no more messages: leave out "task_id" to begin a new one',
  [-32005]: "It takes other kinds of files or data",
};

/** States that a caller has to take for a failure. */
const problems: Readonly<Record<string, string>> = {
  failed: "failed at the task",
  rejected: "refused the task",
  canceled: "cancelled the task",
  "auth-required": "waits until it is authorized, which a person has to see to outside of this conversation",
};

function notesOf(server: string, { state = "completed", taskId, contextId }: AgentReply, isEmpty: boolean): string[] {
  const problem = problems[state];
  const conversation = contextId === undefined ? [] : [`context_id: ${JSON.stringify(contextId)}`];
  const ids = [...(taskId === undefined ? [] : [`task_id: ${JSON.stringify(taskId)}`]), ...conversation].join(", ");
  if (state === "input-required") return [`The task waits for an answer. It takes a message with ${ids}`];
  if (state === "auth-required")
    return [`Agent "${server}" ${problem}. Afterwards the task goes on with a message with ${ids}`];
  const end = problem ?? (isEmpty ? "finished without saying anything" : undefined);
  return [...(end === undefined ? [] : [`Agent "${server}" ${end}`]), ...conversation];
}

function blocksOf(server: string, { id, name, description, parts }: Artifact): JsonObject[] {
  return parts.map((part) => {
    const artifact = { artifactId: id, name, description };
    return withMeta(blockOf(server, part, name), { ...artifact, ...(part.metadata && { metadata: part.metadata }) });
  });
}

function withMeta(block: JsonObject, meta: JsonObject | undefined): JsonObject {
  return meta === undefined ? block : { ...block, _meta: { [metaKey]: meta } };
}

function blockOf(server: string, part: Part, artifactName?: string): JsonObject {
  switch (part.is) {
    case "text":
      return textBlock(part.text);
    case "data":
      return textBlock(readableJson(part.data));
    case "file":
      return fileBlock(server, { ...part, name: part.name ?? artifactName });
  }
}

function fileBlock(server: string, { name, mimeType, content }: FilePart): JsonObject {
  if ("url" in content) return { type: "resource_link", uri: content.url, name: name ?? content.url, mimeType };
  const data = standardBase64(content.bytes);
  if (!isBase64(data)) throw protocolError(server, "sent a file that is not base64");
  if (mimeType?.startsWith("image/")) return { type: "image", data, mimeType };
  if (mimeType?.startsWith("audio/")) return { type: "audio", data, mimeType };
  const uri = `a2a:${encodeURIComponent(server)}/${encodeURIComponent(name ?? "file")}`;
  const text = mimeType !== undefined && /^text\/|[/+]json$/.test(mimeType) ? textIn(data) : undefined;
  return { type: "resource", resource: { uri, mimeType, ...(text === undefined ? { blob: data } : { text }) } };
}

/** JSON of protocol buffers may have the alphabet for addresses, and no padding. */
function standardBase64(bytes: string): string {
  const standard = bytes.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  return standard.padEnd(Math.ceil(standard.length / 4) * 4, "=");
}

function textIn(data: string): string | undefined {
  try {
    return decodeUtf8(Buffer.from(data, "base64"));
  } catch {
    return undefined;
  }
}

function textBlock(text: string): JsonObject {
  return { type: "text", text };
}

/** A single object as it is; anything else has no place in the member that must be an object. */
function structured(data: readonly Json[]): JsonObject {
  const [only] = data;
  return data.length === 1 && isJsonObject(only) && JSON.stringify(only).startsWith("{") ? only : { data };
}
