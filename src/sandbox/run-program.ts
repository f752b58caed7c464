/** Runs one program in a sandbox of its own, and carries its calls out to the gateway. */
import { CancelledError, GatewayError } from "../core/errors.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import { Semaphore } from "../lib/semaphore.ts";
import type { FromProgram, ProgramEnd, ProgramStart, ToProgram } from "./program-messages.ts";

export interface ProgramOptions extends ProgramStart {
  /** Milliseconds the program may take, waiting included. */
  readonly timeoutMs: number;
  readonly maxCalls: number;
  /** The JSON text of the tool's value. What it rejects with is thrown in the program, with the same message. */
  call(server: string, tool: string, json: string): Promise<string>;
  /** Aborting ends the program. */
  readonly signal: CancelSignal;
  readonly clock: Clock;
}

/** A program and its interpreter take some 20 MB; more of them wait for one to end. */
const maxRunning = 4;
const maxWaiting = 32;
/** Copied twice on its way into the memory of the program. */
const answerShareOfMemory = 8;

let places: Semaphore | undefined;

/**
 * Resolves with how the program ended, its own failures included.
 * @throws CancelledError; GatewayError OVERLOADED, TIMEOUT; INTERNAL when the sandbox itself fails
 */
export async function runProgram(options: ProgramOptions): Promise<ProgramEnd> {
  places ??= new Semaphore(maxRunning, maxWaiting, options.clock);
  const place = await places.acquire(options.timeoutMs, options.signal);
  if (place !== "acquired") throw new GatewayError("OVERLOADED", `${maxRunning} programs are running already`);
  try {
    return await runInThread(options);
  } finally {
    places.release();
  }
}

function runInThread(options: ProgramOptions): Promise<ProgramEnd> {
  const { source, maxMemoryBytes, maxComputeMs, maxResultCharacters, timeoutMs, signal, clock } = options;
  const thread = new Worker(new URL("./program-worker.ts", import.meta.url), { type: "module" });
  const send = (message: ToProgram) => thread.postMessage(message);
  let calls = 0;
  return new Promise<ProgramEnd>((resolve, reject) => {
    let over = false;
    const end = (settle: () => void) => {
      if (over) return;
      over = true;
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
      thread.terminate();
      settle();
    };
    const fail = (error: unknown) => end(() => reject(error));
    const onAbort = () => fail(signal.reason ?? new CancelledError());
    const cancelTimer = clock.after(timeoutMs, () =>
      fail(new GatewayError("TIMEOUT", `The program took longer than ${timeoutMs} ms`)),
    );
    signal.addEventListener("abort", onAbort);
    thread.onerror = (event) => {
      event.preventDefault();
      fail(new Error(`The sandbox failed: ${event.message}`));
    };

    const carryOut = async ({ id, server, tool, json }: Extract<FromProgram, { is: "call" }>) => {
      try {
        if (++calls > options.maxCalls) throw new Error(`The program may make no more than ${options.maxCalls} calls`);
        const answer = await options.call(server, tool, json);
        if (answer.length > maxMemoryBytes / answerShareOfMemory)
          throw new Error(`The result of ${tool} is too large for a program: ${answer.length} characters`);
        if (!over) send({ is: "answer", id, json: answer });
      } catch (error) {
        if (!over) send({ is: "refusal", id, message: error instanceof Error ? error.message : String(error) });
      }
    };
    thread.onmessage = ({ data }: MessageEvent<FromProgram>) => {
      if (data.is === "call") void carryOut(data);
      else end(() => resolve(data));
    };
    if (signal.aborted) onAbort();
    else send({ is: "start", start: { source, maxMemoryBytes, maxComputeMs, maxResultCharacters } });
  });
}
