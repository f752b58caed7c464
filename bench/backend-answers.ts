/** What both raw backends answer, as text, without a library. */
import { readFileSync } from "node:fs";

const tools = [
  {
    name: "echo",
    description: "Answers at once",
    inputSchema: { type: "object" },
    annotations: { readOnlyHint: true },
  },
  { name: "blob", description: "Answers with many bytes", inputSchema: { type: "object" } },
];
const initialized = JSON.stringify({
  protocolVersion: "2025-11-25",
  capabilities: { tools: {} },
  serverInfo: { name: "bench", version: "1.0.0" },
});
const toolList = JSON.stringify({ tools });
const echoed = '{"content":[{"type":"text","text":"ok"}]}';
const blobs = new Map<string, string>();

/** What long results are made of. */
export type BlobKind = "image" | "text";

const blobMakers: Readonly<Record<BlobKind, (bytes: number) => unknown>> = {
  image: (bytes) => ({ type: "image", mimeType: "image/png", data: randomBase64(bytes) }),
  // With the line breaks and quotation marks that JSON has to escape.
  text: (bytes) => ({ type: "text", text: readme.repeat(bytes / readme.length + 1).slice(0, bytes) }),
};

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8").replace(/[^\n -~]/g, "-");

function randomBase64(characters: number): string {
  const bytes = Buffer.alloc((characters / 4) * 3);
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes.toString("base64");
}

function blob({ bytes = 0, kind = "text" }: BlobArguments): string {
  const name = `${kind} ${bytes}`;
  let text = blobs.get(name);
  if (text === undefined) {
    text = JSON.stringify({ content: [blobMakers[kind](bytes)] });
    blobs.set(name, text);
  }
  return text;
}

interface BlobArguments {
  readonly bytes?: number;
  readonly kind?: BlobKind;
}

interface Message {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: BlobArguments };
}

/** JSON text of the response; `undefined` for a notification. */
export function answer(messageText: string): string | undefined {
  const { id, method, params } = JSON.parse(messageText) as Message;
  if (id === undefined) return undefined;
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultOf(method, params)}}`;
}

function resultOf(method: string, params: Message["params"]): string {
  if (method === "tools/call") return params?.name === "blob" ? blob(params.arguments ?? {}) : echoed;
  if (method === "initialize") return initialized;
  if (method === "tools/list") return toolList;
  return "{}";
}
