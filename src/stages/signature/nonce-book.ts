/** Which nonces were used lately, by caller. In memory, for all configurations. */
import type { Nonce } from "../../core/call.ts";
import type { Clock } from "../../lib/clock.ts";

/** At the usual window of 300 s some 330 calls a second; who makes more is refused, for what is forgotten could be replayed. */
const mostOfCaller = 100_000;
const mostOfAll = 200_000;

interface Used {
  readonly nonce: Nonce;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

/**
 * `known`: by this very request, which may cause several calls. `seen`: by another one within the window. `full`: there is
 * no room to remember it.
 */
export type NonceState = "new" | "known" | "seen" | "full";

export class NonceBook {
  readonly #clock: Pick<Clock, "now">;
  /** Of each principal, oldest first. */
  readonly #used = new Map<string, Map<string, Used>>();
  #size = 0;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  claim(principal: string, nonce: Nonce, windowMs: number): NonceState {
    if (windowMs === 0) return "new";
    this.#forget(principal, windowMs);
    const mine = this.#used.get(principal) ?? new Map<string, Used>();
    const known = mine.get(nonce.text);
    if (known !== undefined) return known.nonce === nonce ? "known" : "seen";
    if (this.#size >= mostOfAll) for (const other of this.#used.keys()) this.#forget(other, windowMs);
    if (mine.size >= mostOfCaller || this.#size >= mostOfAll) return "full";
    mine.set(nonce.text, { nonce, atMs: this.#clock.now() });
    this.#used.set(principal, mine);
    this.#size++;
    return "new";
  }

  /** Nothing was signed with it: the request that goes on with this one brings it again. */
  release(principal: string, { text }: Nonce): void {
    if (this.#used.get(principal)?.delete(text)) this.#size--;
  }

  get size(): number {
    return this.#size;
  }

  #forget(principal: string, windowMs: number): void {
    const mine = this.#used.get(principal);
    if (mine === undefined) return;
    const before = this.#clock.now() - windowMs;
    for (const [text, { atMs }] of mine) {
      if (atMs > before) return;
      mine.delete(text);
      this.#size--;
    }
    this.#used.delete(principal);
  }
}
