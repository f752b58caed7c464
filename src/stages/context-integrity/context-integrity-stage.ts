/**
 * Judges results by what they hold, and does about it what the preset says. What the firewall has looked for already is taken
 * from it; what it did not look for is looked for here.
 */
import { Answer, type AnswerFinding } from "../../core/answer.ts";
import type { Call, Stage } from "../../core/call.ts";
import { GatewayError, UpstreamRpcError } from "../../core/errors.ts";
import { plainly } from "../plainly.ts";
import { toolName } from "../tool-name.ts";
import type { ContextFinding } from "./judge-result.ts";
import type { PrivateRule } from "./number-patterns.ts";
import { type ContextClass, presets, speaking } from "./presets.ts";
import type { ContextIntegritySettings } from "./schema.ts";

const metaKey = "mcp-gateway/context_integrity";

/** What the firewall does about the results of one call. */
export interface FirewallScope {
  /** Whether the operator's rules let anybody look for it. */
  permits(kind: ContextClass): boolean;
  /** Whether the firewall looks for it. */
  looksFor(kind: ContextClass): boolean;
}

/** The firewall's own look at results, for what it was not told to look for. */
export interface FirewallScanner {
  scanResponse(
    answer: Answer,
    scope: { looksFor(kind: ContextClass): boolean },
  ): { readonly answer: Answer; readonly findings: readonly AnswerFinding[] };
  redactError(error: unknown): unknown;
}

export interface ContextReport {
  readonly direction: "response";
  readonly action: "warn" | "redact" | "block";
  readonly call: Call;
  /** What the firewall has reported already is not among them, unless the result is kept back. At least one. */
  readonly findings: readonly {
    readonly kind: ContextClass;
    readonly rule: string;
    readonly severity: "high" | "medium";
    readonly where: "result" | "error";
  }[];
}

export interface ContextIntegrityOptions {
  scopeOf(call: Call): FirewallScope;
  loadScanner(): Promise<FirewallScanner>;
  readonly onFindings: ((report: ContextReport) => void) | undefined;
}

const kindsOfFirewall = ["prompt_injection", "hidden_text", "credentials"] as const;
/** What the firewall counts as prompt injection and is more than that. */
const sendsSecrets = "send-secrets";

export function contextIntegrityStage(
  settings: ContextIntegritySettings | undefined,
  { scopeOf, loadScanner, onFindings }: ContextIntegrityOptions,
): Stage | undefined {
  if (settings === undefined) return undefined;
  const { preset: name, non_bypassable } = settings;
  const preset = presets[name];
  let loaded: Tools | undefined;

  async function load(): Promise<Tools> {
    const [scanner, judge] = await Promise.all([loadScanner(), import("./judge-result.ts")]);
    loaded ??= { ...judge, scanResponse: scanner.scanResponse, redactError: scanner.redactError };
    return loaded;
  }

  function judge(call: Call, { answer, known, where }: Judged, scope: FirewallScope, tools: Tools): Verdict {
    const looksFor = (kind: ContextClass) => non_bypassable || scope.permits(kind);
    const isMissing = (kind: ContextClass) => looksFor(kind) && !scope.looksFor(kind);
    let plain = plainly(answer);
    const found: ContextFinding[] = [];
    if (kindsOfFirewall.some(isMissing)) {
      const scanned = tools.scanResponse(plain, { looksFor: isMissing });
      found.push(...(scanned.findings as readonly ContextFinding[]));
      if (preset.masked.has("credentials")) plain = scanned.answer;
    }
    found.push(...tools.findingsIn(plain.text, looksFor));
    const all = known.length === 0 ? found : [...(known as readonly ContextFinding[]), ...found];
    if (looksFor("exfiltration") && all.some(({ rule }) => rule === sendsSecrets))
      all.push({ kind: "exfiltration", rule: sendsSecrets });
    const classes = [...new Set(all.map(({ kind }) => kind))];
    const withheld = classes.filter((kind) => preset.withheld.has(kind));
    const isMasked = found.some(({ kind }) => preset.masked.has(kind));
    const told = withheld.length > 0 ? all : found;
    if (told.length > 0) {
      const action = withheld.length > 0 ? "block" : isMasked ? "redact" : "warn";
      const severityOf = (kind: ContextClass) => (preset.withheld.has(kind) ? "high" : "medium");
      const findings = told.map(({ kind, rule }) => ({ kind, rule, severity: severityOf(kind), where }) as const);
      onFindings?.({ direction: "response", action, call, findings });
    }
    if (withheld.length > 0) throw refusal(call, withheld, name);
    return { classes, isMasked, plain, rules: tools.rulesToMask(found, preset.masked) };
  }

  function judgeAnswer(call: Call, answer: Answer, tools: Tools): Answer {
    const judged = { answer, known: answer.findings ?? [], where: "result" } as const;
    const { classes, isMasked, plain, rules } = judge(call, judged, scopeOf(call), tools);
    if (classes.length === 0 || !preset.isShown) return answer;
    const shown = isMasked ? tools.maskedAnswer(plain, rules) : answer;
    const isLabelled = preset.isLabelled && classes.some((kind) => speaking.has(kind));
    const action = isMasked ? "masked" : isLabelled ? "labelled" : "none";
    return (isLabelled ? tools.labelled(shown) : shown).withMeta({ [metaKey]: { classes, action } });
  }

  /** The firewall takes credentials out of errors, and looks for nothing else in them. */
  function judgeError(call: Call, error: UpstreamRpcError, tools: Tools): never {
    const scope = scopeOf(call);
    const { message, data } = error.rpc;
    const judged = { answer: Answer.of({ message, data }), known: [], where: "error" } as const;
    const looksFor = (kind: ContextClass) => kind === "credentials" && scope.looksFor(kind);
    const { isMasked, rules } = judge(call, judged, { permits: scope.permits, looksFor }, tools);
    if (isMasked && preset.masked.has("credentials")) tools.redactError(error);
    if (rules.size > 0) error.redact((text) => tools.masked(text, rules));
    throw error;
  }

  return (call, next) =>
    next(call).then(
      (answer) =>
        loaded === undefined
          ? load().then((tools) => judgeAnswer(call, answer, tools))
          : judgeAnswer(call, answer, loaded),
      (error: unknown) => {
        if (!(error instanceof UpstreamRpcError)) throw error;
        return load().then((tools) => judgeError(call, error, tools));
      },
    );
}

type Tools = FirewallScanner & typeof import("./judge-result.ts");

interface Judged {
  readonly answer: Answer;
  /** What the firewall found where it looked. */
  readonly known: readonly AnswerFinding[];
  readonly where: "result" | "error";
}

interface Verdict {
  readonly classes: readonly ContextClass[];
  readonly isMasked: boolean;
  /** What is masked, by the rules. */
  readonly plain: Answer;
  readonly rules: ReadonlySet<PrivateRule>;
}

/** Not a {@link DeniedError}: the server was asked, and did what it was asked to. */
function refusal(call: Call, classes: readonly ContextClass[], preset: string): GatewayError {
  const { upstream: server } = call;
  const tool = toolName(call);
  const what = tool === undefined ? `${call.method} of "${server}"` : `tool "${tool}" of "${server}"`;
  return new GatewayError("RESULT_WITHHELD", `The result of ${what} is kept back: it holds ${classes.join(", ")}`, {
    hint: `The tool did run; security.context_integrity (${preset}) keeps its result from the model, and operators find the finding in the log by the request id`,
    data: { server, classes },
  });
}
