/** Everything a call needs besides its capability, made once; also what the commands run a capability with. */
import type { RpcRequest } from "../core/call.ts";
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import type { ResolveHost } from "../runtime/internet-address.ts";
import type { Environment } from "../runtime/process.ts";
import { AnswerCache } from "./answer-cache.ts";
import type { CheckedArguments } from "./arguments.ts";
import type { ListedCapability } from "./capability.ts";
import { execute } from "./execute.ts";
import { OAuthTokens } from "./oauth-tokens.ts";
import { presented, projectedAnswer, transformed } from "./presented.ts";
import { armOf, type ProjectionOptions } from "./projection-arm.ts";
import type { Backends } from "./run-tool.ts";
import { targetCheck } from "./ssrf.ts";

export interface ExecutionOptions {
  readonly env: Environment;
  readonly stateDirectory: string;
  /** Off lets capabilities reach private addresses. */
  readonly ssrfProtection: boolean;
  readonly clock: Clock;
  /** Left out, no answer is projected. */
  readonly projection?: ProjectionOptions | undefined;
  /** Left out where no gateway runs: then providers of service `mcp` say so. */
  readonly backends?: Backends | undefined;
  /** The system's resolver by default. */
  readonly resolveHost?: ResolveHost | undefined;
}

export interface Execution {
  /**
   * A `CallToolResult`.
   * @param args checked against the input schema
   * @param request the call, as it came to the capabilities
   * @throws Refusal, or the signal's reason
   */
  run(
    listed: ListedCapability,
    args: Pick<CheckedArguments, "value" | "isFull">,
    request: RpcRequest,
    ended: AbortSignal,
  ): Promise<JsonObject>;
}

export function createExecution(options: ExecutionOptions): Execution {
  const { env, stateDirectory, clock } = options;
  const checkTarget = targetCheck(!options.ssrfProtection, options.resolveHost);
  const context = { env, stateDirectory, clock, checkTarget, tokens: new OAuthTokens() };
  const cache = new AnswerCache(clock);
  const { mode, onAnswer } = options.projection ?? { mode: "off" };
  return {
    async run(listed, { value: args, isFull }, request, ended) {
      const capability = await listed.load();
      const result = await cache.get(capability, args, async () => {
        const origin = { backends: options.backends, request };
        return transformed(capability, await execute(capability, args, { ...context, origin }, ended));
      });
      const arm = capability.projection && armOf(mode, request.sessionId);
      const plain = await presented(capability, result, isFull);
      const isWanted = !isFull && (mode === "on" || arm === "treatment");
      const shown = isWanted ? await projectedAnswer(capability, plain) : plain;
      if (arm !== undefined)
        onAnswer?.({ arm, isProjected: shown !== plain, bytes: Buffer.byteLength(JSON.stringify(shown)) });
      return shown;
    },
  };
}
