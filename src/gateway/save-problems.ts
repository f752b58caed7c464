/** What cannot be saved, or shared, at the moment: the gateway works on without, and says so in `/health`. */
import type { Logger } from "../core/log.ts";

export class SaveProblems {
  readonly #log: Logger;
  readonly #problems = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** One sentence for each of them. */
  get list(): readonly string[] {
    return [...this.#problems.values()];
  }

  /** To be told when saving begins to fail, and with `undefined` when it works again. */
  of(what: string, consequence: string, done: "saved" | "shared" = "saved"): (error: unknown) => void {
    return (error) => {
      if (error === undefined) {
        this.#problems.delete(what);
        this.#log.info(`${what} are ${done} again`);
        return;
      }
      const reason = error instanceof Error ? error.message : String(error);
      this.#problems.set(what, `${what} cannot be ${done}: ${reason}`);
      this.#log.warn(`${what} cannot be ${done}; ${consequence}`, { reason });
    };
  }

  /** It is not to be done any more. */
  forget(what: string): void {
    this.#problems.delete(what);
  }
}
