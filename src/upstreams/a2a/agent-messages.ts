/**
 * What an agent says, read the same whichever version it is said in: 0.3 tells objects apart by "kind", 1.0 by the
 * member they stand in (specification 1.0, A.2.1), and no object of one can be taken for one of the other.
 */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";

interface Described {
  readonly metadata: JsonObject | undefined;
}
interface TextPart extends Described {
  readonly is: "text";
  readonly text: string;
}
interface DataPart extends Described {
  readonly is: "data";
  readonly data: Json;
}
export interface FilePart extends Described {
  readonly is: "file";
  readonly name: string | undefined;
  readonly mimeType: string | undefined;
  /** Base64, or where the file is. */
  readonly content: { readonly bytes: string } | { readonly url: string };
}
export type Part = TextPart | DataPart | FilePart;

export interface AgentMessage {
  readonly taskId: string | undefined;
  readonly contextId: string | undefined;
  readonly parts: readonly Part[];
}

export interface Artifact {
  readonly id: string;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly parts: readonly Part[];
}

interface TaskStatus {
  /** As 0.3 writes it: `input-required`, not `TASK_STATE_INPUT_REQUIRED`. */
  readonly state: string;
  readonly message: AgentMessage | undefined;
}

interface OfTask {
  readonly taskId: string;
  readonly contextId: string | undefined;
}
export type AgentUpdate =
  | { readonly is: "message"; readonly message: AgentMessage }
  | (OfTask & {
      readonly is: "task";
      readonly status: TaskStatus;
      readonly artifacts: readonly Artifact[];
      /** What the agent said last, if nobody has said anything after it. */
      readonly lastMessage: AgentMessage | undefined;
    })
  | (OfTask & { readonly is: "status"; readonly status: TaskStatus })
  | (OfTask & { readonly is: "artifact"; readonly artifact: Artifact; readonly append: boolean });

/** A result of `message/send`, `message/stream` or `tasks/get`; `undefined` when it is none of either version. */
export function readUpdate(result: JsonObject): AgentUpdate | undefined {
  const { task, message, statusUpdate, artifactUpdate } = result;
  if (isJsonObject(task)) return readTask(task);
  if (isJsonObject(statusUpdate)) return readStatusUpdate(statusUpdate);
  if (isJsonObject(artifactUpdate)) return readArtifactUpdate(artifactUpdate);
  if (isJsonObject(message)) return asMessage(message);
  switch (result["kind"]) {
    case "message":
      return asMessage(result);
    case "status-update":
      return readStatusUpdate(result);
    case "artifact-update":
      return readArtifactUpdate(result);
    default:
      // GetTask of 1.0 answers with the bare task.
      return readTask(result);
  }
}

function asMessage(value: JsonObject): AgentUpdate | undefined {
  const message = readMessage(value);
  return message === undefined ? undefined : { is: "message", message };
}

function readTask({ id, contextId, status, artifacts, history }: JsonObject): AgentUpdate | undefined {
  const read = readStatus(status);
  if (typeof id !== "string" || id === "" || read === undefined) return undefined;
  const last = listOf(history).at(-1);
  return {
    is: "task",
    taskId: id,
    contextId: textOf(contextId),
    status: read,
    artifacts: listOf(artifacts).flatMap((artifact) => readArtifact(artifact) ?? []),
    lastMessage:
      last !== undefined && /^(agent|ROLE_AGENT)$/.test(String(last["role"])) ? readMessage(last) : undefined,
  };
}

function readStatusUpdate({ taskId, contextId, status }: JsonObject): AgentUpdate | undefined {
  const read = readStatus(status);
  if (typeof taskId !== "string" || read === undefined) return undefined;
  return { is: "status", taskId, contextId: textOf(contextId), status: read };
}

function readArtifactUpdate({ taskId, contextId, artifact, append }: JsonObject): AgentUpdate | undefined {
  const read = readArtifact(artifact);
  if (typeof taskId !== "string" || read === undefined) return undefined;
  return { is: "artifact", taskId, contextId: textOf(contextId), artifact: read, append: append === true };
}

function readStatus(value: unknown): TaskStatus | undefined {
  if (!isJsonObject(value) || typeof value["state"] !== "string") return undefined;
  const state = value["state"]
    .replace(/^TASK_STATE_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
  const { message } = value;
  return { state, message: isJsonObject(message) ? readMessage(message) : undefined };
}

function readMessage({ taskId, contextId, parts }: JsonObject): AgentMessage | undefined {
  if (!Array.isArray(parts)) return undefined;
  return { taskId: textOf(taskId), contextId: textOf(contextId), parts: listOf(parts).map(readPart) };
}

function readArtifact(value: unknown): Artifact | undefined {
  if (!isJsonObject(value) || typeof value["artifactId"] !== "string") return undefined;
  const { artifactId, name, description, parts } = value;
  return {
    id: artifactId,
    name: textOf(name),
    description: textOf(description),
    parts: listOf(parts).map(readPart),
  };
}

/** What is no kind of part that is known is passed on as data. */
function readPart(part: JsonObject): Part {
  const metadata = isJsonObject(part["metadata"]) ? part["metadata"] : undefined;
  const { text, file, raw, url, data } = part;
  if (typeof text === "string") return { is: "text", text, metadata };
  const content = isJsonObject(file) ? contentOf(file["bytes"], file["uri"]) : contentOf(raw, url);
  if (content !== undefined) {
    const { name, mimeType } = isJsonObject(file) ? file : { name: part["filename"], mimeType: part["mediaType"] };
    return { is: "file", name: textOf(name), mimeType: textOf(mimeType), content, metadata };
  }
  return { is: "data", data: data === undefined ? part : data, metadata };
}

function contentOf(bytes: unknown, url: unknown): FilePart["content"] | undefined {
  if (typeof bytes === "string") return { bytes };
  return typeof url === "string" ? { url } : undefined;
}

/** The objects in a list; none where there is no list. */
export function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** 1.0 writes a text that is not set as empty. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
