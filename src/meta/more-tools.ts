/** The meta-tools beside the four, loaded when one is listed or called. */
import type { Caller } from "../core/caller.ts";
import { DeniedError } from "../core/errors.ts";
import { hasRole, overseesAll, type Role } from "../core/role.ts";
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
import { setState } from "./states/set-state.ts";

export const codeModeTools: readonly MetaTool[] = [codeSearch, codeExecute];

/** They change the gateway for others or what a session may see, or tell of other callers. */
const roleTools: ReadonlyMap<MetaTool, Role> = new Map([
  [costReport, "viewer"],
  [killServer, "operator"],
  [reviveServer, "operator"],
  [reloadConfig, "operator"],
  [reloadCapabilities, "operator"],
  [setProfile, "admin"],
  [setState, "admin"],
]);
/** Those that are about one server, and so for whoever may use that. */
const ofOneServer: ReadonlySet<MetaTool> = new Set([killServer, reviveServer]);
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
  setState,
  reloadConfig,
  reloadCapabilities,
];

export const moreTools: ReadonlyMap<string, MetaTool> = new Map(
  [...codeModeTools, readResult, ...operatorTools].map((tool) => [
    tool.name,
    roleTools.has(tool) ? forRoles(tool) : tool,
  ]),
);

/** Those that the setting lists and that this caller may call. */
export function operatorToolsFor(context: MetaContext, listed: MetaMcpSettings["operator_tools"]): MetaTool[] {
  const { caller } = context;
  const hasPlaybooks = context.settings.playbooks.enabled;
  return operatorTools.filter((tool) => {
    if (!mayRun(tool, caller)) return false;
    if (playbookTools.includes(tool)) return hasPlaybooks;
    if (Array.isArray(listed)) return listed.includes(tool.name) || listed.includes(tool.name.slice(prefix.length));
    return listed === "all" || (listed === "admin" && hasRole(caller, "viewer"));
  });
}

function mayRun(tool: MetaTool, caller: Caller): boolean {
  const least = roleTools.get(tool);
  return least === undefined || (hasRole(caller, least) && (ofOneServer.has(tool) || overseesAll(caller)));
}

function forRoles(tool: MetaTool): MetaTool {
  return {
    ...tool,
    async run(args, context) {
      const { caller } = context;
      if (!mayRun(tool, caller)) throw notFor(caller, tool);
      return tool.run(args, context);
    },
  };
}

function notFor(caller: Caller, { name }: MetaTool): DeniedError {
  return new DeniedError(
    "FORBIDDEN",
    `"${name}" is for admins and some roles, and caller "${caller.name}" has none of them`,
    {
      hint: 'An operator can set "admin" of the caller\'s API key, or give a role by control_plane.role_mapping. No role reaches beyond what its caller may use',
    },
  );
}
