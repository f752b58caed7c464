/** How often each tool was called since the gateway started. */
import type { CallRecord } from "../core/call-record.ts";

export interface ToolCount {
  readonly server: string;
  readonly tool: string;
  readonly count: number;
  /** Of these, calls that gave no result of the server. */
  readonly failed: number;
  /** Of these, calls that were answered from the cache. */
  readonly cached: number;
}

type CallFacts = Pick<CallRecord, "upstream" | "tool" | "outcome" | "keptBy">;

/** A client may call a tool by any name on `/mcp/{backend}`; names beyond this many are not counted. */
const maxTools = 5_000;

export class CallCounts {
  /** By server, by tool; not by both in one key, which would have to be made for every call. */
  readonly #servers = new Map<string, Map<string, { count: number; failed: number; cached: number }>>();
  #tools = 0;

  /** On the path of every call. */
  note({ upstream: server, tool, outcome, keptBy }: CallFacts): void {
    if (tool === undefined) return;
    let tools = this.#servers.get(server);
    if (tools === undefined) {
      tools = new Map();
      this.#servers.set(server, tools);
    }
    let known = tools.get(tool);
    if (known === undefined) {
      if (this.#tools >= maxTools) return;
      this.#tools++;
      known = { count: 0, failed: 0, cached: 0 };
      tools.set(tool, known);
    }
    known.count++;
    if (outcome !== "OK") known.failed++;
    if (keptBy === "cache") known.cached++;
  }

  /** Most called first. */
  perTool(): ToolCount[] {
    const counts = [...this.#servers].flatMap(([server, tools]) =>
      [...tools].map(([tool, counts]) => ({ server, tool, ...counts })),
    );
    return counts.sort((a, b) => b.count - a.count);
  }
}
