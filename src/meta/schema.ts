import * as v from "valibot";
import { duration, maybe, nonNegativeInteger, positiveInteger, setting } from "../core/kinds.ts";

export const metaMcpSchema = v.object({
  enabled: setting(v.boolean(), true, "List four meta-tools instead of every tool of every backend"),
  cache_tools: setting(v.boolean(), true, "Keep tool lists on disk, so that search works while backends sleep"),
  cache_ttl: setting(duration, "300s", "Age after which the list of a running backend is asked for again"),
  warm_start: setting(v.array(v.string()), [], "Backends started with the gateway; others start at their first call"),
  surfaced_tools: setting(
    v.array(v.object({ server: v.string(), tool: v.string() })),
    [],
    "Tools listed with their full schema beside the meta-tools",
  ),
  promote_often_used: setting(
    nonNegativeInteger,
    0,
    "So many tools, those that earlier runs called most, are listed like `surfaced_tools`",
  ),
  spec_preview: setting(
    v.boolean(),
    false,
    "Let clients ask `tools/list` for all tools that fit a filter, and `tools/resolve` for what one would do: drafts of the protocol, on `/mcp`",
  ),
  rank_by_usage: setting(v.boolean(), true, "Let search prefer a little what is called often"),
  predict_next: setting(
    v.boolean(),
    false,
    'Name up to three tools that usually come next in results of `gateway_invoke`, in `_meta["mcp-gateway/predicted_next"]`',
  ),
  projection_mode: setting(
    v.picklist(["off", "on", "experimental"]),
    "off",
    "Map results of capabilities that have a `projection` to common fields; `experimental` does so for half of the sessions and counts both",
  ),
  operator_tools: setting(
    v.union([v.picklist(["none", "admin", "all"]), v.array(v.string())]),
    "none",
    "Which operator tools are listed: none, for admins and callers with a role, for all, or these (`gateway_get_stats`); those not listed can be called all the same",
  ),
  max_result_size: maybe(
    positiveInteger,
    "Characters of a result beyond which it is cut on `/mcp`, and kept whole for `gateway_read_result`; never when absent",
  ),
  result_format: setting(
    v.picklist(["native", "wrapped"]),
    "native",
    "`wrapped` gives results as JSON inside one text block",
  ),
});
export type MetaMcpSettings = v.InferOutput<typeof metaMcpSchema>;
