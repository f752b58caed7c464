/** What the operator's meta-tools can have done, and what a session is shown. */
import type { Config } from "../config/schema.ts";
import { DeniedError, GatewayError } from "../core/errors.ts";
import type { Upstream } from "../core/upstream.ts";
import { neverCancelled } from "../lib/cancellation.ts";
import { stableJson } from "../lib/json.ts";
import type { OperatorActions } from "../meta/meta-tool.ts";
import type { CallCounts } from "../observe/call-counts.ts";
import type { CostReport } from "../stages/cost/report.ts";
import type { ReloadOutcome } from "./gateway.ts";
import type { KillSwitchPanel } from "./kill-switch-panel.ts";
import type { ListKeeper } from "./list-keeper.ts";
import type { Webhooks } from "./webhooks.ts";

interface OperatorActionsOptions {
  readonly config: () => Config;
  readonly counts: CallCounts;
  /** `undefined` while capabilities are off. */
  readonly capabilities: () => Upstream | undefined;
  readonly killSwitches: KillSwitchPanel;
  readonly costs: () => Promise<CostReport>;
  readonly webhooks: Webhooks;
  readonly lists: () => ListKeeper;
  readonly reloadConfig: (() => Promise<ReloadOutcome>) | undefined;
}

export function operatorActions(options: OperatorActionsOptions) {
  const { config, counts, capabilities, killSwitches, lists, reloadConfig } = options;
  const actions: OperatorActions = {
    ...killSwitches,
    costs: options.costs,
    webhooks: () => options.webhooks.list(),
    calls: () => counts.perTool(),
    readPlaybooks: async () => (await import("./read-playbooks.ts")).readPlaybooks(config().playbooks.directories),
    async reloadConfig() {
      if (reloadConfig === undefined)
        throw new GatewayError("CONFIG_INVALID", "The gateway was started without a configuration file");
      return { ...(await reloadConfig()) };
    },
    async reloadCapabilities() {
      const upstream = capabilities();
      if (upstream === undefined) throw new DeniedError("SERVER_NOT_FOUND", "Capabilities are switched off");
      await upstream.start(neverCancelled);
      await upstream.restart();
      await lists().ensureListed(upstream.name, "tools", true);
      return upstream.name;
    },
  };
  return actions;
}

/** What decides which tools a session is shown, besides what its backends have; equal texts show the same. */
export function viewOf({
  routing_profiles,
  default_routing_profile,
  code_mode,
  playbooks,
  meta_mcp,
  grants,
}: Config): string {
  const { cache_tools: _cache, cache_ttl: _age, warm_start: _start, rank_by_usage: _rank, ...shown } = meta_mcp;
  return stableJson({
    routing_profiles,
    default_routing_profile,
    code_mode,
    shown,
    playbooks: playbooks.enabled,
    grants,
  });
}
