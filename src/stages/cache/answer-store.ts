/** Answers of tools that only read, of all backends. Those of one backend are forgotten together. */
import { Answer } from "../../core/answer.ts";
import type { Clock } from "../../lib/clock.ts";
import {
  type AnswerCache,
  ageNote,
  type Keep,
  maxAllCharacters,
  maxKeptCharacters,
  type Question,
} from "./answer-cache.ts";

interface KeptAnswer {
  readonly answer: Answer;
  readonly characters: number;
  /** Monotonic milliseconds. */
  readonly keptAtMs: number;
}

export class AnswerStore implements AnswerCache {
  readonly #clock: Pick<Clock, "now">;
  /** Least recently used first. */
  readonly #answers = new Map<string, KeptAnswer>();
  #characters = 0;
  /** How often what was known of a server became worthless. */
  readonly #ages = new Map<string, number>();
  #allAges = 0;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  look({ server, text, ttlMs, maxEntries }: Question): Answer | Keep {
    // What was kept at another age is not found any more, and what is on its way is not either.
    const key = `${this.#allAges}.${this.#ages.get(server) ?? 0} ${text}`;
    return this.#find(key, ttlMs) ?? ((answer) => this.#keep(key, answer, maxEntries));
  }

  /** With its age in `_meta`; `undefined` unless there is one that is younger than `ttlMs`. */
  #find(key: string, ttlMs: number): Answer | undefined {
    const kept = this.#answers.get(key);
    if (kept === undefined) return undefined;
    const ageMs = this.#clock.now() - kept.keptAtMs;
    this.#answers.delete(key);
    if (ageMs >= ttlMs) {
      this.#characters -= kept.characters;
      return undefined;
    }
    this.#answers.set(key, kept);
    return Answer.kept(kept.answer.exactValue, "cache", ageNote(ageMs));
  }

  #keep(key: string, answer: Answer, maxEntries: number): void {
    const characters = answer.text.length;
    if (characters > maxKeptCharacters) return;
    this.#characters += characters - (this.#answers.get(key)?.characters ?? 0);
    this.#answers.delete(key);
    this.#answers.set(key, { answer, characters, keptAtMs: this.#clock.now() });
    for (const [oldest, kept] of this.#answers) {
      if (this.#answers.size <= maxEntries && this.#characters <= maxAllCharacters) break;
      this.#answers.delete(oldest);
      this.#characters -= kept.characters;
    }
  }

  forget(server: string): void {
    this.#ages.set(server, (this.#ages.get(server) ?? 0) + 1);
  }

  forgetAll(): void {
    this.#allAges++;
    this.#ages.clear();
    this.#answers.clear();
    this.#characters = 0;
  }
}
