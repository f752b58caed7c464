/** What is told of every call that ended, for logs, statistics and the record of calls. */
import type { KeptBy } from "./answer.ts";
import type { GatewayErrorCode } from "./error-codes.ts";

const shownNameChars = 128;

/** As much of a tool's name as logs and lists show: callers can call a tool by any name on `/mcp/{backend}`. */
export function shownToolName<T extends string | undefined>(tool: T): T {
  return tool?.slice(0, shownNameChars) as T;
}

export interface CallRecord {
  readonly requestId: string;
  /** {@link Caller.name}. */
  readonly caller: string;
  /** {@link Caller.agent}. */
  readonly agent: string | undefined;
  readonly upstream: string;
  readonly method: string;
  /** `undefined` unless the method is `tools/call`. */
  readonly tool: string | undefined;
  /** `OK` for any result the upstream gave, an `isError` result included. */
  readonly outcome: "OK" | GatewayErrorCode;
  /** Whether the result says that the tool failed. */
  readonly isError: boolean;
  /** The policy that had the result, where the backend was not asked. */
  readonly keptBy?: KeptBy | undefined;
  /** Characters of the result as JSON, where known without writing it. */
  readonly characters: number | undefined;
  /** The message of the error; `undefined` when the outcome is OK. */
  readonly reason: string | undefined;
  /** From entering the pipeline to the answer: queueing, retries and waits included. */
  readonly durationMs: number;
}
