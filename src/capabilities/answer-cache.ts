/**
 * `cache: {strategy: exact, ttl: 300}` of a capability: the same arguments get the same answer for so many seconds. Only
 * for capabilities that change nothing, and never for an error. A changed file begins with an empty cache.
 */
import type { Clock } from "../lib/clock.ts";
import { type JsonObject, stableJson } from "../lib/json.ts";
import type { Capability } from "./capability.ts";

/** Of one capability; the answer that was not asked for the longest goes first. */
const maxAnswers = 100;
/** Larger answers are asked for again. */
const maxCharacters = 262_144;

interface KnownAnswer {
  readonly result: JsonObject;
  /** Monotonic milliseconds. */
  readonly endsAtMs: number;
}

export class AnswerCache {
  readonly #clock: Clock;
  readonly #answers = new WeakMap<Capability, Map<string, KnownAnswer>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The known answer, or what `ask` resolves with; a rejection is passed on and not kept. */
  async get(capability: Capability, args: JsonObject, ask: () => Promise<JsonObject>): Promise<JsonObject> {
    const { cacheTtlMs } = capability;
    if (cacheTtlMs === 0) return ask();
    const key = stableJson(args);
    const known = this.#of(capability);
    const found = known.get(key);
    if (found !== undefined) known.delete(key);
    if (found !== undefined && found.endsAtMs > this.#clock.now()) {
      known.set(key, found);
      return found.result;
    }
    const result = await ask();
    if (JSON.stringify(result).length > maxCharacters) return result;
    known.set(key, { result, endsAtMs: this.#clock.now() + cacheTtlMs });
    if (known.size > maxAnswers) known.delete(known.keys().next().value as string);
    return result;
  }

  #of(capability: Capability): Map<string, KnownAnswer> {
    let known = this.#answers.get(capability);
    if (known === undefined) {
      known = new Map();
      this.#answers.set(capability, known);
    }
    return known;
  }
}
