import * as v from "valibot";
import { maybe, positiveInteger, setting } from "../../core/kinds.ts";

export const responseContractSchema = v.object({
  enabled: setting(v.boolean(), false, "Hold results to limits"),
  action_mode: setting(
    v.boolean(),
    false,
    'Refuse what breaks a limit; else it is told in `_meta["mcp-gateway/contract"]`',
  ),
  default_max_bytes: maybe(positiveInteger, "Largest result of tools that have no limit of their own, as JSON"),
  fail_closed: setting(v.boolean(), false, "Refuse results of tools that no limit is for"),
  tools: setting(
    v.record(
      v.string(),
      v.object({
        max_bytes: maybe(positiveInteger, "Largest result"),
        forbidden_patterns: setting(
          v.array(v.string()),
          [],
          "Regular expressions that no text of a result may fit; `(?i)` ignores case",
        ),
        action_mode: maybe(v.boolean(), "As above, for this tool"),
      }),
    ),
    {},
    "Limits by tool: `server:tool` or `tool`, also as a glob; the first that fits",
  ),
});
export type ResponseContractSettings = v.InferOutput<typeof responseContractSchema>;
