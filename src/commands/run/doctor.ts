import { parseDurationMs } from "../../lib/duration.ts";
import { thisMachine } from "../../runtime/machine.ts";
import { dataDirectory } from "../../runtime/paths.ts";
import { environmentVariable, isTerminal, writeStdout } from "../../runtime/process.ts";
import type { Check, CheckStatus } from "../../setup/doctor/check.ts";
import { type DoctorRequest, examine } from "../../setup/doctor/examine.ts";
import { type CommandInput, UsageError } from "../command.ts";
import { gatewayAddress } from "./gateway-address.ts";
import { minimalTemplate } from "./init-templates.ts";

interface Fixed {
  readonly id: string;
  readonly done: string;
  /** Why it could not be done. */
  readonly error?: string;
}

/** 1 when something fails, after fixing too; a warning is no failure. */
export async function run(input: CommandInput): Promise<number> {
  if (input.flag("shadow")) {
    const { trafficRulesAs } = await import("../../setup/traffic-rules.ts");
    await writeStdout(trafficRulesAs(input.text("shadow-format") as Parameters<typeof trafficRulesAs>[0]));
    return 0;
  }
  const request = requestFrom(input);
  let checks = await examine(request);
  const fixed = input.flag("fix") ? await applyFixes(checks) : [];
  if (fixed.length > 0) checks = await examine(request);
  const format = input.flag("json") ? "json" : input.text("format");
  await writeStdout(format === "json" ? jsonReport(checks, fixed) : textReport(checks, fixed, format === "table"));
  return checks.some(({ status }) => status === "fail") ? 1 : 0;
}

function requestFrom(input: CommandInput): DoctorRequest {
  const machine = thisMachine();
  const { config: path, overrides, dataDir } = input.global;
  const timeout = input.text("timeout") as string;
  const answerMs = parseDurationMs(timeout);
  if (answerMs === undefined || answerMs <= 0)
    throw new UsageError(`--timeout must be a time like 20s, not "${timeout}"`);
  return {
    machine,
    load: { path, overrides, env: machine.env, cwd: machine.cwd },
    stateDirectory: dataDirectory(dataDir, machine.env),
    answerMs: input.flag("quick") ? undefined : answerMs,
    newConfig: minimalTemplate,
    addressOf: (loaded) => gatewayAddress(loaded, machine),
  };
}

async function applyFixes(checks: readonly Check[]): Promise<Fixed[]> {
  const fixed: Fixed[] = [];
  for (const { id, fix } of checks) {
    if (fix === undefined) continue;
    try {
      await fix.apply();
      fixed.push({ id, done: fix.done });
    } catch (error) {
      fixed.push({ id, done: fix.done, error: error instanceof Error ? error.message : String(error) });
    }
  }
  return fixed;
}

function countOf(checks: readonly Check[], wanted: CheckStatus): number {
  return checks.filter(({ status }) => status === wanted).length;
}

const colors: Readonly<Record<CheckStatus, number>> = { pass: 32, warn: 33, fail: 31 };

function textReport(checks: readonly Check[], fixed: readonly Fixed[], mayColor: boolean): string {
  const isColored = mayColor && isTerminal("stdout") && !environmentVariable("NO_COLOR");
  const lines = fixed.map(({ done, error }) =>
    error === undefined ? `[FIXED] ${done}` : `[FIXED] not: ${done}: ${error}`,
  );
  for (const { status, label, detail, hint, command, fix } of checks) {
    const mark = `[${status.toUpperCase()}]`;
    const shown = isColored ? `\u001b[${colors[status]}m${mark}\u001b[0m` : mark;
    lines.push(`${shown} ${label}: ${detail.replaceAll("\n", "\n       ")}`);
    const advice = [hint, command].filter((part) => part !== undefined).join(": ");
    if (advice !== "") lines.push(`       Hint: ${advice}${fix === undefined ? "" : "; --fix does it"}`);
  }
  const [passed, failed, warned] = [countOf(checks, "pass"), countOf(checks, "fail"), countOf(checks, "warn")];
  lines.push("", `${passed} checks passed, ${failed} failed, ${warned} warnings`);
  return `${lines.join("\n")}\n`;
}

function jsonReport(checks: readonly Check[], fixed: readonly Fixed[]): string {
  const summary = {
    pass: countOf(checks, "pass"),
    fail: countOf(checks, "fail"),
    warn: countOf(checks, "warn"),
    total: checks.length,
  };
  const report = {
    schema_version: "doctor.v1",
    ok: summary.fail === 0,
    summary,
    fixed,
    checks: checks.map((check) => ({
      id: check.id,
      label: check.label,
      category: check.category,
      status: check.status,
      detail: check.detail,
      hint: check.hint ?? null,
      fixability: fixability(check),
    })),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function fixability({ status, fix, command }: Check) {
  return {
    auto_fixable: fix !== undefined,
    safe_to_apply: fix !== undefined,
    command: fix === undefined ? (command ?? null) : "mcp-gateway doctor --fix",
    requires_user: status !== "pass" && fix === undefined,
    risk: fix === undefined ? "none" : "low",
    confirmation_required: false,
    verification: status === "pass" ? null : "mcp-gateway doctor",
    rollback: fix?.rollback ?? null,
  };
}
