/** Answers that are given again: those of the cache, and those under idempotency keys. */
import type { Clock } from "../lib/clock.ts";
import { AnswerStore } from "../stages/cache/answer-store.ts";
import type { IdempotencyBook } from "../stages/idempotency/idempotency-stage.ts";
import type { OpenIdempotencyBook } from "./idempotency-book.ts";

export interface KeptAnswers {
  readonly answers: AnswerStore;
  readonly idempotency: IdempotencyBook;
  flush(): Promise<void>;
}

export interface KeptAnswersOptions {
  /** File of the idempotency keys; `undefined` keeps them in memory. */
  readonly path: string | undefined;
  readonly clock: Clock;
  onProblem(error: unknown): void;
}

export function createKeptAnswers(options: KeptAnswersOptions): KeptAnswers {
  let opening: Promise<OpenIdempotencyBook> | undefined;

  function open(): Promise<OpenIdempotencyBook> {
    opening ??= import("./idempotency-book.ts").then(({ openIdempotencyBook }) =>
      openIdempotencyBook({ ...options, now: Date.now }),
    );
    return opening;
  }

  return {
    answers: new AnswerStore(options.clock),
    idempotency: {
      begin: async (principal, key, request) => (await open()).begin(principal, key, request),
    },
    async flush() {
      await (await opening)?.flush();
    },
  };
}
