import * as v from "valibot";
import { globs, setting } from "../../core/kinds.ts";

export const toolIntegritySchema = v.object({
  enabled: setting(
    v.boolean(),
    true,
    "Scan the definitions of tools, and pin each by its digest when it is first seen",
  ),
  on_change: setting(
    v.picklist(["quarantine", "warn"]),
    "quarantine",
    "What happens to a tool whose definition changed: its calls are refused until an operator approves it, or it is only reported",
  ),
  on_poisoning: setting(
    v.picklist(["quarantine", "warn"]),
    "quarantine",
    "What happens to a tool whose definition hides instructions to the model",
  ),
  exempt: setting(globs, [], "Tools that are neither scanned nor pinned, as globs on `server` or `server:tool`"),
});
export type ToolIntegritySettings = v.InferOutput<typeof toolIntegritySchema>;
