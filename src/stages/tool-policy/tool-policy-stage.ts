/** Refuses tools the operator does not want to be called by anyone, whatever a caller's own rights are. */
import type { Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import { toolMatches } from "../../core/scope.ts";
import { toolName } from "../tool-name.ts";
import type { ToolPolicySettings } from "./schema.ts";

/** Whole names: `write_file` is denied, `rewrite_file_header` is not. */
const dangerousTools: ReadonlySet<string> = new Set(
  (
    "write_file delete_file move_file create_directory run_command execute_command shell_exec run_script eval " +
    "drop_table drop_database truncate_table kill_process shutdown reboot"
  ).split(" "),
);

/** Distinct tool names a stage remembers the verdict of: more than any server has, and few enough for made-up ones. */
const maxRemembered = 4_096;

/** Why the operator does not want the tool to be called; `undefined` for one that may be. */
type Verdict = (server: string, tool: string) => string | undefined;

/** `undefined` where nothing is denied. */
export function toolPolicy(settings: ToolPolicySettings): Verdict | undefined {
  if (!settings.enabled) return undefined;
  const { allow, deny, use_default_deny, default_action } = settings;
  if (deny.length === 0 && !use_default_deny && default_action === "allow") return undefined;
  return (server, tool) => {
    if (toolMatches(allow, server, tool)) return undefined;
    if (toolMatches(deny, server, tool)) return "is denied by security.tool_policy.deny";
    if (use_default_deny && dangerousTools.has(tool)) return "is denied as dangerous by security.tool_policy";
    return default_action === "deny" ? "is not in security.tool_policy.allow" : undefined;
  };
}

export function toolPolicyStage(settings: ToolPolicySettings): Stage | undefined {
  const verdictOf = toolPolicy(settings);
  if (verdictOf === undefined) return undefined;
  /** Of one backend, whose stage this is. */
  const verdicts = new Map<string, string | undefined>();

  const remembered: Verdict = (server, tool) => {
    if (verdicts.has(tool)) return verdicts.get(tool);
    const verdict = verdictOf(server, tool);
    if (verdicts.size >= maxRemembered) verdicts.clear();
    verdicts.set(tool, verdict);
    return verdict;
  };

  return (call, next) => {
    const { upstream: server } = call;
    const tool = toolName(call);
    const why = tool === undefined ? undefined : remembered(server, tool);
    if (why === undefined) return next(call);
    return Promise.reject(
      new DeniedError("POLICY_DENIED", `Tool "${tool}" of server "${server}" ${why}`, {
        hint: `An operator can allow it with security.tool_policy.allow: ["${server}:${tool}"]`,
        data: { server },
      }),
    );
  };
}
