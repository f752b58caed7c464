import * as v from "valibot";
import { setting } from "../../core/kinds.ts";

export const contextIntegritySchema = v.object({
  preset: setting(
    v.picklist(["monitor_only", "audit_only", "local_developer", "team_shared", "enterprise_strict"]),
    "monitor_only",
    "What becomes of results in which something is found",
  ),
  non_bypassable: setting(
    v.boolean(),
    false,
    "Also for what rules of the firewall (`action: allow`, `scan`) and `passthrough` leave out",
  ),
});
export type ContextIntegritySettings = v.InferOutput<typeof contextIntegritySchema>;
