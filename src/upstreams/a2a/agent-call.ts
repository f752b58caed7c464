/**
 * One message to an agent until its task is over or waits for somebody: by stream where the agent has one, else, and
 * where a stream ends early, by asking for the task again and again. A task whose caller is gone is cancelled.
 */
import { abortError, untilAborted } from "../../core/abort-error.ts";
import type { RpcRequest } from "../../core/call.ts";
import { type GatewayError, UpstreamError } from "../../core/errors.ts";
import { Cancellation } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";
import type { JsonObject } from "../../lib/json.ts";
import { sleep } from "../../lib/sleep.ts";
import { excerpt, protocolError } from "../http/http-errors.ts";
import type { AgentCard } from "./agent-card.ts";
import { type AgentMessage, type AgentUpdate, readUpdate } from "./agent-messages.ts";
import { AgentReply } from "./agent-reply.ts";
import type { AgentRequestOptions } from "./agent-request.ts";
import type { OutgoingMessage } from "./dialects.ts";

/** What a call needs of the connection it runs on. */
export interface AgentLink {
  readonly server: string;
  readonly maxResultBytes: number;
  readonly clock: Clock;
  /** Sends one request to the agent; rejects as `AgentRequest` does. */
  post(card: AgentCard, request: LinkRequest): Promise<void>;
  /** Does not wait and does not fail. */
  cancelTask(card: AgentCard, taskId: string): void;
}

export type LinkRequest = Pick<AgentRequestOptions, "method" | "params" | "signal" | "sendOnce" | "onResult">;

const firstPollMs = 250;
const longestPollMs = 10_000;
const pollGrowth = 1.5;
/** The agent works on meanwhile: a poll that fails is no answer. */
const allowedPollFailures = 3;
/** Between two notices that a part of the answer came. */
const partsPauseMs = 1_000;
/** For a caller that is gone: how long to wait for the name of the task that is to be cancelled. */
const lingerMs = 2_000;
const comesAndGoes: ReadonlySet<string> = new Set(["UPSTREAM_CLOSED", "UPSTREAM_START_FAILED"]);

export class AgentCall {
  /** Resolves when nothing of it is under way any more, which may be a little after its caller has gone. */
  ended: Promise<void> = Promise.resolve();
  readonly #link: AgentLink;
  readonly #card: AgentCard;
  readonly #outputModes: readonly string[];
  readonly #request: RpcRequest;
  readonly #reply: AgentReply;
  /** Ends what is sent. It follows the caller's signal, not always at once. */
  readonly #life = new Cancellation();
  #isFollowUp = false;
  /** The agent has said something. */
  #hasAnswered = false;
  #progress = 0;
  #lastNews = "";
  #lastNewsAtMs = Number.NEGATIVE_INFINITY;
  #cancelLinger = () => {};

  constructor(link: AgentLink, card: AgentCard, outputModes: readonly string[], request: RpcRequest) {
    this.#link = link;
    this.#card = card;
    this.#outputModes = outputModes;
    this.#request = request;
    this.#reply = new AgentReply(link.server, link.maxResultBytes);
  }

  /**
   * Rejects as soon as the request is aborted.
   * @throws UpstreamRpcError, UpstreamError; the abort reason
   */
  async run(message: OutgoingMessage): Promise<AgentReply> {
    const { signal } = this.#request;
    if (signal.aborted) throw abortError(signal);
    signal.addEventListener("abort", this);
    const work = this.#work(message).finally(() => {
      this.#cancelLinger();
      signal.removeEventListener("abort", this);
    });
    const forget = () => {};
    this.ended = work.then(forget, forget);
    return untilAborted(work, signal);
  }

  /** Ends it now, with the error. */
  stop(error: GatewayError): void {
    this.#life.abort(error);
  }

  /** The caller is gone. */
  handleEvent(): void {
    const stop = () => this.stop(abortError(this.#request.signal));
    if (this.#reply.taskId !== undefined) stop();
    else this.#cancelLinger = this.#link.clock.after(lingerMs, stop);
  }

  async #work(message: OutgoingMessage): Promise<AgentReply> {
    const reply = this.#reply;
    reply.taskId = message.taskId;
    this.#isFollowUp = message.taskId !== undefined;
    try {
      await this.#send(message);
      for (let delayMs = firstPollMs, failures = 0; !reply.isSettled; delayMs *= pollGrowth) {
        await sleep(Math.min(delayMs, longestPollMs), this.#life, this.#link.clock);
        failures = await this.#poll().then(
          () => 0,
          (error) => this.#tolerated(error, failures + 1),
        );
      }
      return reply;
    } finally {
      // A task that waits for an answer still waits when the agent would not take one.
      const isUnderWay = !reply.isSettled && (this.#hasAnswered || this.#request.signal.aborted);
      if (isUnderWay && reply.taskId !== undefined) this.#link.cancelTask(this.#card, reply.taskId);
    }
  }

  async #send(message: OutgoingMessage): Promise<void> {
    const { dialect, isStreaming, tenant } = this.#card;
    const configuration = {
      ...(this.#outputModes.length > 0 && { acceptedOutputModes: this.#outputModes }),
      // Without a stream, only the answer that was waited for tells a question from the one it follows.
      ...(!isStreaming && dialect.waiting(this.#isFollowUp)),
    };
    const params = { tenant, message: dialect.message(message), configuration };
    const method = isStreaming ? dialect.stream : dialect.send;
    try {
      await this.#post(method, params, true);
    } catch (error) {
      // The task outlives the stream that told of it.
      const isCut = error instanceof UpstreamError && error.code === "UPSTREAM_CLOSED";
      if (!isCut || this.#life.aborted || this.#reply.taskId === undefined) throw error;
    }
    if (!this.#reply.isSettled && this.#reply.taskId === undefined)
      throw protocolError(this.#link.server, "ended its answer without naming a task");
  }

  #poll(): Promise<void> {
    const { dialect, tenant } = this.#card;
    return this.#post(dialect.get, { tenant, id: this.#reply.taskId }, false);
  }

  #post(method: string, params: JsonObject, sendOnce: boolean): Promise<void> {
    const onResult = (result: JsonObject, chars: number) => this.#take(result, chars);
    return this.#link.post(this.#card, { method, params, sendOnce, signal: this.#life, onResult });
  }

  #tolerated(error: unknown, failures: number): number {
    const passes = error instanceof UpstreamError && comesAndGoes.has(error.code) && !this.#life.aborted;
    if (!passes || failures >= allowedPollFailures) throw error;
    return failures;
  }

  #take(result: JsonObject, chars: number): boolean {
    const reply = this.#reply;
    const update = readUpdate(result);
    if (update === undefined)
      throw protocolError(
        this.#link.server,
        `answered with what is neither a message nor a task: ${excerpt(JSON.stringify(result))}`,
      );
    reply.apply(update, chars);
    // A stream begins with the task as it was (1.0, 3.1.2): waiting for what has just been sent.
    const isAsBefore = update.is === "task" && this.#isFollowUp && this.#card.isStreaming && !this.#hasAnswered;
    if (isAsBefore && /-required$/.test(update.status.state)) reply.isSettled = false;
    this.#hasAnswered = true;
    if (this.#request.signal.aborted) this.stop(abortError(this.#request.signal));
    else if (!reply.isSettled) this.#tell(update);
    return reply.isSettled;
  }

  #tell(update: AgentUpdate): void {
    if (this.#request.onProgress === undefined || update.is === "message") return;
    const message =
      update.is === "artifact"
        ? `Part of the answer: ${update.artifact.name ?? update.artifact.id}`
        : textOf(update.status.message) || update.status.state;
    // A task that is asked for again has seldom changed, and the parts of an answer may be single words.
    const nowMs = this.#link.clock.now();
    if (update.is === "artifact" ? nowMs - this.#lastNewsAtMs < partsPauseMs : message === this.#lastNews) return;
    this.#lastNews = message;
    this.#lastNewsAtMs = nowMs;
    this.#request.onProgress({ progress: ++this.#progress, message });
  }
}

function textOf(message: AgentMessage | undefined): string {
  return (message?.parts ?? []).flatMap((part) => (part.is === "text" ? [part.text] : [])).join("\n");
}
