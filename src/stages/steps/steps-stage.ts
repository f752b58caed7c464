/** Follows sessions from tool to tool, learns the steps that succeed, and names what usually comes next where that is wanted. */
import type { Answer } from "../../core/answer.ts";
import type { Call, Stage } from "../../core/call.ts";
import { isFinal } from "../../core/signed-result.ts";
import type { Prediction } from "./step-counts.ts";
import { stepTool } from "./step-tool.ts";

export interface Steps {
  /** The session calls `tool` now. Returns the tool it called before. */
  move(sessionId: string, tool: string): string | undefined;
  learn(sessionId: string, from: string, to: string): void;
}

/** Tools that usually come after `tool` and that the caller may use, most likely first. */
export type PredictNext = (call: Call, tool: string) => readonly NextTool[];

export interface NextTool extends Prediction {
  readonly server: string;
}

const metaKey = "mcp-gateway/predicted_next";

/** @param predict left out, nothing is predicted */
export function stepsStage(steps: Steps | undefined, predict?: PredictNext): Stage | undefined {
  if (steps === undefined) return undefined;

  function named(answer: Answer, call: Call, tool: string): Answer {
    if (predict === undefined || !call.namesNext) return answer;
    const next = predict(call, tool);
    if (next.length === 0) return answer;
    try {
      // Only a client of 2026-07-28 may be asked a question instead.
      if (call.envelope !== undefined && !isFinal(answer)) return answer;
      return answer.withMeta({ [metaKey]: next.map((one) => ({ ...one })) });
    } catch {
      // Too deep to be written again: it goes without.
      return answer;
    }
  }

  return (call, next) => {
    const tool = stepTool(call);
    if (tool === undefined) return next(call);
    const { sessionId } = call;
    const from = sessionId === undefined ? undefined : steps.move(sessionId, tool);
    return next(call).then((answer) => {
      if (answer.isError) return answer;
      if (sessionId !== undefined && from !== undefined) steps.learn(sessionId, from, tool);
      return named(answer, call, tool);
    });
  };
}
