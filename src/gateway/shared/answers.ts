/**
 * The cache of all gateways. What is kept carries the age of its server; whoever makes that doubtful, at whatever
 * gateway, gives the server another age. While Redis is out of reach, the cache of this gateway is used.
 */
import { Answer } from "../../core/answer.ts";
import { isJsonObject } from "../../lib/json.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { randomToken } from "../../runtime/random.ts";
import { redisScript } from "../../runtime/redis.ts";
import { type AnswerCache, ageNote, maxAllCharacters, maxKeptCharacters } from "../../stages/cache/answer-cache.ts";
import type { AnswerStore } from "../../stages/cache/answer-store.ts";
import { luaBound } from "./bounded.ts";
import type { SharedLink } from "./shared-link.ts";

/** Ages are kept for longer than any answer, or a forgotten one could be found again. */
const maxTtlMs = 24 * 3_600_000;
const ageTtlMs = 2 * maxTtlMs;
/** Of the text as UTF-8. */
const maxBytes = 4 * maxKeptCharacters;

const luaAge = `
local age = (redis.call('GET', KEYS[1]) or '0') .. '.' .. (redis.call('GET', KEYS[2]) or '0')
`;

/** The age of the server, and the answer with the milliseconds it has left of its time. */
const find = redisScript(`${luaAge}
local key = KEYS[3] .. age
if redis.call('STRLEN', key) == 0 or redis.call('STRLEN', key) > tonumber(ARGV[1]) then return {age} end
return {age, redis.call('GET', key), redis.call('PTTL', key)}`);

const keep = redisScript(`${luaBound}${luaAge}
if age ~= ARGV[1] then return 0 end
local key = KEYS[3] .. age
redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
bound(KEYS[4], key, #ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]))
return 1`);

const forget = redisScript("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])");

/** Stands for all servers. */
const all = "";

export interface SharedAnswers extends AnswerCache {
  forgetAll(): Promise<void>;
  /** Redis is in reach again: what this gateway knew to be doubtful is forgotten there, and what it kept alone, here. */
  catchUp(): void;
}

export function createSharedAnswers(link: SharedLink, own: AnswerStore): SharedAnswers {
  /** Servers that Redis is to forget. */
  const doubtful = new Set<string>();
  const ageKey = (server: string) => link.keyOf(`age:${server === all ? "" : sha256Hex(server)}`);

  async function forgetThere(server: string): Promise<void> {
    const done = await link.ask(forget, [ageKey(server)], [randomToken(9), ageTtlMs]);
    if (done === undefined) doubtful.add(server);
  }

  return {
    async look(question) {
      const ttlMs = Math.min(question.ttlMs, maxTtlMs);
      const keys = [ageKey(all), ageKey(question.server), link.keyOf(`answer:${sha256Hex(question.text)}:`)];
      const reply = await link.ask(find, keys, [maxBytes]);
      if (!Array.isArray(reply)) return own.look(question);
      const [age, text, restMs] = reply;
      const ageMs = ttlMs - Number(restMs);
      const kept = typeof text === "string" && ageMs >= 0 && ageMs < ttlMs ? readAnswer(text) : undefined;
      if (kept !== undefined) return Answer.kept(kept.exactValue, "cache", ageNote(ageMs));
      return (answer) => {
        if (answer.text.length > maxKeptCharacters) return;
        const limits = [question.maxEntries, maxAllCharacters];
        void link.ask(keep, [...keys, link.keyOf("answers")], [String(age), answer.text, ttlMs, ...limits]);
      };
    },
    forget(server) {
      own.forget(server);
      return forgetThere(server);
    },
    forgetAll() {
      own.forgetAll();
      return forgetThere(all);
    },
    catchUp() {
      own.forgetAll();
      const late = [...doubtful];
      doubtful.clear();
      for (const server of late) void forgetThere(server);
    },
  };
}

/** `undefined` for what no gateway wrote. */
function readAnswer(text: string): Answer | undefined {
  try {
    const answer = Answer.ofText(text);
    return isJsonObject(answer.value) ? answer : undefined;
  } catch {
    return undefined;
  }
}
