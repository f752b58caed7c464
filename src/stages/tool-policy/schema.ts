import * as v from "valibot";
import { globs, setting } from "../../core/kinds.ts";

export const toolPolicySchema = v.object({
  enabled: setting(v.boolean(), true, "Apply the policy"),
  default_action: setting(v.picklist(["allow", "deny"]), "allow", "What happens to a tool that no list names"),
  allow: setting(globs, [], "Tools that may be called, as globs on `tool` or `server:tool`; wins over `deny`"),
  deny: setting(globs, [], "Tools that may not be called, as globs on `tool` or `server:tool`"),
  use_default_deny: setting(
    v.boolean(),
    true,
    "Also deny tools with the name of a dangerous one: `write_file`, `delete_file`, `run_command`, `drop_table` and the like",
  ),
  log_denied: setting(v.boolean(), true, "Log refusals as warnings"),
});
export type ToolPolicySettings = v.InferOutput<typeof toolPolicySchema>;
