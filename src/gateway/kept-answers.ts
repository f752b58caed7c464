/** Answers that are given again: those of the cache, and those under idempotency keys. */
import type { Clock } from "../lib/clock.ts";
import type { AnswerCache } from "../stages/cache/answer-cache.ts";
import { AnswerStore } from "../stages/cache/answer-store.ts";
import type { IdempotencyBook } from "../stages/idempotency/idempotency-stage.ts";
import type { OpenIdempotencyBook } from "./idempotency-book.ts";
import type { Sharing } from "./sharing.ts";

export interface KeptAnswers {
  readonly answers: AnswerCache & { forgetAll(): void };
  readonly idempotency: IdempotencyBook;
  flush(): Promise<void>;
}

export interface KeptAnswersOptions {
  /** File of the idempotency keys; `undefined` keeps them in memory. */
  readonly path: string | undefined;
  readonly clock: Clock;
  readonly sharing: Sharing;
  /** Whether any answer is kept. */
  readonly isCaching: () => boolean;
  onProblem(error: unknown): void;
}

export function createKeptAnswers(options: KeptAnswersOptions): KeptAnswers {
  const { sharing, isCaching } = options;
  const own = new AnswerStore(options.clock);
  let opening: Promise<OpenIdempotencyBook> | undefined;
  const shared = () => (isCaching() ? sharing.state?.then((state) => state.answers(own)) : undefined);

  function open(): Promise<OpenIdempotencyBook> {
    opening ??= import("./idempotency-book.ts").then(({ openIdempotencyBook }) =>
      openIdempotencyBook({ ...options, now: Date.now }),
    );
    return opening;
  }

  return {
    answers: {
      look: (question) => shared()?.then((answers) => answers.look(question)) ?? own.look(question),
      forget: (server) => shared()?.then((answers) => answers.forget(server)) ?? own.forget(server),
      forgetAll() {
        own.forgetAll();
        void shared()?.then((answers) => answers.forgetAll());
      },
    },
    idempotency: {
      async begin(principal, key, request) {
        const [book, state] = await Promise.all([open(), sharing.state]);
        return (state?.idempotency(book) ?? book).begin(principal, key, request);
      },
    },
    async flush() {
      await (await opening)?.flush();
    },
  };
}
