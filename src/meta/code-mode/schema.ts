import * as v from "valibot";
import { duration, nonNegativeInteger, positiveInteger, setting } from "../../core/kinds.ts";

const scriptsSchema = v.object({
  enabled: setting(v.boolean(), true, "Let `gateway_execute` run programs of the model, in a sandbox"),
  timeout: setting(duration, "60s", "Longest time of one program, waiting for tools included"),
  compute_time: setting(duration, "5s", "Longest time it may compute itself"),
  max_memory: setting(positiveInteger, 67_108_864, "Most memory of one program in bytes"),
  max_calls: setting(nonNegativeInteger, 100, "Most tool calls of one program"),
  max_result_size: setting(positiveInteger, 100_000, "Longest result of one program in characters, as JSON"),
});

export const codeModeSchema = v.object({
  enabled: setting(v.boolean(), false, "List only `gateway_search` and `gateway_execute`"),
  scripts: setting(scriptsSchema, {}, "Programs in code mode"),
});
export type CodeModeSettings = v.InferOutput<typeof codeModeSchema>;
