/** Everything a call needs besides its capability, made once; also what the commands run a capability with. */
import type { RpcRequest } from "../core/call.ts";
import type { ResultTransform } from "../core/transform/result-transform.ts";
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Environment } from "../runtime/process.ts";
import { AnswerCache } from "./answer-cache.ts";
import type { Backends } from "./call-tool.ts";
import type { Capability, ListedCapability } from "./capability.ts";
import { execute } from "./execute.ts";
import { OAuthTokens } from "./oauth-tokens.ts";
import { type ResolveHost, targetCheck } from "./ssrf.ts";

export interface ExecutionOptions {
  readonly env: Environment;
  readonly stateDirectory: string;
  /** Off lets capabilities reach private addresses. */
  readonly ssrfProtection: boolean;
  readonly clock: Clock;
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
  run(listed: ListedCapability, args: JsonObject, request: RpcRequest, ended: AbortSignal): Promise<JsonObject>;
}

const transformsOf = new WeakMap<Capability, readonly ResultTransform[]>();

async function transformed(capability: Capability, result: JsonObject): Promise<JsonObject> {
  const { ResultTransform } = await import("../core/transform/result-transform.ts");
  const transforms =
    transformsOf.get(capability) ?? capability.transforms.map((settings) => new ResultTransform(settings));
  transformsOf.set(capability, transforms);
  return transforms.reduce((changed, transform) => transform.apply(changed), result);
}

export function createExecution(options: ExecutionOptions): Execution {
  const { env, stateDirectory, clock } = options;
  const checkTarget = targetCheck(!options.ssrfProtection, options.resolveHost);
  const context = { env, stateDirectory, clock, checkTarget, tokens: new OAuthTokens() };
  const cache = new AnswerCache(clock);
  return {
    async run(listed, args, request, ended) {
      const capability = await listed.load();
      return cache.get(capability, args, async () => {
        const origin = { backends: options.backends, request };
        const result = await execute(capability, args, { ...context, origin }, ended);
        return capability.transforms.length === 0 ? result : transformed(capability, result);
      });
    },
  };
}
