/** A call that ends without an answer of the API, for a reason a model or an operator can act on; shown as an `isError` result. */

/**
 * How far the request came, which decides what may be tried next.
 * `unsent`: the API did nothing for it, so that trying again or elsewhere repeats nothing.
 * `unanswered`: it may have been carried out, and there is no usable answer.
 * `answered`: the API said no, or the arguments are wrong; nothing else helps.
 */
export type Outcome = "unsent" | "unanswered" | "answered";

interface RefusalOptions {
  /** `answered` by default. */
  readonly outcome?: Outcome;
  /** The same request may work a moment later. */
  readonly isTransient?: boolean;
  /** What the API asked to wait. */
  readonly waitMs?: number | undefined;
  /** The key was not accepted. */
  readonly isKeyRejected?: boolean;
}

export class Refusal extends Error {
  /** What to do about it, or what the API said; shown to the caller, never logged. */
  readonly detail: string | undefined;
  readonly outcome: Outcome;
  readonly isTransient: boolean;
  readonly waitMs: number | undefined;
  readonly isKeyRejected: boolean;

  constructor(message: string, detail?: string, options: RefusalOptions = {}) {
    super(message);
    this.name = "Refusal";
    this.detail = detail;
    this.outcome = options.outcome ?? "answered";
    this.isTransient = options.isTransient ?? false;
    this.waitMs = options.waitMs;
    this.isKeyRejected = options.isKeyRejected ?? false;
  }
}
