/**
 * Counts every call by server and tool. Runs on the path of every call, so it only adds numbers; and tools are named by
 * callers, so it tells a bounded number of them apart.
 */

import { type CallRecord, shownToolName } from "../core/call-record.ts";
import { Histogram } from "../lib/histogram.ts";
import { type CallKind, isTimed, kindOf, noCalls } from "./call-kind.ts";
import { ToolObservation, type ToolProfile } from "./tool-profile.ts";

/** Tools of one server that are told apart; the rest is counted together. */
const maxTools = 500;
/** Where a call is counted whose tool the server does not have, or that is one too many. */
export const otherTool = "(other)";

/** What this process saw of one server. */
export interface ServerCounts {
  /** Of every method. */
  readonly kinds: Record<CallKind, number>;
  /** Of calls of every method that the server answered or failed. */
  readonly latency: Histogram;
  readonly toolKinds: Record<CallKind, number>;
  readonly toolLatency: Histogram;
  /** Since they were last taken. */
  tools: Map<string, ToolObservation>;
}

export interface StatisticsOptions {
  /** Whether the server lists such a tool; `undefined` while it was never asked. */
  isListed(server: string, tool: string): boolean | undefined;
  /** Calendar time in milliseconds. */
  readonly now: () => number;
}

export class CallStatistics {
  readonly servers = new Map<string, ServerCounts>();
  readonly #options: StatisticsOptions;

  constructor(options: StatisticsOptions) {
    this.#options = options;
  }

  record(call: CallRecord): void {
    const kind = kindOf(call);
    const server = this.#serverOf(call.upstream);
    server.kinds[kind]++;
    if (isTimed(kind)) server.latency.add(call.durationMs);
    if (call.tool === undefined) return;
    server.toolKinds[kind]++;
    if (isTimed(kind)) server.toolLatency.add(call.durationMs);
    this.#toolOf(server, call.upstream, call.tool).count(call, kind, this.#options.now());
  }

  /** The tools by server; they are counted anew afterwards where `anew` says so. */
  profiles(anew: boolean): Map<string, ReadonlyMap<string, ToolProfile>> {
    const profiles = new Map<string, ReadonlyMap<string, ToolProfile>>();
    for (const [name, server] of this.servers) {
      profiles.set(name, server.tools);
      if (anew) server.tools = new Map();
    }
    return profiles;
  }

  #serverOf(name: string): ServerCounts {
    let server = this.servers.get(name);
    if (server === undefined) {
      server = {
        kinds: noCalls(),
        latency: new Histogram(),
        toolKinds: noCalls(),
        toolLatency: new Histogram(),
        tools: new Map(),
      };
      // Only configured names get this far.
      this.servers.set(name, server);
    }
    return server;
  }

  #toolOf({ tools }: ServerCounts, server: string, tool: string): ToolObservation {
    let found = tools.get(tool);
    if (found === undefined) {
      const isTold = tools.size < maxTools && this.#options.isListed(server, tool) !== false;
      const name = isTold ? shownToolName(tool) : otherTool;
      found = tools.get(name) ?? new ToolObservation();
      tools.set(name, found);
    }
    return found;
  }
}
