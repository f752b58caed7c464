/**
 * Messages of a server out of its byte stream, one per line, handed to its peer. What cannot be read fails the request it
 * answers, if that can be told; else it is noise, which servers do write.
 */
import type { Logger } from "../core/log.ts";
import { type BrokenLine, createLineReader } from "../mcp/line-reader.ts";
import type { Peer } from "../mcp/peer.ts";
import { brokenLineError, idOfBroken } from "./broken-line.ts";

export interface MessageReaderOptions {
  readonly serverName: string;
  readonly peer: Peer;
  readonly maxResultBytes: number;
  readonly log: Logger;
  /** The server writes without end: it is not worth reading on. Called once. */
  onEndless(): void;
}

export interface MessageReader {
  read(chunk: Uint8Array): void;
  /** Lines that were no message. */
  readonly noiseLines: number;
}

export function createMessageReader(options: MessageReaderOptions): MessageReader {
  const { serverName, peer, maxResultBytes, log } = options;
  let noiseLines = 0;

  const onUnreadable = (problem: BrokenLine["problem"] | "not JSON", head: string, tail: string) => {
    const id = idOfBroken({ head, tail });
    if (id !== undefined) return peer.reject(id, brokenLineError(problem, serverName, maxResultBytes));
    if (noiseLines++ > 0) return;
    log.warn("The server writes what is not a message; such lines are skipped", { line: head.slice(0, 200) });
  };

  const read = createLineReader({
    maxBytes: maxResultBytes,
    onLine(text) {
      if (!peer.receive(text)) onUnreadable("not JSON", text.slice(0, 256), text.slice(-256));
    },
    onBroken: ({ problem, head, tail }) => onUnreadable(problem, head, tail),
    onEndless: options.onEndless,
  });
  return {
    read,
    get noiseLines() {
      return noiseLines;
    },
  };
}
