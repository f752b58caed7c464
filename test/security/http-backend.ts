/** The scripted backend (backend.ts) behind HTTP, in the test's own process: event streams, one per request. */
import type { Socket } from "node:net";
import { chunk, eventStream, lastChunk } from "../fixtures/raw-http-server.ts";
import { type McpServer, rawMcpServer } from "../fixtures/raw-mcp-server.ts";
import { answer, type Offer } from "./backend.ts";

export function httpBackend(offer: Offer = {}): Promise<McpServer> {
  return rawMcpServer({
    onInitialize: respond,
    onMessage: (socket, message) => (message.id === undefined ? false : respond(socket, message)),
  });

  function respond(socket: Socket, message: object): true {
    socket.write(eventStream);
    const send = (text: string) => void socket.write(chunk(`data: ${text}\n\n`));
    void answer(message, send, offer).then(() => socket.write(lastChunk));
    return true;
  }
}
