/** What several gateways have together in one Redis: limits, budgets, answers, idempotency keys, nonces and sessions. */
import type { SharedLimits } from "../../core/shared-limits.ts";
import { randomToken } from "../../runtime/random.ts";
import type { AnswerStore } from "../../stages/cache/answer-store.ts";
import type { IdempotencyBook } from "../../stages/idempotency/idempotency-stage.ts";
import type { SharingOptions } from "../sharing.ts";
import { createSharedAnswers, type SharedAnswers } from "./answers.ts";
import { createSharedIdempotency } from "./idempotency.ts";
import { createSharedLedger, type OpenSharedLedger } from "./ledger.ts";
import { createSharedLimits } from "./limits.ts";
import { createSharedNonces, type SharedNonces } from "./nonces.ts";
import type { SharedStateSettings } from "./schema.ts";
import { createSharedSessions, type SharedSessions } from "./sessions.ts";
import { SharedLink } from "./shared-link.ts";

export interface SharedState {
  readonly limits: SharedLimits;
  readonly ledger: OpenSharedLedger;
  readonly sessions: SharedSessions;
  readonly nonces: SharedNonces;
  /** @param own the cache of this gateway */
  answers(own: AnswerStore): SharedAnswers;
  /** @param own the book of this gateway */
  idempotency(own: IdempotencyBook): IdempotencyBook;
  close(): Promise<void>;
}

export interface SharedStateOptions extends Omit<SharingOptions, "saveProblems"> {
  readonly settings: SharedStateSettings;
  /** Told when Redis cannot be used, and with `undefined` when it can again. */
  onProblem(error: unknown): void;
}

export function openSharedState(options: SharedStateOptions): SharedState {
  const { settings, clock, log, onProblem, events } = options;
  const replica = randomToken(9);
  let answers: SharedAnswers | undefined;
  const link = new SharedLink({
    settings,
    replica,
    clock,
    log,
    onProblem,
    onMessage: (message) => sessions.take(message),
    onUp() {
      void ledger.settle();
      answers?.catchUp();
      void idempotency.catchUp();
      sessions.catchUp();
      void events()?.onReunited();
    },
  });
  const ledger = createSharedLedger(link, Date.now);
  const idempotency = createSharedIdempotency(link, replica);
  const sessions = createSharedSessions({ link, replica, ttlMs: options.sessionTtlMs, events });
  return {
    limits: createSharedLimits(link),
    ledger,
    sessions,
    nonces: createSharedNonces(link),
    answers(own) {
      answers ??= createSharedAnswers(link, own);
      return answers;
    },
    idempotency: idempotency.with,
    close: () => link.close(),
  };
}
