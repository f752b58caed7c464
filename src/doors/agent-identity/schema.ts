import * as v from "valibot";
import { setting } from "../../core/kinds.ts";

export const agentIdentitySchema = v.object({
  enabled: setting(
    v.boolean(),
    false,
    "Take down which agent calls, as `X-Agent-ID` or `?agent_id=` says; a label, which proves nothing",
  ),
  require_id: setting(v.boolean(), false, "Refuse MCP requests that name no agent"),
  known_agents: setting(v.array(v.string()), [], "Agents that are accepted; empty means all"),
});
