import * as v from "valibot";
import { setting } from "../../core/kinds.ts";

export const codeModeSchema = v.object({
  enabled: setting(v.boolean(), false, "List only `gateway_search` and `gateway_execute`"),
});
export type CodeModeSettings = v.InferOutput<typeof codeModeSchema>;
