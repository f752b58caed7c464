/** Holds results to what the operator agreed with their tools: a size, and texts that may not be in them. */
import type { Answer } from "../../core/answer.ts";
import type { Call, Stage } from "../../core/call.ts";
import { GatewayError } from "../../core/errors.ts";
import { globMatches } from "../../lib/glob.ts";
import { someString } from "../../lib/json.ts";
import { toolName } from "../tool-name.ts";
import type { ResponseContractSettings } from "./schema.ts";

const metaKey = "mcp-gateway/contract";

type ToolContract = ResponseContractSettings["tools"][string];
type Compile = (pattern: string) => RegExp;

/** @param loadCompile gives what makes patterns of texts, which were found good when the file was read */
export function responseContractStage(
  settings: ResponseContractSettings,
  loadCompile: () => Promise<Compile> = async () => (await import("../../core/transform/pattern.ts")).compilePattern,
): Stage | undefined {
  if (!settings.enabled) return undefined;
  const contracts = Object.entries(settings.tools);
  const patterns = new Map<ToolContract, readonly RegExp[]>();

  function contractOf({ upstream: server }: Call, tool: string): ToolContract | undefined {
    const fits = ([pattern]: [string, ToolContract]) =>
      globMatches(pattern, tool) || globMatches(pattern, `${server}:${tool}`);
    return contracts.find(fits)?.[1];
  }

  async function patternsOf(contract: ToolContract): Promise<readonly RegExp[]> {
    const compile = await loadCompile();
    const compiled = patterns.get(contract) ?? contract.forbidden_patterns.map(compile);
    patterns.set(contract, compiled);
    return compiled;
  }

  /** What is wrong with the answer; `undefined` when nothing is. */
  async function violation(answer: Answer, contract: ToolContract | undefined): Promise<string | undefined> {
    const limit = contract?.max_bytes ?? settings.default_max_bytes;
    if (contract === undefined && settings.fail_closed && limit === undefined) return "no limit is set for it";
    if (limit !== undefined && isLonger(answer.text, limit)) return `it has more than ${limit} bytes`;
    if (contract === undefined || contract.forbidden_patterns.length === 0) return undefined;
    for (const [at, pattern] of (await patternsOf(contract)).entries())
      if (someString(answer.value, (text) => text.search(pattern) >= 0))
        return `it holds what forbidden_patterns[${at}] forbids`;
    return undefined;
  }

  return async (call, next) => {
    const answer = await next(call);
    const tool = toolName(call);
    if (tool === undefined) return answer;
    const contract = contractOf(call, tool);
    const why = await violation(answer, contract);
    if (why === undefined) return answer;
    if (contract?.action_mode ?? settings.action_mode) throw refusal(call, tool, why);
    return answer.withMeta({ [metaKey]: { violation: why } });
  };
}

/** UTF-8 has one to three bytes for each unit of a text. */
function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
}

/** Not a {@link DeniedError}: the server was asked, and did what it was asked to. */
function refusal({ upstream: server }: Call, tool: string, why: string): GatewayError {
  return new GatewayError("CONTRACT_BROKEN", `The result of tool "${tool}" of "${server}" is kept back: ${why}`, {
    hint: "The tool did run; security.response_contract says what its result may be",
    data: { server },
  });
}
