/** What both raw backends answer, as text, without a library. */
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
const blobs = new Map<number, string>();

function blob(bytes: number): string {
  let text = blobs.get(bytes);
  if (text === undefined) {
    text = `{"content":[{"type":"text","text":"${"The quick brown fox jumps. ".repeat(bytes / 27 + 1).slice(0, bytes)}"}]}`;
    blobs.set(bytes, text);
  }
  return text;
}

interface Message {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: { readonly bytes?: number } };
}

/** JSON text of the response; `undefined` for a notification. */
export function answer(messageText: string): string | undefined {
  const { id, method, params } = JSON.parse(messageText) as Message;
  if (id === undefined) return undefined;
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultOf(method, params)}}`;
}

function resultOf(method: string, params: Message["params"]): string {
  if (method === "tools/call") return params?.name === "blob" ? blob(params.arguments?.bytes ?? 0) : echoed;
  if (method === "initialize") return initialized;
  if (method === "tools/list") return toolList;
  return "{}";
}
