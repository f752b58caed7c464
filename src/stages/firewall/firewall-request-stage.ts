/** Refuses calls whose arguments carry an attack, before any key is derived from them. */
import type { Call, Next, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../lib/json.ts";
import { toolName } from "../tool-name.ts";
import { describeFindings, type Finding, type FirewallSink } from "./finding.ts";
import { ruleFor } from "./rules.ts";
import type { RequestScan } from "./scan-request.ts";
import type { FirewallSettings } from "./schema.ts";

/** What every pattern needs one of; most arguments have none, and the patterns are never loaded for them. */
const suspicious =
  /[;|`&<>'"\r\n]|\$[({]|\$I|\.\.|%2e|%c0|%25|\/(?:etc|proc|dev)\/|\.ssh|\.aws|\.gnupg|\.kube|\.docker|\.netrc|\.git-|\.config|\.pgpass|id_[red]|(?:windows|boot)[./\\]|\bor\b|union|INST|SYS>|system|assistant/i;

type Scan = (params: JsonObject, scan: RequestScan) => Finding[];

export function firewallRequestStage(settings: FirewallSettings, report: FirewallSink | undefined): Stage | undefined {
  if (!settings.enabled || !settings.scan_requests) return undefined;
  let scanRequest: Scan | undefined;

  function check(call: Call, next: Next, scan: Scan): ReturnType<Next> {
    const { upstream: server } = call;
    const tool = toolName(call);
    const rule = ruleFor(settings.rules, server, tool);
    if (rule?.action === "allow") return next(call);
    const findings = scan(call.params as JsonObject, { tool, server, looksFor: rule?.looksFor ?? (() => true) });
    if (findings.length === 0) return next(call);
    const isBlocked =
      rule === undefined ? findings.some(({ severity }) => severity === "high") : rule.action === "block";
    report?.({ direction: "request", action: isBlocked ? "block" : "warn", call, findings });
    return isBlocked ? Promise.reject(refusal(call, tool, findings, rule?.reason)) : next(call);
  }

  return (call, next) => {
    const { params } = call;
    if (params === undefined || !(isSuspicious(params["arguments"], settings) || isSuspicious(params["uri"], settings)))
      return next(call);
    if (scanRequest !== undefined) return check(call, next, scanRequest);
    return import("./scan-request.ts").then(({ createRequestScanner }) => {
      scanRequest ??= createRequestScanner(settings);
      return check(call, next, scanRequest);
    });
  };
}

function isSuspicious(value: Json | undefined, settings: FirewallSettings): boolean {
  if (typeof value === "string")
    return suspicious.test(value) || value.length * 3 > settings.memory_poisoning.max_entry_size_bytes;
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some((item: Json) => isSuspicious(item, settings));
  for (const key in value as JsonObject) if (isSuspicious((value as JsonObject)[key], settings)) return true;
  return false;
}

function refusal(call: Call, tool: string | undefined, findings: readonly Finding[], reason: string | undefined) {
  const target = tool === undefined ? call.method : `tool "${tool}"`;
  const why = reason === undefined ? "" : ` (${reason})`;
  return new DeniedError(
    "FIREWALL_BLOCKED",
    `Firewall blocked ${target} of "${call.upstream}"${why}: ${describeFindings(findings)}`,
    {
      hint: `If it is meant that way, an operator can allow it with security.firewall.rules: [{match: "${call.upstream}:${tool ?? "*"}", action: allow}]`,
      data: { server: call.upstream, findings: findings.map((finding) => ({ ...finding })) },
    },
  );
}
