/** Puts a receipt on every result of a tool: who answered what, by which definition, to whom and when. */
import type { Answer } from "../../core/answer.ts";
import type { Call, Stage } from "../../core/call.ts";
import { isFinal, provenanceKey } from "../../core/signed-result.ts";
import type { JsonObject } from "../../lib/json.ts";
import { toolName } from "../tool-name.ts";

export type Receipt = (call: Call, tool: string, answer: Answer) => JsonObject;

export function provenanceStage(receipt: Receipt | undefined): Stage | undefined {
  if (receipt === undefined) return undefined;
  return (call, next) => {
    const tool = toolName(call);
    if (tool === undefined) return next(call);
    return next(call).then((answer) =>
      isFinal(answer) ? answer.withMeta({ [provenanceKey]: receipt(call, tool, answer) }) : answer,
    );
  };
}
