/** What of the results of a tool the firewall looks for: by its settings, and by the operator's rule for the tool. */
import type { Call } from "../../core/call.ts";
import { toolName } from "../tool-name.ts";
import type { FindingKind } from "./finding.ts";
import { type AppliedRule, ruleFor } from "./rules.ts";
import type { FirewallSettings } from "./schema.ts";

export interface ResultScope {
  readonly rule: AppliedRule | undefined;
  /** Whether the rule lets anybody look for it. */
  permits(kind: FindingKind): boolean;
  /** Whether the firewall does. */
  looksFor(kind: FindingKind): boolean;
}

const everything = () => true;

export interface ResponseInspection {
  readonly enabled: boolean;
  readonly action_mode: boolean;
}

/** For one configuration. */
export function resultScopes(
  { enabled, scan_responses, prompt_injection_detection, credential_redaction, rules }: FirewallSettings,
  inspection: Pick<ResponseInspection, "enabled">,
): { readonly isOn: boolean; of(call: Call): ResultScope } {
  const isScanning = enabled && scan_responses;
  const findsInstructions = isScanning && prompt_injection_detection && inspection.enabled;
  const redacts = isScanning && credential_redaction;
  const isOn = (kind: FindingKind) =>
    kind === "credentials" ? redacts : findsInstructions && (kind === "prompt_injection" || kind === "hidden_text");
  const withoutRule: ResultScope = { rule: undefined, permits: everything, looksFor: isOn };
  return {
    isOn: findsInstructions || redacts,
    of(call) {
      const rule = rules.length === 0 ? undefined : ruleFor(rules, call.upstream, toolName(call));
      if (rule === undefined) return withoutRule;
      const permits = (kind: FindingKind) => rule.action !== "allow" && rule.looksFor(kind);
      return { rule, permits, looksFor: (kind) => isOn(kind) && permits(kind) };
    },
  };
}
