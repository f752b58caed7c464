import * as v from "valibot";
import { setting } from "../../core/kinds.ts";

export const claimCaptureSchema = v.object({
  enabled: setting(
    v.boolean(),
    false,
    "Write down what models say calls are for: `_claim` in the arguments of `gateway_invoke`",
  ),
  path: setting(
    v.string(),
    "~/.mcp-gateway/claim-capture/claims.jsonl",
    "File of the record, one JSON object per line; at 16 MB it is put aside, and five of those are kept",
  ),
});
