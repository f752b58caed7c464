/** The meta-tools beside the four, loaded when one is listed or called. */
import { DeniedError } from "../core/errors.ts";
import { codeExecute } from "./code-mode/execute.ts";
import { codeSearch } from "./code-mode/search.ts";
import type { MetaContext, MetaTool } from "./meta-tool.ts";
import { costReport } from "./operator/cost-report.ts";
import { getStats } from "./operator/get-stats.ts";
import { killServer } from "./operator/kill-server.ts";
import { listDisabledCapabilities } from "./operator/list-disabled-capabilities.ts";
import { reloadCapabilities } from "./operator/reload-capabilities.ts";
import { reloadConfig } from "./operator/reload-config.ts";
import { reviveServer } from "./operator/revive-server.ts";
import { webhookStatus } from "./operator/webhook-status.ts";
import { listPlaybooks } from "./playbooks/list-playbooks.ts";
import { runPlaybook } from "./playbooks/run-playbook.ts";
import { readResult } from "./read-result.ts";
import { getProfile } from "./routing/get-profile.ts";
import { listProfiles } from "./routing/list-profiles.ts";
import { setProfile } from "./routing/set-profile.ts";
import type { MetaMcpSettings } from "./schema.ts";

export const codeModeTools: readonly MetaTool[] = [codeSearch, codeExecute];

/** They change the gateway for others or what a session may see, or tell of other callers. */
const adminTools: ReadonlySet<MetaTool> = new Set([
  costReport,
  killServer,
  reviveServer,
  setProfile,
  reloadConfig,
  reloadCapabilities,
]);
const prefix = "gateway_";
/** They are what the section `playbooks` is switched on for. */
const playbookTools: readonly MetaTool[] = [runPlaybook, listPlaybooks];
const operatorTools: readonly MetaTool[] = [
  getStats,
  costReport,
  webhookStatus,
  ...playbookTools,
  killServer,
  reviveServer,
  listDisabledCapabilities,
  setProfile,
  getProfile,
  listProfiles,
  reloadConfig,
  reloadCapabilities,
];

export const moreTools: ReadonlyMap<string, MetaTool> = new Map(
  [...codeModeTools, readResult, ...operatorTools].map((tool) => [
    tool.name,
    adminTools.has(tool) ? forAdmins(tool) : tool,
  ]),
);

/** Those that the setting lists and that this caller may call. */
export function operatorToolsFor(context: MetaContext, listed: MetaMcpSettings["operator_tools"]): MetaTool[] {
  const { admin } = context.caller;
  const hasPlaybooks = context.settings.playbooks.enabled;
  return operatorTools.filter((tool) => {
    if (adminTools.has(tool) && !admin) return false;
    if (playbookTools.includes(tool)) return hasPlaybooks;
    if (Array.isArray(listed)) return listed.includes(tool.name) || listed.includes(tool.name.slice(prefix.length));
    return listed === "all" || (listed === "admin" && admin);
  });
}

function forAdmins(tool: MetaTool): MetaTool {
  return {
    ...tool,
    async run(args, context) {
      if (!context.caller.admin)
        throw new DeniedError(
          "FORBIDDEN",
          `"${tool.name}" is for admins, and caller "${context.caller.name}" is none`,
          {
            hint: 'An operator can set "admin" of the caller\'s API key',
          },
        );
      return tool.run(args, context);
    },
  };
}
