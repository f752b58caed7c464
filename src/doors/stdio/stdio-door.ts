/**
 * MCP over standard input and output (basic/transports, "stdio"): one client, which started this process and owns it.
 * Answers go out as they are ready, in whatever order; nothing but messages is ever written.
 */
import type { FaceContext } from "../../clients/face.ts";
import type { Session } from "../../clients/session.ts";
import type { Caller } from "../../core/caller.ts";
import { CancelledError, GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { Cancellation } from "../../lib/cancellation.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { claimedVersion } from "../../mcp/envelope.ts";
import { toRpcError } from "../../mcp/error-answer.ts";
import {
  classifyMessage,
  encodeError,
  encodeResult,
  type RequestId,
  type RpcMessage,
  type RpcRequestMessage,
} from "../../mcp/json-rpc.ts";
import { createLineReader } from "../../mcp/line-reader.ts";
import { isLegacyVersion } from "../../mcp/protocol.ts";
import { standardInput, standardOutput, type TextOutput } from "../../runtime/stdio.ts";
import { answerBatch, checkBatch, idOf } from "../answer-batch.ts";
import { logDefect } from "../log-defect.ts";
import { parseJson } from "../parse-json.ts";
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
  readonly #gone = new Cancellation();
  readonly #running = new Set<Promise<void>>();
  /** Of 2026-07-28, by id. */
  readonly #cancellable = new Map<RequestId, Cancellation>();
  #session: Session | undefined;
  #waitingCharacters = 0;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor({ gateway, output = standardOutput, clock = systemClock }: StdioDoorOptions) {
    this.#gateway = gateway;
    this.#output = output;
    this.#clock = clock;
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
      for (const line of lines.splice(0)) await this.#take(line);
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
    const cancelTimer = this.#clock.after(this.#gateway.config.server.shutdown_timeout, () => this.#gone.abort());
    const given = new Promise<void>((resolve) => this.#gone.addEventListener("abort", resolve));
    await Promise.race([Promise.all(this.#running), given]);
    cancelTimer();
    this.#closeSession();
    await this.#lastWrite;
  }

  /** Waits only where order matters: what follows `initialize` needs its session. */
  async #take(line: string | GatewayError): Promise<void> {
    const requestId = newRequestId();
    let id: RequestId | null = null;
    try {
      if (typeof line !== "string") throw line;
      const value = parseJson(line);
      if (Array.isArray(value)) this.#takeBatch(value, requestId);
      else {
        id = idOf(value);
        const message = classifyMessage(value);
        if (message.kind === "request" && message.method === "initialize") await this.#initialize(message, requestId);
        else this.#run(this.#answer(message, requestId));
      }
    } catch (error) {
      this.#write(this.#failed(id, error, requestId));
    }
    if (this.#waitingCharacters > maxWaitingCharacters) await this.#lastWrite;
  }

  #takeBatch(values: readonly unknown[], requestId: string): void {
    checkBatch(values, this.#needSession().protocolVersion);
    this.#run(
      answerBatch(values, requestId, (message) => this.#answer(message, requestId)).then((answers) =>
        answers.length === 0 ? undefined : `[${answers.join(",")}]`,
      ),
    );
  }

  /** A second `initialize` begins a new session. */
  async #initialize(message: RpcRequestMessage, requestId: string): Promise<void> {
    const context = { caller: stdioCaller, backend: undefined, requestId, signal: this.#gone };
    const { session, resultText } = await this.#gateway.face.initialize(message.params, context);
    this.#closeSession();
    this.#session = session;
    this.#write(encodeResult(message.id, resultText));
    session.attach(
      (messageText) => this.#write(messageText),
      () => {},
    );
  }

  /** Never rejects. */
  async #answer(message: RpcMessage, requestId: string): Promise<string | undefined> {
    try {
      if (message.kind === "request" && isModern(message)) return await this.#answerModern(message, requestId);
      if (message.kind === "notification" && message.method === "notifications/cancelled")
        this.#cancellable.get(message.params?.["requestId"] as RequestId)?.abort(clientCancelled);
      const context: FaceContext = {
        caller: stdioCaller,
        session: message.kind === "request" && message.method !== "ping" ? this.#needSession() : this.#session,
        backend: undefined,
        requestId,
        signal: this.#gone,
        emit: (messageText) => {
          this.#write(messageText);
          return true;
        },
      };
      return await this.#gateway.face.handle(message, context);
    } catch (error) {
      return message.kind === "request" ? this.#failed(message.id, error, requestId) : undefined;
    }
  }

  /** A request of 2026-07-28, which needs no session. */
  async #answerModern(message: RpcRequestMessage, requestId: string): Promise<string | undefined> {
    const { id } = message;
    const face = await this.#gateway.modernFace();
    const cancellation = new Cancellation();
    const end = () => cancellation.abort(this.#gone.reason);
    this.#gone.addEventListener("abort", end);
    // An id in use twice is the client's mistake; the second request then cannot be cancelled, but is answered.
    const isOwn = !this.#cancellable.has(id);
    if (isOwn) this.#cancellable.set(id, cancellation);
    try {
      const { text } = await face.handle(message, {
        caller: stdioCaller,
        backend: undefined,
        requestId,
        signal: cancellation,
        header: undefined,
        emit: (messageText) => {
          this.#write(messageText);
          return true;
        },
      });
      return cancellation.reason === clientCancelled ? undefined : text;
    } finally {
      this.#gone.removeEventListener("abort", end);
      if (isOwn) this.#cancellable.delete(id);
    }
  }

  #failed(id: RequestId | null, error: unknown, requestId: string): string {
    logDefect(this.#gateway.log, requestId, error);
    return encodeError(id, toRpcError(error, requestId));
  }

  #needSession(): Session {
    if (this.#session !== undefined) return this.#session;
    throw new GatewayError("INVALID_REQUEST", "There is no session yet", { hint: 'Send "initialize" first' });
  }

  #closeSession(): void {
    if (this.#session !== undefined) this.#gateway.sessions.close(this.#session.id, stdioCaller.principal);
    this.#session = undefined;
  }

  #run(answer: Promise<string | undefined>): void {
    const done = answer.then((text) => {
      if (text !== undefined) this.#write(text);
      this.#running.delete(done);
    });
    this.#running.add(done);
  }

  #write(messageText: string): void {
    const line = `${onOneLine(messageText)}\n`;
    this.#waitingCharacters += line.length;
    this.#lastWrite = this.#output.write(line).finally(() => {
      this.#waitingCharacters -= line.length;
    });
  }
}

const clientCancelled = new CancelledError("The client cancelled the request");

/** One that names its revision itself, and none of those that have sessions. */
function isModern({ params }: RpcRequestMessage): boolean {
  const claimed = claimedVersion(params);
  return claimed !== undefined && !isLegacyVersion(claimed);
}

const lineFeed = new Uint8Array([0x0a]);

/** A relayed result may be pretty-printed; JSON has line ends only where a space does as well. */
function onOneLine(json: string): string {
  return json.includes("\n") || json.includes("\r") ? json.replaceAll(/[\r\n]+/g, " ") : json;
}
