/** Kept answers as the stage uses them. */
import type { Answer } from "../../core/answer.ts";

export interface Question {
  readonly server: string;
  /** Everything the answer depends on. */
  readonly text: string;
  readonly ttlMs: number;
  /** Answers kept at once. */
  readonly maxEntries: number;
}

/** Keeps what the server answers now, unless it became doubtful since the question was looked up. */
export type Keep = (answer: Answer) => void;

export interface AnswerCache {
  /** An answer that is younger than it may be, or a way to keep the one that is coming. */
  look(question: Question): Answer | Keep | Promise<Answer | Keep>;
  /** Something of the server changed, or may have. Nothing older is found any more when it is done. */
  forget(server: string): void | Promise<void>;
}

/** Longer answers are asked for again. */
export const maxKeptCharacters = 1_048_576;
/** Over all answers. */
export const maxAllCharacters = 64 * 1_048_576;

const cacheMetaKey = "mcp-gateway/cache";

/** What is in `_meta` of an answer that was kept. */
export function ageNote(ageMs: number) {
  return { [cacheMetaKey]: { age_seconds: Math.round(ageMs / 1_000) } };
}
