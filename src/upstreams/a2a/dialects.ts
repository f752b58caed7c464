/**
 * What the versions of A2A call things in requests, over JSON-RPC: 0.2 and 0.3 alike (specification 0.3, 7), and 1.0
 * (specification 1.0, 9.4). A version without a header of its own is 0.3 (3.6.1).
 */
import type { Json, JsonObject } from "../../lib/json.ts";

type A2aVersion = "0.3" | "1.0";

/** What a caller has to say to an agent. */
export interface OutgoingMessage {
  readonly text: string;
  readonly data: JsonObject | undefined;
  readonly files: readonly OutgoingFile[];
  readonly taskId: string | undefined;
  readonly contextId: string | undefined;
  readonly metadata: JsonObject | undefined;
}

export interface OutgoingFile {
  readonly name: string | undefined;
  readonly mimeType: string | undefined;
  readonly content: { readonly base64: string } | { readonly url: string };
}

export interface Dialect {
  readonly version: A2aVersion;
  readonly headers: Readonly<Record<string, string>>;
  readonly send: string;
  readonly stream: string;
  readonly get: string;
  readonly cancel: string;
  message(message: OutgoingMessage): JsonObject;
  /** For `configuration`: whether the answer comes when the task is done, or at once. */
  waiting(isWaiting: boolean): JsonObject;
}

const legacy: Dialect = {
  version: "0.3",
  headers: {},
  send: "message/send",
  stream: "message/stream",
  get: "tasks/get",
  cancel: "tasks/cancel",
  message: (message) => ({
    kind: "message",
    role: "user",
    ...idsOf(message),
    parts: partsOf(
      message,
      (text) => ({ kind: "text", text }),
      (data) => ({ kind: "data", data }),
      ({ name, mimeType, content }) => {
        const where = "url" in content ? { uri: content.url } : { bytes: content.base64 };
        return { kind: "file", file: { name, mimeType, ...where } };
      },
    ),
  }),
  waiting: (blocking) => ({ blocking }),
};

const first: Dialect = {
  version: "1.0",
  headers: { "a2a-version": "1.0" },
  send: "SendMessage",
  stream: "SendStreamingMessage",
  get: "GetTask",
  cancel: "CancelTask",
  message: (message) => ({
    role: "ROLE_USER",
    ...idsOf(message),
    parts: partsOf(
      message,
      (text) => ({ text }),
      (data) => ({ data, mediaType: "application/json" }),
      ({ name, mimeType, content }) => {
        const where = "url" in content ? { url: content.url } : { raw: content.base64 };
        return { ...where, filename: name, mediaType: mimeType };
      },
    ),
  }),
  waiting: (isWaiting) => ({ returnImmediately: !isWaiting }),
};

export const dialects: Readonly<Record<A2aVersion, Dialect>> = { "0.3": legacy, "1.0": first };

function idsOf({ taskId, contextId, metadata }: OutgoingMessage): JsonObject {
  return { messageId: crypto.randomUUID(), taskId, contextId, metadata };
}

function partsOf(
  { text, data, files }: OutgoingMessage,
  textPart: (text: string) => Json,
  dataPart: (data: JsonObject) => Json,
  filePart: (file: OutgoingFile) => Json,
): Json {
  return [textPart(text), ...(data === undefined ? [] : [dataPart(data)]), ...files.map(filePart)];
}
