/** The calls of a folder of capabilities, from checked arguments to the answer. Loaded at the first one: most starts see none. */
import { Answer } from "../core/answer.ts";
import type { RpcRequest } from "../core/call.ts";
import type { JsonObject } from "../lib/json.ts";
import { checkArguments } from "./arguments.ts";
import type { ListedCapability } from "./capability.ts";
import { createExecution, type Execution, type ExecutionOptions } from "./create-execution.ts";
import { Refusal } from "./refusal.ts";
import { RunningCalls } from "./running-calls.ts";

export interface CallOutcome {
  readonly answer: Answer;
  /** Why the API gave no answer; `undefined` also when the arguments were wrong, which is not its fault. */
  readonly failure: string | undefined;
}

export class CapabilityCalls {
  readonly #execution: Execution;
  readonly #running: RunningCalls;

  constructor(options: ExecutionOptions) {
    this.#execution = createExecution(options);
    this.#running = new RunningCalls(options.clock);
  }

  get size(): number {
    return this.#running.size;
  }

  /** @throws the caller's abort error, or the reason given to {@link close} */
  async call(listed: ListedCapability, args: JsonObject, request: RpcRequest): Promise<CallOutcome> {
    const { name, tool } = listed;
    const { problems, ...checked } = checkArguments(tool["inputSchema"] as JsonObject, args);
    if (problems.length > 0) {
      const text = `The arguments of "${name}" cannot be used:\n${problems.join("\n")}`;
      return { answer: refused(text), failure: undefined };
    }
    try {
      const work = (ended: AbortSignal) => this.#execution.run(listed, checked, request, ended);
      const result = await this.#running.run(work, request.signal);
      return { answer: Answer.of(result), failure: undefined };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const text = error.detail === undefined ? error.message : `${error.message}\n${error.detail}`;
      return { answer: refused(text), failure: `${name}: ${error.message}` };
    }
  }

  /** Lets running calls finish within `graceMs`, then ends the rest. */
  close(graceMs: number, reason: Error): Promise<void> {
    return this.#running.close(graceMs, reason);
  }
}

function refused(text: string): Answer {
  return Answer.of({ content: [{ type: "text", text }], isError: true });
}
