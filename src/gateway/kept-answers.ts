/** Answers that are given again: those of the cache, and those under idempotency keys. */
import type { Clock } from "../lib/clock.ts";
import type { AnswerCache } from "../stages/cache/answer-cache.ts";
import type { AnswerStore } from "../stages/cache/answer-store.ts";
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
  let own: AnswerStore | undefined;
  let loading: Promise<AnswerStore> | undefined;
  let opening: Promise<OpenIdempotencyBook> | undefined;
  const shared = () => (isCaching() ? sharing.state?.then(async (state) => state.answers(await load())) : undefined);

  function load(): Promise<AnswerStore> {
    loading ??= import("../stages/cache/answer-store.ts").then((module) => {
      own = new module.AnswerStore(options.clock);
      return own;
    });
    return loading;
  }

  function open(): Promise<OpenIdempotencyBook> {
    opening ??= import("./idempotency-book.ts").then(({ openIdempotencyBook }) =>
      openIdempotencyBook({ ...options, now: Date.now }),
    );
    return opening;
  }

  return {
    answers: {
      look(question) {
        const answers = shared() ?? (own === undefined ? load() : undefined);
        return answers?.then((ready) => ready.look(question)) ?? (own as AnswerStore).look(question);
      },
      forget: (server) => shared()?.then((answers) => answers.forget(server)) ?? own?.forget(server),
      forgetAll() {
        own?.forgetAll();
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
