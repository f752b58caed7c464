/** The last calls, for who wants to see what goes on. */

import { type CallRecord, shownToolName } from "../core/call-record.ts";
import type { JsonObject } from "../lib/json.ts";
import { kindOf } from "./call-kind.ts";

const keptCalls = 200;
const maxText = 300;

interface Seen {
  readonly call: CallRecord;
  /** Calendar milliseconds of its end. */
  readonly endedAt: number;
  readonly number: number;
}

export interface LiveCallsOptions {
  readonly now: () => number;
  redact(text: string): string;
}

export class LiveCalls {
  readonly #options: LiveCallsOptions;
  readonly #ring: Seen[] = [];
  #count = 0;

  constructor(options: LiveCallsOptions) {
    this.#options = options;
  }

  record(call: CallRecord): void {
    this.#ring[this.#count % keptCalls] = { call, endedAt: this.#options.now(), number: ++this.#count };
  }

  /** Calls so far: what to ask {@link since} for next. */
  get count(): number {
    return this.#count;
  }

  /** The calls after that many, without arguments or results, oldest first, as far as they are kept. */
  since(count: number): JsonObject[] {
    const first = Math.max(count, this.#count - keptCalls);
    const views: JsonObject[] = [];
    for (let at = first; at < this.#count; at++) views.push(this.#view(this.#ring[at % keptCalls] as Seen));
    return views;
  }

  #view({ call, endedAt, number }: Seen): JsonObject {
    const { requestId, caller, upstream, method, tool, outcome, reason, durationMs, characters } = call;
    return {
      number,
      ended_at: new Date(endedAt).toISOString(),
      request_id: requestId,
      caller,
      server: upstream,
      method,
      tool: shownToolName(tool) ?? null,
      kind: kindOf(call),
      code: outcome,
      reason: reason === undefined ? null : this.#options.redact(reason).slice(0, maxText),
      duration_ms: Math.round(durationMs * 10) / 10,
      characters: characters ?? null,
    };
  }
}
