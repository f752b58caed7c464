import * as v from "valibot";
import { globs, maybe, positiveInteger, setting } from "../../core/kinds.ts";

export const firewallSchema = v.object({
  enabled: setting(v.boolean(), true, "Inspect requests and responses"),
  scan_requests: setting(v.boolean(), true, "Inspect arguments: shell and SQL injection, path traversal"),
  scan_responses: setting(v.boolean(), true, "Inspect results"),
  prompt_injection_detection: setting(
    v.boolean(),
    true,
    'Look for instructions to the model in results; they are named in `_meta["mcp-gateway/firewall"]`',
  ),
  credential_redaction: setting(v.boolean(), true, "Replace credentials in results by `[REDACTED:credential]`"),
  anomaly_detection: setting(
    v.boolean(),
    false,
    "Report calls that hardly any session makes after the call before; that is learned",
  ),
  audit_log: maybe(v.string(), "File that findings are written to, one JSON object per line"),
  free_text_keys: setting(
    v.array(v.string()),
    [],
    "Arguments that hold prose or code and may quote anything, besides the usual ones such as `content` and `query`",
  ),
  rules: setting(
    v.array(
      v.object({
        match: v.pipe(v.string(), v.description("Tool, as a glob on `tool` or `server:tool`")),
        action: v.pipe(
          v.picklist(["allow", "warn", "block"]),
          v.description("What happens when something is found; `allow` does not look"),
        ),
        reason: maybe(v.string(), "Shown to the caller"),
        scan: setting(
          v.array(v.string()),
          [],
          "Only this is looked for: `shell`, `path`, `sql`, `memory`, `prompt_injection`, `credentials`, `anomaly`, and what `context_integrity` finds; empty means all",
        ),
      }),
    ),
    [],
    "Rules by tool; the first that matches decides",
  ),
  anomaly_threshold: setting(
    v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
    0.7,
    "Score from which a call is reported: 0.5 is 10 times rarer than the most usual one there, 0.7 is 25 times, 1 is 100 times",
  ),
  anomaly_block_threshold: maybe(
    v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
    "Score from which a call is refused; never when absent, but by a rule that says `block`",
  ),
  memory_poisoning: setting(
    v.object({
      enabled: setting(v.boolean(), true, "Inspect what tools are told to remember"),
      max_entry_size_bytes: setting(positiveInteger, 10_240, "Entries larger than this are reported"),
      scan_tools: setting(
        globs,
        ["remember", "batch_remember", "store", "kv_set", "kv_search"],
        "Tools that remember, as globs or as words of the name",
      ),
    }),
    {},
    "Poisoned memories",
  ),
});
export type FirewallSettings = v.InferOutput<typeof firewallSchema>;
export type FirewallRule = FirewallSettings["rules"][number];
