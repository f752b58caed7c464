/** An HTTP backend whose tools answer byte by byte as the test says; the handshake and the list go by the book. */
import type { Socket } from "node:net";
import { json } from "../fixtures/raw-http-server.ts";
import { type McpServer, rawMcpServer, result } from "../fixtures/raw-mcp-server.ts";

export type Respond = (socket: Socket, id: number) => void;

export interface HttpBackend extends McpServer {
  /** How often a tool was called. */
  calls(tool: string): number;
}

export function textAnswer(id: number, text: string): string {
  return result(id, { content: [{ type: "text", text }] });
}

/** Ends the server whatever happens. `echo` answers with its argument `text`; all tools are safe to repeat with `safe`. */
export async function withHttpBackend(
  tools: Readonly<Record<string, Respond>>,
  use: (backend: HttpBackend) => Promise<void>,
  { safe = false }: { readonly safe?: boolean } = {},
): Promise<void> {
  const listed = ["echo", ...Object.keys(tools)].map((name) => ({
    name,
    inputSchema: { type: "object" },
    ...(safe && { annotations: { readOnlyHint: true } }),
  }));
  const server = await rawMcpServer({
    onMessage(socket, { id, method, params }) {
      if (method === "tools/list") return Boolean(socket.write(json(result(id, { tools: listed })))) || true;
      if (method !== "tools/call" || id === undefined) return false;
      const { name, arguments: args } = params as { name?: string; arguments?: { text?: string } };
      const respond = tools[name ?? ""];
      if (respond === undefined) socket.write(json(textAnswer(id, args?.text ?? "")));
      else respond(socket, id);
      return true;
    },
  });
  const calls = (tool: string) =>
    server.messages.filter(({ method, params }) => method === "tools/call" && params?.["name"] === tool).length;
  try {
    await use(Object.assign(server, { calls }));
  } finally {
    await server.close();
  }
}

/** Writes `piece` again and again, as fast as it is taken, up to `bytes` in all or until the other side hangs up. */
export function pour(socket: Socket, piece: string, bytes: number, done = () => {}): void {
  let left = bytes;
  const write = () => {
    while (left > 0) {
      if (socket.destroyed) return;
      left -= piece.length;
      if (!socket.write(piece)) return void socket.once("drain", write);
    }
    done();
  };
  write();
}
