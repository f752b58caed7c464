/**
 * The inverted index: MiniSearch keeps the terms in a radix tree with prefix and fuzzy lookup. Its own scorer builds
 * an object per match and knows one length normalisation for all fields; ours reads the posting lists and is several
 * times as fast, with better ranks (see `ranking.ts`). The protected members used here are why its version is pinned.
 */
import MiniSearch from "minisearch";
import { fieldNames } from "./ranking.ts";
import type { SearchDocument } from "./search-document.ts";

/** Field index (as in `fieldNames`) to document number to frequency. */
export type TermPostings = ReadonlyMap<number, ReadonlyMap<number, number>>;

export class Postings extends MiniSearch<{ id: number } & Record<string, string | number>> {
  constructor() {
    super({
      fields: fieldNames,
      tokenize: (terms) => (terms === "" ? [] : terms.split(" ")),
      processTerm: (term) => term,
      autoVacuum: false,
    });
  }

  /** Documents are numbered from 0 in the order they are added, and never removed. */
  append(number: number, document: SearchDocument): void {
    const texts = fieldNames.map((field) => [field, document.terms[field].join(" ")]);
    this.add({ ...Object.fromEntries(texts), id: number });
  }

  of(term: string): TermPostings | undefined {
    return this._index.get(term) as TermPostings | undefined;
  }

  withPrefix(prefix: string): Iterable<[string, TermPostings]> {
    return this._index.atPrefix(prefix) as Iterable<[string, TermPostings]>;
  }

  near(term: string, maxDistance: number): Iterable<[string, [TermPostings, number]]> {
    return this._index.fuzzyGet(term, maxDistance) as Iterable<[string, [TermPostings, number]]>;
  }
}
