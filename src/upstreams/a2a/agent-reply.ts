/** What an agent has said so far in answer to one message, put together from whatever updates it came in. */
import { answerTooLarge, excerpt, protocolError } from "../http/http-errors.ts";
import type { AgentMessage, AgentUpdate, Artifact, Part } from "./agent-messages.ts";

/** The agent does nothing more by itself: the task is over, or waits for somebody. */
const settledStates: ReadonlySet<string> = new Set([
  "completed",
  "failed",
  "canceled",
  "rejected",
  "input-required",
  "auth-required",
]);

export class AgentReply {
  taskId: string | undefined;
  contextId: string | undefined;
  /** Of the task; `undefined` where the agent answered with a mere message. */
  state: string | undefined;
  /** Of the last status, or the whole answer. */
  message: AgentMessage | undefined;
  /** The last thing said on the way there. */
  lastMessage: AgentMessage | undefined;
  isSettled = false;
  readonly #server: string;
  readonly #maxBytes: number;
  readonly #artifacts = new Map<string, Artifact>();
  /** Of what the artifacts came in. */
  #heldChars = 0;

  constructor(server: string, maxBytes: number) {
    this.#server = server;
    this.#maxBytes = maxBytes;
  }

  get artifacts(): Iterable<Artifact> {
    return this.#artifacts.values();
  }

  /**
   * @param chars length of the text the update came in
   * @throws UpstreamError UPSTREAM_PROTOCOL for an update of another task, RESULT_TOO_LARGE
   */
  apply(update: AgentUpdate, chars: number): void {
    if (update.is === "message") {
      this.message = update.message;
      this.taskId ??= update.message.taskId;
      this.contextId = update.message.contextId ?? this.contextId;
      this.isSettled = true;
      return;
    }
    if (this.taskId !== undefined && update.taskId !== this.taskId)
      throw protocolError(
        this.#server,
        `answered for task "${excerpt(update.taskId)}" where "${excerpt(this.taskId)}" was due`,
      );
    this.taskId = update.taskId;
    this.contextId = update.contextId ?? this.contextId;
    if (update.is === "artifact") {
      this.#hold(chars);
      const before = update.append ? this.#artifacts.get(update.artifact.id) : undefined;
      this.#artifacts.set(
        update.artifact.id,
        before === undefined ? update.artifact : extended(before, update.artifact),
      );
      return;
    }
    if (update.is === "task") {
      this.#artifacts.clear();
      this.#heldChars = 0;
      this.#hold(chars);
      for (const artifact of update.artifacts) this.#artifacts.set(artifact.id, artifact);
      this.lastMessage = update.lastMessage ?? this.lastMessage;
    }
    const { state, message } = update.status;
    this.state = state;
    this.message = message;
    this.lastMessage = message ?? this.lastMessage;
    this.isSettled = settledStates.has(state);
  }

  #hold(chars: number): void {
    this.#heldChars += chars;
    if (this.#heldChars > this.#maxBytes) throw answerTooLarge(this.#server, this.#maxBytes);
  }
}

/** Texts that were cut into chunks are one again. */
function extended(before: Artifact, more: Artifact): Artifact {
  const parts: Part[] = [...before.parts];
  const [next, ...rest] = more.parts;
  const last = parts.at(-1);
  if (last?.is === "text" && next?.is === "text" && next.metadata === undefined)
    parts.splice(-1, 1, { ...last, text: last.text + next.text }, ...rest);
  else parts.push(...more.parts);
  return { ...before, parts };
}
