/**
 * MCP over standard input and output (basic/transports, "stdio"): one client, which started this process and owns it.
 * Answers go out as they are ready, in whatever order; nothing but messages is ever written.
 */
import type { Caller } from "../../core/caller.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { createLineReader } from "../../mcp/line-reader.ts";
import { standardInput, standardOutput, type TextOutput } from "../../runtime/stdio.ts";
import { Conversation } from "../conversation.ts";
import { newRequestId } from "../request-id.ts";

export interface StdioDoorOptions {
  readonly gateway: Gateway;
  readonly input?: AsyncIterable<Uint8Array>;
  readonly output?: TextOutput;
  readonly clock?: Clock;
}

/** Who started the process is its owner. */
const stdioCaller: Caller = {
  principal: "stdio",
  name: "stdio",
  admin: true,
  backends: undefined,
  allowedTools: undefined,
  deniedTools: undefined,
};

/** Longest message in bytes. */
const maxLineBytes = 16 * 1024 * 1024;
/** Characters that may wait for a client that does not read; beyond it, nothing more is read from it either. */
const maxWaitingCharacters = 4 * 1024 * 1024;

/** Resolves when the input has ended and what was running is done, or `shutdown_timeout` is over. */
export async function serveStdio(options: StdioDoorOptions): Promise<void> {
  const door = new StdioDoor(options);
  await door.readAll(options.input ?? standardInput());
  await door.finish();
}

class StdioDoor {
  readonly #gateway: Gateway;
  readonly #output: TextOutput;
  readonly #clock: Clock;
  readonly #conversation: Conversation;
  #waitingCharacters = 0;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor({ gateway, output = standardOutput, clock = systemClock }: StdioDoorOptions) {
    this.#gateway = gateway;
    this.#output = output;
    this.#clock = clock;
    this.#conversation = new Conversation({
      gateway,
      backend: undefined,
      send: (messageText) => this.#write(messageText),
      onEnded() {},
    });
  }

  async readAll(input: AsyncIterable<Uint8Array>): Promise<void> {
    const lines: (string | GatewayError)[] = [];
    let endless = false;
    const read = createLineReader({
      maxBytes: maxLineBytes,
      onLine: (text) => lines.push(text),
      onBroken: ({ problem }) =>
        lines.push(
          problem === "too long"
            ? new GatewayError("BODY_TOO_LARGE", `The message is larger than ${maxLineBytes} bytes`)
            : new GatewayError("PARSE_ERROR", "The message is not valid UTF-8"),
        ),
      onEndless: () => {
        endless = true;
      },
    });
    const takeLines = async () => {
      for (const line of lines.splice(0)) {
        await this.#conversation.take(line, () => stdioCaller, newRequestId());
        if (this.#waitingCharacters > maxWaitingCharacters) await this.#lastWrite;
      }
    };
    for await (const chunk of input) {
      read(chunk);
      await takeLines();
      if (endless) break;
    }
    // The last line may lack its end.
    read(lineFeed);
    await takeLines();
  }

  /** Lets running requests end, then cancels them. */
  async finish(): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const cancelTimer = this.#clock.after(this.#gateway.config.server.shutdown_timeout, limit.resolve);
    await Promise.race([this.#conversation.answered(), limit.promise]);
    cancelTimer();
    this.#conversation.close();
    await this.#lastWrite;
  }

  #write(messageText: string): void {
    const line = `${onOneLine(messageText)}\n`;
    this.#waitingCharacters += line.length;
    this.#lastWrite = this.#output.write(line).finally(() => {
      this.#waitingCharacters -= line.length;
    });
  }
}

const lineFeed = new Uint8Array([0x0a]);

/** A relayed result may be pretty-printed; JSON has line ends only where a space does as well. */
function onOneLine(json: string): string {
  return json.includes("\n") || json.includes("\r") ? json.replaceAll(/[\r\n]+/g, " ") : json;
}
