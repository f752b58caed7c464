/**
 * Gives the same answer to the same question for a while: only for tools that say they only read, only to the caller who
 * got it, and only until a call that may write, or the server itself, makes it doubtful. Below the firewall of requests,
 * so that no key is made of what is refused; above that of results, so that nothing is kept that a caller may not see.
 */
import { Answer } from "../../core/answer.ts";
import { type Call, holderOf, type Next, type Stage } from "../../core/call.ts";
import { globMatches } from "../../lib/glob.ts";
import { stableJson } from "../../lib/json.ts";
import { toolName } from "../tool-name.ts";
import type { AnswerCache, Keep } from "./answer-cache.ts";
import type { CacheSettings } from "./schema.ts";

/** Longer questions are not asked twice. */
const maxKeyCharacters = 16_384;
/** What a question consists of; `_meta` belongs to the request, anything else (`task`) wants more than an answer. */
const plainParams = new Set(["name", "arguments", "_meta"]);

export function cacheStage(settings: CacheSettings | undefined, store: AnswerCache | undefined): Stage | undefined {
  if (!settings?.enabled || store === undefined) return undefined;
  const { default_ttl, max_entries } = settings;
  const ttls = Object.entries(settings.tools);

  function ttlMsOf({ upstream: server }: Call, tool: string): number {
    const fits = ([pattern]: [string, number]) =>
      globMatches(pattern, tool) || globMatches(pattern, `${server}:${tool}`);
    return ttls.find(fits)?.[1] ?? default_ttl;
  }

  function questionOf(call: Call, tool: string): string | undefined {
    const { upstream: server, envelope, params = {} } = call;
    if (Object.keys(params).some((key) => !plainParams.has(key))) return undefined;
    const era = envelope === undefined ? "" : "modern";
    const question = stableJson([server, tool, era, holderOf(call), params["arguments"] ?? {}]);
    return question.length > maxKeyCharacters ? undefined : question;
  }

  function write(call: Call, next: Next, cache: AnswerCache): ReturnType<Next> {
    const { upstream: server } = call;
    void cache.forget(server);
    // What was read meanwhile may be from before.
    return next(call).finally(() => cache.forget(server));
  }

  function read(call: Call, next: Next, tool: string, cache: AnswerCache): ReturnType<Next> {
    const { upstream: server } = call;
    const ttlMs = ttlMsOf(call, tool);
    const text = ttlMs > 0 ? questionOf(call, tool) : undefined;
    if (text === undefined) return next(call);
    const found = cache.look({ server, text, ttlMs, maxEntries: max_entries });
    return found instanceof Promise ? found.then((one) => useOrAsk(call, next, one)) : useOrAsk(call, next, found);
  }

  function useOrAsk(call: Call, next: Next, found: Answer | Keep): ReturnType<Next> {
    if (found instanceof Answer) return Promise.resolve(found);
    const keep = (answer: Answer) => {
      if (isFinal(answer)) found(answer);
      return answer;
    };
    const { client } = call;
    if (client === undefined) return next(call).then(keep);
    // What somebody said to it is not what he would say again.
    let hasAsked = false;
    const ask: typeof client.ask = (method, params, signal) => {
      hasAsked = true;
      return client.ask(method, params, signal);
    };
    return next({ ...call, client: { ...client, ask } }).then((answer) => (hasAsked ? answer : keep(answer)));
  }

  return (call, next) => {
    const tool = toolName(call);
    if (tool === undefined) return next(call);
    return call.readOnly === true ? read(call, next, tool, store) : write(call, next, store);
  };
}

/** Neither a failure, nor a question (2026-07-28), nor a task that only began. */
function isFinal(answer: Answer): boolean {
  if (answer.isError) return false;
  const { resultType = "complete", task } = answer.value;
  return resultType === "complete" && task === undefined;
}
