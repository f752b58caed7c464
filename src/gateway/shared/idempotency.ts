/**
 * The idempotency keys of all gateways, taken in one step so that no two make the call. The book of this gateway is
 * written too: it is what counts while Redis is out of reach, and what outlives the loss of Redis.
 */
import { Answer } from "../../core/answer.ts";
import { isJsonObject, type Json } from "../../lib/json.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { redisScript } from "../../runtime/redis.ts";
import type { IdempotencyBook, KeyState } from "../../stages/idempotency/idempotency-stage.ts";
import { luaBound } from "./bounded.ts";
import type { SharedLink } from "./shared-link.ts";

const keptForMs = 24 * 3_600_000;
const maxKeys = 10_000;
const maxBytes = 64 * 1_048_576;
/** Longer answers are not kept, and their keys are spent. */
const maxAnswerCharacters = 1_048_576;

/** What there was, or nothing when the key is taken now. What a dead gateway was running may have been made. */
const begin = redisScript(`${luaBound}
local known = redis.call('HMGET', KEYS[1], 'request', 'state', 'gateway', 'answer')
-- Of this gateway it would be known: its end did not get here.
if known[1] and not (known[2] == 'running' and known[3] == ARGV[2]) then
  if known[2] == 'running' and redis.call('EXISTS', ARGV[3] .. known[3]) == 0 then known[2] = 'spent' end
  return {known[1], known[2], known[4]}
end
redis.call('HSET', KEYS[1], 'request', ARGV[1], 'state', 'running', 'gateway', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
bound(KEYS[2], KEYS[1], 200, tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]))
return {}`);

/** So many ends of calls are remembered while Redis is out of reach; of longer answers only that they were given. */
const maxLate = 1_000;
const maxLateCharacters = 65_536;

/** Also when the key was taken while Redis was out of reach. */
const settle = redisScript(`${luaBound}
redis.call('HSET', KEYS[1], 'request', ARGV[1], 'state', ARGV[2], 'gateway', ARGV[3], 'answer', ARGV[7])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
bound(KEYS[2], KEYS[1], 200 + #ARGV[7], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]))
return 1`);

const release = redisScript(`
if redis.call('HGET', KEYS[1], 'gateway') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

export interface SharedIdempotency {
  /** @param own the book of this gateway */
  with(own: IdempotencyBook): IdempotencyBook;
  /** Redis is in reach again: how calls ended meanwhile is written there. */
  catchUp(): Promise<void>;
}

export function createSharedIdempotency(link: SharedLink, replica: string): SharedIdempotency {
  const limits = [keptForMs, maxKeys, maxBytes];
  /** By key of Redis. */
  let late = new Map<string, () => Promise<void>>();

  async function end(keys: readonly string[], digest: string, state: "answered" | "spent", text: string) {
    const done = await link.ask(settle, keys, [digest, state, replica, ...limits, text]);
    if (done !== undefined) return;
    if (text.length > maxLateCharacters) remember(keys, () => end(keys, digest, "spent", ""));
    else remember(keys, () => end(keys, digest, state, text));
  }

  async function free(keys: readonly string[]): Promise<void> {
    const done = await link.ask(release, keys, [replica]);
    if (done === undefined) remember(keys, () => free(keys));
  }

  function remember([key = ""]: readonly string[], again: () => Promise<void>): void {
    if (late.size < maxLate) late.set(key, again);
  }

  const bookOver = (own: IdempotencyBook): IdempotencyBook => ({
    async begin(principal, key, request) {
      const here = await own.begin(principal, key, request);
      if (here.is !== "new") return here;
      const { attempt } = here;
      const digest = sha256Hex(request);
      const keys = [link.keyOf(`call:${sha256Hex(JSON.stringify([principal, key]))}`), link.keyOf("calls")];
      const known = await link.ask(begin, keys, [digest, replica, link.replicaKey, ...limits]);
      const there = Array.isArray(known) && known.length > 0 ? stateOf(known, digest) : undefined;
      if (there !== undefined) {
        await attempt.failed();
        return there;
      }
      return {
        is: "new",
        attempt: {
          async succeeded(answer) {
            await attempt.succeeded(answer);
            if (answer.text.length > maxAnswerCharacters) await end(keys, digest, "spent", "");
            else await end(keys, digest, "answered", answer.text);
          },
          async failed() {
            await attempt.failed();
            await free(keys);
          },
          async lost() {
            await attempt.lost();
            await end(keys, digest, "spent", "");
          },
        },
      };
    },
  });

  return {
    with: bookOver,
    async catchUp() {
      const ends = late;
      late = new Map();
      for (const again of ends.values()) await again();
    },
  };
}

function stateOf([request, state, answer]: readonly unknown[], digest: string): KeyState {
  if (request !== digest) return { is: "of another call" };
  if (state === "running") return { is: "running" };
  if (state !== "answered" || typeof answer !== "string" || !isResult(answer)) return { is: "spent" };
  return { is: "answered", answer: Answer.ofText(answer) };
}

function isResult(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text) as Json);
  } catch {
    return false;
  }
}
