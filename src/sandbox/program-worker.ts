/**
 * The thread a program runs in. The walls of the sandbox are QuickJS compiled to WebAssembly: an interpreter with memory
 * of its own that has nothing of the host but the two functions handed in below: no files, network, timers, modules,
 * environment. The thread is there so that a program which computes holds up nobody, and can be ended.
 */
import variant from "@jitl/quickjs-singlefile-mjs-release-sync";
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSDeferredPromise,
  type QuickJSHandle,
  type QuickJSRuntime,
} from "quickjs-emscripten-core";
import type { FromProgram, ProgramEnd, ProgramStart, ToProgram } from "./program-messages.ts";
import { prelude, wrapped } from "./program-prelude.ts";

const maxStackBytes = 256 * 1_024;
const maxLogs = 100;
const maxLogCharacters = 10_000;

const thread = globalThis as unknown as {
  onmessage: ((event: { data: ToProgram }) => void) | null;
  postMessage(message: FromProgram): void;
};

class Program {
  readonly #start: ProgramStart;
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #waiting = new Map<number, QuickJSDeferredPromise>();
  readonly #logs: string[] = [];
  #logCharacters = 0;
  #calls = 0;
  #computedMs = 0;
  #sliceStartMs: number | undefined;
  #outcome: QuickJSHandle | undefined;

  constructor(start: ProgramStart, runtime: QuickJSRuntime) {
    this.#start = start;
    this.#runtime = runtime;
    runtime.setMemoryLimit(start.maxMemoryBytes);
    runtime.setMaxStackSize(maxStackBytes);
    runtime.setInterruptHandler(() => this.#isSpent());
    this.#context = runtime.newContext();
    this.#handIn("__call", 3, (server, tool, json) => this.#call(server, tool, json));
    this.#handIn("__log", 1, (line) => this.#log(line));
  }

  run(): void {
    this.#compute(() => {
      const context = this.#context;
      context.unwrapResult(context.evalCode(prelude, "prelude.js")).dispose();
      const result = context.evalCode(wrapped(this.#start.source), "program.js");
      if (result.error) this.#fail(result.error);
      else this.#outcome = result.value;
    });
  }

  answer(id: number, json: string): void {
    this.#settle(id, (deferred) => this.#context.newString(json).consume((text) => deferred.resolve(text)));
  }

  refuse(id: number, message: string): void {
    this.#settle(id, (deferred) => this.#context.newError(message).consume((error) => deferred.reject(error)));
  }

  #settle(id: number, settle: (deferred: QuickJSDeferredPromise) => void): void {
    const deferred = this.#waiting.get(id);
    if (deferred === undefined) return;
    this.#waiting.delete(id);
    this.#compute(() => settle(deferred));
  }

  /** One slice of the program, then everything it set going, until it waits for a call or is done. */
  #compute(slice: () => void): void {
    this.#sliceStartMs = performance.now();
    try {
      slice();
      const jobs = this.#runtime.executePendingJobs();
      if (jobs.error) this.#fail(jobs.error);
      else this.#look();
    } catch (error) {
      // Out of memory can show in the interpreter itself.
      this.#end({ is: "failed", message: this.#isSpent() ? this.#spentMessage() : String(error), logs: this.#logs });
    } finally {
      this.#computedMs += performance.now() - this.#sliceStartMs;
      this.#sliceStartMs = undefined;
    }
  }

  #look(): void {
    if (this.#outcome === undefined) return;
    const state = this.#context.getPromiseState(this.#outcome);
    if (state.type === "fulfilled") this.#succeed(state.value);
    else if (state.type === "rejected") this.#fail(state.error);
    else if (this.#waiting.size === 0 || this.#isSpent()) {
      // A job that is interrupted leaves its promise pending for ever.
      const message = this.#isSpent() ? this.#spentMessage() : "The program waits for something that never comes";
      this.#end({ is: "failed", message, logs: this.#logs });
    }
  }

  /** The prelude has made JSON text of what the program returned. */
  #succeed(value: QuickJSHandle): void {
    const json: unknown = this.#context.dump(value);
    const { maxResultCharacters } = this.#start;
    if (typeof json === "string" && json.length > maxResultCharacters)
      this.#end({
        is: "failed",
        message: `The program returned ${json.length} characters, more than ${maxResultCharacters}: return less`,
        logs: this.#logs,
      });
    else this.#end({ is: "returned", json: typeof json === "string" ? json : undefined, logs: this.#logs });
  }

  #fail(error: QuickJSHandle): void {
    const spent = this.#isSpent();
    const thrown: unknown = spent ? undefined : this.#context.dump(error);
    this.#end({ is: "failed", message: spent ? this.#spentMessage() : describe(thrown), logs: this.#logs });
  }

  #end(end: ProgramEnd): void {
    this.#outcome = undefined;
    this.#waiting.clear();
    thread.postMessage(end);
  }

  #isSpent(): boolean {
    const sliceMs = this.#sliceStartMs === undefined ? 0 : performance.now() - this.#sliceStartMs;
    return this.#computedMs + sliceMs > this.#start.maxComputeMs;
  }

  #spentMessage(): string {
    return `The program computed for longer than ${this.#start.maxComputeMs} ms`;
  }

  #call(server: string, tool: string, json: string): QuickJSHandle {
    const id = ++this.#calls;
    const deferred = this.#context.newPromise();
    this.#waiting.set(id, deferred);
    thread.postMessage({ is: "call", id, server, tool, json });
    return deferred.handle;
  }

  #log(line: string): undefined {
    if (this.#logs.length >= maxLogs || this.#logCharacters >= maxLogCharacters) return;
    const kept = line.slice(0, maxLogCharacters - this.#logCharacters);
    this.#logCharacters += kept.length;
    this.#logs.push(kept);
  }

  #handIn(name: string, count: number, run: (...texts: string[]) => QuickJSHandle | undefined): void {
    const context = this.#context;
    const handle = context.newFunction(name, (...args) =>
      run(...Array.from({ length: count }, (_, at) => (args[at] === undefined ? "" : context.getString(args[at])))),
    );
    handle.consume((fn) => context.setProp(context.global, name, fn));
  }
}

function describe(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown);
  const { name, message, stack } = thrown as { name?: unknown; message?: unknown; stack?: unknown };
  const line = /program\.js:(\d+)/.exec(String(stack ?? ""))?.[1];
  const what = message === undefined ? JSON.stringify(thrown) : `${name ?? "Error"}: ${message}`;
  return line === undefined ? what : `${what} (line ${line})`;
}

let program: Program | undefined;

thread.onmessage = async ({ data }) => {
  if (data.is === "answer") program?.answer(data.id, data.json);
  else if (data.is === "refusal") program?.refuse(data.id, data.message);
  else {
    const quickJs = await newQuickJSWASMModuleFromVariant(variant);
    program = new Program(data.start, quickJs.newRuntime());
    program.run();
  }
};
