/** The best few of many candidates, in the order a search shows them. */
import type { SearchHit } from "./catalog.ts";
import type { SearchDocument } from "./search-document.ts";

/** How well a query names the tool itself; better tiers come first whatever the words score. */
export const tiers = { words: 0, namePrefix: 1, exactName: 2 } as const;

export interface Candidate {
  readonly document: SearchDocument;
  readonly score: number;
  readonly tier: number;
}

export class BestHits {
  readonly #limit: number;
  readonly #serverOrder: ReadonlyMap<string, number>;
  readonly #kept: Candidate[] = [];

  constructor(limit: number, serverOrder: ReadonlyMap<string, number>) {
    this.#limit = limit;
    this.#serverOrder = serverOrder;
  }

  wouldTake(candidate: Candidate): boolean {
    if (this.#kept.length < this.#limit) return this.#limit > 0;
    return this.#precedes(candidate, this.#kept[this.#kept.length - 1] as Candidate);
  }

  take(candidate: Candidate): void {
    if (this.#kept.length === this.#limit) this.#kept.pop();
    let at = this.#kept.length;
    while (at > 0 && this.#precedes(candidate, this.#kept[at - 1] as Candidate)) at--;
    this.#kept.splice(at, 0, candidate);
  }

  /** A tier lifts the score above all of the tier below, so that scores fall from first to last. */
  hits(): SearchHit[] {
    const lift = 1 + Math.max(0, ...this.#kept.map(({ score }) => score));
    return this.#kept.map(({ document, score, tier }) => ({
      server: document.server,
      tool: document.name,
      listed: document.listed,
      score: roundScore(score + tier * lift),
    }));
  }

  #precedes(a: Candidate, b: Candidate): boolean {
    if (a.tier !== b.tier) return a.tier > b.tier;
    if (a.score !== b.score) return a.score > b.score;
    const order = (candidate: Candidate) => this.#serverOrder.get(candidate.document.server) ?? 0;
    if (order(a) !== order(b)) return order(a) < order(b);
    return a.document.name < b.document.name;
  }
}

/** The order in which floating-point sums are made must not decide a rank. */
export function roundScore(score: number): number {
  return Math.round(score * 10_000) / 10_000;
}
